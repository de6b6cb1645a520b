"""Kafka and MongoDB as child processes."""
