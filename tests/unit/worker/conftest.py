"""Fixtures of the tests that drive the worker's own consumer."""

from tests.support.worker.unstarted_consumer import broker, consumer, made

__all__ = ["broker", "consumer", "made"]
