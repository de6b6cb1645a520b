"""One call's page, computed from its record and its details: no I/O, no clock."""
