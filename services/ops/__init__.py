"""The command `callfold`: publishes events, reads calls, and operates the other programs."""
