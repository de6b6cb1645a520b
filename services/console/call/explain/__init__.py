"""Which events a value of the record comes from, found by folding the call without the others (docs/decisions/0028)."""
