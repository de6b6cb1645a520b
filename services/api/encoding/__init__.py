"""Compression of responses, by what the client accepts."""
