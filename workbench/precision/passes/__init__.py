"""Graph passes: one rewrite per file, each with its rules. They edit a private copy in place."""
