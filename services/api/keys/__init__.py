"""Who may read: API keys, and limits on requests."""
