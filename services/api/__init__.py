"""The API: reads one call by its id, for the holder of a key of its organization."""
