"""Fixtures for all tests, and what scales them: hypothesis' profiles, and the time limits of a slow machine.

Profiles: `fast` for `make check`, `quick` for `make test`, `--hypothesis-profile=thorough` for a night. Time limits:
`tests/support/eventually.py`.
"""

import signal

import pytest
import structlog
from hypothesis import settings

from tests.support.eventually import scaled
from tests.support.fixtures import connection, database, driver, kafka, kafka_bootstrap, mongo, mongo_uri, name, topics

__all__ = ["connection", "database", "driver", "kafka", "kafka_bootstrap", "mongo", "mongo_uri", "name", "topics"]

settings.register_profile("fast", max_examples=25, deadline=None)
settings.register_profile("quick", max_examples=100, deadline=None)
settings.register_profile("thorough", max_examples=10_000, deadline=None)
settings.load_profile("quick")

# A shell lets jobs in the background ignore Ctrl-C, and programs that they start inherit that: some tests press it.
signal.signal(signal.SIGINT, signal.default_int_handler)

# structlog's own default draws each traceback with all local variables, which takes most of a second.
structlog.configure(
    processors=[
        structlog.processors.add_log_level,
        structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback),
    ]
)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Scale the time limit of each test: its own mark's, or the one of pyproject.toml."""
    usual = float(config.getini("timeout"))
    for item in items:
        own = item.get_closest_marker("timeout")
        item.add_marker(pytest.mark.timeout(scaled(own.args[0] if own else usual)), append=False)
