"""Dead letters: reading, exporting and replaying them."""
