"""A small pool of processes that fold large calls: implements `shared.calls.large_calls.LargeCalls`."""
