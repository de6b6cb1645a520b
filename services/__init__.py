"""The programs: each reads its settings, chooses its store and runs."""
