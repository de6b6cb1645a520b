"""Reaching Kafka: settings, producer, what is wrong when it lets nobody in."""
