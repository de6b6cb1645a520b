"""What is run as a process of its own: each is given the broker, MongoDB, one name for all it makes, and the topics."""
