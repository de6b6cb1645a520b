"""Lists of calls for people, in MongoDB: the collection `calls`, the latest arrival first."""
