"""Dead letters: reading, exporting, replaying."""
