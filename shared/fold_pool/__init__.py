"""A small pool of processes that fold large calls: the real implementation of `shared.calls.large_calls.LargeCalls`."""
