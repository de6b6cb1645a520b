"""What was said and done in a call: turns, tools, latency."""
