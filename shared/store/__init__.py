"""The event log and the records folded from it: the ports, and their adapters on MongoDB and in memory."""
