"""Needed by every process: clock, logs, metrics, sockets."""
