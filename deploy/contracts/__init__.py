"""The contract for those who do not read Python: JSON Schema of every event, AsyncAPI of the topics."""
