"""One file per chart; each is given values and draws them."""
