"""Draining a backlog: events per second, CPU and memory, of our pipeline and of those one could pick instead."""
