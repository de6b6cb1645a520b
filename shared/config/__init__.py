"""Settings and configuration files."""
