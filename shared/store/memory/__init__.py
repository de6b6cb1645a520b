"""The ports in memory, file for file as in `shared/store/mongo`; for tests."""
