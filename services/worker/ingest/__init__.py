"""From records to the event log: decode, write, mark stale, reject."""
