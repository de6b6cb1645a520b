"""Drills: a stack under load with a fault, for a person who finds its cause, and for tests."""
