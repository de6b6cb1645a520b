"""Fixtures of the tests that run the command together with a worker."""

from tests.integration.worker.conftest import callfold, make_worker, worker

__all__ = ["callfold", "make_worker", "worker"]
