"""A replica set of three, each member behind a proxy that its clients and the other members come through.

The members know each other by their proxies, so that the driver connects through these. A proxy distinguishes
clients from members by the name that clients send: one kind can be cut off while the other goes on.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, ClassVar, Self

from pymongo import MongoClient
from pymongo.errors import PyMongoError

from deploy.local.ports import HOST, free_port, listens
from deploy.local.servers.mongod import REPLICA_SET, find_mongod
from deploy.local.servers.process import Server
from deploy.local.servers.proxy import Proxy
from tests.support.eventually import eventually_blocking, scaled

CLIENTS, MEMBERS = "clients", "members"
APPLICATION = "callfold"
"""The name that `shared.store.mongo.client` gives to the server."""

_TIMEOUT_MS = int(scaled(5_000))
_OPTIONS = (
    "--bind_ip", HOST,
    "--wiredTigerCacheSizeGB", "0.25",
    "--oplogSize", "512",
    "--quiet",
    "--nounixsocket",
    "--setParameter", "diagnosticDataCollectionEnabled=false",
    # For `configureFailPoint`.
    "--setParameter", "enableTestCommands=1",
)  # fmt: skip
# A primary that is gone is missed after two seconds, not after ten.
_SETTINGS = {"electionTimeoutMillis": 2_000, "heartbeatIntervalMillis": 500, "heartbeatTimeoutSecs": 2}


def _caller(first: bytes) -> str:
    return CLIENTS if APPLICATION.encode() in first else MEMBERS


class Member(Server):
    """One mongod; `proxy` is how all but this harness connect to it."""

    name: ClassVar[str] = "mongod"

    def __init__(self, folder: Path, port: int) -> None:
        super().__init__(folder, port)
        self.proxy = Proxy(free_port(), port, _caller)

    def prepare(self) -> None:
        (self.folder / "data").mkdir(parents=True, exist_ok=True)

    def command(self) -> list[str]:
        where = ["--port", str(self.port), "--dbpath", str(self.folder / "data")]
        return [find_mongod(), "--replSet", REPLICA_SET, *where, *_OPTIONS]

    def lacks(self) -> str | None:
        return None if listens(self.port) else f"nothing listens on {self.address}"

    @contextmanager
    def client(self) -> Iterator[MongoClient[dict[str, Any]]]:
        """Give a client of this member alone, past its proxy."""
        with MongoClient[dict[str, Any]](
            HOST, self.port, directConnection=True, serverSelectionTimeoutMS=_TIMEOUT_MS, timeoutMS=3 * _TIMEOUT_MS
        ) as client:
            yield client

    def is_primary(self) -> bool:
        """Return whether it takes writes; one that does not answer takes none."""
        try:
            with self.client() as client:
                return bool(client.admin.command("hello")["isWritablePrimary"])
        except PyMongoError:
            return False

    def step_down(self) -> None:
        """Let it be no primary any more, for a while; another one is elected."""
        with self.client() as client:
            client.admin.command("replSetStepDown", 5, secondaryCatchUpPeriodSecs=4, force=True)

    def fail(self, commands: Sequence[str], times: int, **failure: Any) -> None:
        """Let the next commands of our programs fail, as the failpoint `failCommand` has it."""
        what = {"failCommands": list(commands), "appName": APPLICATION, **failure}
        self._fail_point({"times": times}, what)

    def fail_no_more(self) -> None:
        self._fail_point("off", {})

    def _fail_point(self, mode: Any, data: Mapping[str, Any]) -> None:
        with self.client() as client:
            client.admin.command({"configureFailPoint": "failCommand", "mode": mode, "data": data})


class ReplicaSet:
    """Three members, ready and with a primary when it is entered."""

    def __init__(self, folder: Path) -> None:
        self.members = [Member(folder / f"mongod-{number}", free_port()) for number in range(3)]

    @property
    def uri(self) -> str:
        """The URI for clients, which come through the proxies."""
        return f"mongodb://{','.join(_outside(member) for member in self.members)}/?replicaSet={REPLICA_SET}"

    def primary(self) -> Member:
        """Return the primary, once there is one."""
        (found,) = eventually_blocking(lambda: [member for member in self.members if member.is_primary()][:1])
        return found

    def __enter__(self) -> Self:
        with ExitStack() as running:
            for member in self.members:
                running.enter_context(member.proxy)
                member.prepare()
                member.start()
                running.callback(member.kill)
            for member in self.members:
                member.wait_until_ready()
            self._initiate()
            self.primary()
            self._running = running.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self._running.close()

    def _initiate(self) -> None:
        hosts = [{"_id": number, "host": _outside(member)} for number, member in enumerate(self.members)]
        config = {"_id": REPLICA_SET, "version": 1, "members": hosts, "settings": _SETTINGS}
        with self.members[0].client() as client:
            client.admin.command("replSetInitiate", config)


def _outside(member: Member) -> str:
    return f"{HOST}:{member.proxy.port}"
