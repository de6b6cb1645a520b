"""The fold: a pure function from the distinct events of a call to its record. Start at `fold.fold`."""
