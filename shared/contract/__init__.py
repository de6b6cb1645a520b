"""What an event is: envelope, payloads, and why a record is rejected. Does no I/O."""
