"""Fixtures of the tests of the whole worker."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from shared.contract.topics import Topics
from tests.support.callfold import Callfold
from tests.support.worker.process import WorkerProcess

MakeWorker = Callable[..., WorkerProcess]


@pytest.fixture
def make_worker(
    kafka_bootstrap: str, mongo_uri: str, topics: Topics, database: str, tmp_path: Path
) -> Iterator[MakeWorker]:
    """Return a function that makes workers of one group, which end with the test."""
    with ExitStack() as running:

        def make(**settings: object) -> WorkerProcess:
            worker = WorkerProcess(kafka_bootstrap, mongo_uri, topics, database, tmp_path, **settings)
            running.push(worker)
            return worker

        yield make


@pytest.fixture
def worker(make_worker: MakeWorker) -> WorkerProcess:
    """Return a worker that is ready."""
    return make_worker().start().wait_until_ready()


@pytest.fixture
def callfold(kafka_bootstrap: str, mongo_uri: str, topics: Topics, database: str) -> Callfold:
    """Return the command `callfold` for the test's own topics and database."""
    return Callfold(kafka_bootstrap, mongo_uri, topics.prefix, database)
