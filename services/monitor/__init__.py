"""The monitor: how far the workers are behind, and why; it needs none of them and joins no group."""
