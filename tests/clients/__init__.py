"""Publishers that are not ours: clients of other makers and languages, each with its own habits."""
