"""What keeps the process honest: retries, the watchdog, health."""
