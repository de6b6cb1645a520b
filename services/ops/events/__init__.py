"""Events in files: reading lines, validating, publishing."""
