"""The parts of the benchmark; each has a `NAME` and measures into `Samples`."""
