"""The console: what operators and support look at, server-rendered, for accounts alone."""
