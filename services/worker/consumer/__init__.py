"""Faust and aiokafka: from the broker to runs of records, and back to committed offsets."""
