"""Reading calls over HTTP, beside what one would write at once and beside what takes least."""
