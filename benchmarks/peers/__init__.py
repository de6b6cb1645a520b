"""The alternatives, and programs that do one step alone; each runs as a process of its own.

Those for `ingest` take the broker, MongoDB's URI, one name for group and database, and the topics.
"""
