"""The worker: batches of events in, log and records out, offsets after them."""
