"""The events of a drill: a process that publishes as a provider does, as its standard input orders."""
