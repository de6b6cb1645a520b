"""Jobs that run from time to time."""
