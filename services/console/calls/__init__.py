"""Lists of calls: by their last arrival, and those that are broken or wait for a fold."""
