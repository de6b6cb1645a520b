"""The log of events and the records folded from it: the port, MongoDB, and a twin in memory."""
