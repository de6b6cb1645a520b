"""Fixtures of the tests of what is left behind: MongoDB that fails on request, a worker and an API that log all."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from shared.config.mongo_access import MongoAccess
from shared.store.mongo.client import Connection
from tests.integration.worker.conftest import make_worker
from tests.support.api.client import PEPPER
from tests.support.api.server import ApiServer
from tests.support.servers.failing_mongo import FailingMongo, failing_mongo

__all__ = ["make_worker"]


@pytest.fixture(scope="module")
def failing() -> Iterator[FailingMongo]:
    with failing_mongo() as mongo:
        yield mongo


@pytest.fixture
def mongo_uri(failing: FailingMongo) -> str:
    """Return the way that programs take; it shadows the fixture of the same name."""
    return failing.uri


@pytest.fixture(autouse=True)
def _loud(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let all programs log everything, and write what is temporary into the test's folder."""
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    variables = {"LOG_LEVEL": "debug", "API_ACCESS_LOG": "1", "API_SECRET_PEPPER": PEPPER}
    for name, value in variables.items():
        monkeypatch.setenv(f"CALLFOLD_{name}", value)
    monkeypatch.setenv("TMPDIR", str(temporary))


@pytest.fixture
async def database(failing: FailingMongo, name: str) -> AsyncIterator[str]:
    yield name
    connection = Connection(MongoAccess(failing.behind), name)
    await connection.drop()
    await connection.close()


@pytest.fixture
def api(failing: FailingMongo, database: str, tmp_path: Path, _loud: None) -> Iterator[ApiServer]:
    with ApiServer(tmp_path / "api", failing.uri, database) as server:
        yield server
