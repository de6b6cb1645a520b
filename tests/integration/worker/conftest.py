"""What the tests of the whole worker share."""

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
    """Make workers of one group, none of which outlives the test."""
    with ExitStack() as running:

        def make(**settings: object) -> WorkerProcess:
            worker = WorkerProcess(kafka_bootstrap, mongo_uri, topics, database, tmp_path, **settings)
            running.push(worker)
            return worker

        yield make


@pytest.fixture
def worker(make_worker: MakeWorker) -> WorkerProcess:
    """Return a worker that takes events."""
    return make_worker().start().wait_until_ready()


@pytest.fixture
def callfold(kafka_bootstrap: str, mongo_uri: str, topics: Topics, database: str) -> Callfold:
    """Return the command, which looks at the test's own topics and database."""
    return Callfold(kafka_bootstrap, mongo_uri, topics.prefix, database)
