"""The fold, pure: from the distinct events of a call to its record. `fold.fold` is where it begins."""
