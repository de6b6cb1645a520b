"""A mongod whose commands fail with named errors."""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from enum import StrEnum
from typing import Any

from pymongo import AsyncMongoClient

from deploy.local.ports import free_port
from deploy.local.servers.proxy import Proxy
from tests.support.eventually import scaled
from tests.support.servers.servers import mongo_server

APPLICATION = "callfold"
"""The name that `shared.store.mongo.client` gives to the server: only its commands fail."""

_STALL_MS = int(scaled(1_000))
"""Twice the driver's timeout in `interrupted_call`; the server keeps the failpoint until it is over."""


class NamedError(StrEnum):
    """What MongoDB, or the way to it, fails with."""

    NOT_PRIMARY = "not_primary"
    """`NotWritablePrimary`: nothing was done."""
    TIME_EXCEEDED = "time_exceeded"
    """`MaxTimeMSExpired`: nothing was done."""
    STALLED = "stalled"
    """The server does not get to it before the driver's own limit of time: who knows whether it was done."""
    OUT_OF_DISK_SPACE = "out_of_disk_space"
    """`OutOfDiskSpace`: nothing was done."""
    IDLE_CALLS_ENDED = "closed"
    """The connection is closed: nothing was done."""
    ANSWER_LOST = "answer_lost"
    """It was done, but the answer never arrives: only the driver's own limit of time ends the wait."""
    CONCERN_FAILED = "concern_failed"
    """It was done, but its write concern failed with `WriteConcernFailed`: it may not last."""
    CONCERN_SHUTTING_DOWN = "concern_shutting_down"
    """It was done, but its write concern failed with `ShutdownInProgress`: it may not last."""


Commands = tuple[str, ...]

WRITES: Commands = ("insert", "update")
READS: Commands = ("find", "getMore")

OF_WRITES = (NamedError.CONCERN_FAILED, NamedError.CONCERN_SHUTTING_DOWN)
"""The errors that reads do not know."""

_FAILURES: dict[NamedError, dict[str, Any]] = {
    NamedError.NOT_PRIMARY: {"errorCode": 10107},
    NamedError.TIME_EXCEEDED: {"errorCode": 50},
    NamedError.OUT_OF_DISK_SPACE: {"errorCode": 14031},
    NamedError.STALLED: {"blockConnection": True, "blockTimeMS": _STALL_MS},
    NamedError.IDLE_CALLS_ENDED: {"closeConnection": True},
    NamedError.CONCERN_FAILED: {"writeConcernError": {"code": 64, "errmsg": "on purpose"}},
    NamedError.CONCERN_SHUTTING_DOWN: {"writeConcernError": {"code": 91, "errmsg": "on purpose"}},
}


class FailingMongo:
    """A server behind a proxy: `uri` leads through it, `behind` straight to the server."""

    def __init__(self, uri: str, proxy: Proxy) -> None:
        self.uri = f"mongodb://127.0.0.1:{proxy.port}/?directConnection=true"
        self.behind = uri
        self._proxy = proxy

    @asynccontextmanager
    async def failing(self, error: NamedError, commands: Commands) -> AsyncIterator[None]:
        """Let each of these commands fail, until the end."""
        try:
            await self._begin(error, commands)
            yield
        finally:
            await self._configure({"mode": "off"})
            self._proxy.path().heal()
            if error is NamedError.ANSWER_LOST:
                self._proxy.cut()

    async def _begin(self, error: NamedError, commands: Commands) -> None:
        if error is NamedError.ANSWER_LOST:
            self._proxy.path().answers_lost = True
            return
        data = {"failCommands": list(commands), "appName": APPLICATION, **_FAILURES[error]}
        await self._configure({"mode": "alwaysOn", "data": data})

    async def _configure(self, how: dict[str, Any]) -> None:
        async with AsyncMongoClient[dict[str, Any]](self.behind) as client:
            await client.admin.command({"configureFailPoint": "failCommand", **how})


@contextmanager
def failing_mongo() -> Iterator[FailingMongo]:
    """Run a server of its own that takes such orders."""
    with mongo_server("--setParameter", "enableTestCommands=1") as server, Proxy(free_port(), server.port) as proxy:
        yield FailingMongo(server.uri, proxy)
