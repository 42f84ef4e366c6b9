"""What other tools write about an engine. Each file here is one reader, found by being there."""
