"""Measures Callfold and its alternatives on real servers: `python -m benchmarks`."""
