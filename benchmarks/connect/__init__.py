"""Kafka Connect with MongoDB's sink connector: what most would take to bring events from Kafka into MongoDB."""
