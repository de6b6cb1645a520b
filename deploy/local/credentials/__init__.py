"""What the local stack makes for its services to know each other, and their operator."""
