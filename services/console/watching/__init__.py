"""Is anything late: what the monitor and Prometheus know."""
