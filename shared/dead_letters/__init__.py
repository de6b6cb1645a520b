"""Dead letters: reading, selecting and replaying them; for the command `callfold` and the console."""
