"""The HTTP server: what it bounds before a request reaches the application, and the ports that it listens on."""
