"""Fixtures of the tests that drive the worker's own consumer."""

from tests.support.unstarted import broker, consumer, made

__all__ = ["broker", "consumer", "made"]
