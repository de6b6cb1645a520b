"""A small pool of processes that fold large calls: the real implementation of `shared.large.LargeCalls`."""
