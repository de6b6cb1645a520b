"""From stale calls to records."""
