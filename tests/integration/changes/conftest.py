"""Fixtures of the tests in which Kafka changes under a worker."""

from tests.integration.worker.conftest import make_worker

__all__ = ["make_worker"]
