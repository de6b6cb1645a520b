"""Lists of calls, by their last arrival, and of those that are broken or wait for a fold; one call in `one_call`."""
