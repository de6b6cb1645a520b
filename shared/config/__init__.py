"""Settings and files of settings."""
