"""One call's page: what it shows is computed from the call's events, without I/O or a clock."""
