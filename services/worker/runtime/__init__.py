"""Retries, the watchdog, the health server."""
