"""A synthetic call every few seconds, published and read back as anybody's: what it measures holds for all calls."""
