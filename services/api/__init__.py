"""The API: the read side. One call, by its id, for whoever holds a key of its organization."""
