"""The choice of MongoDB's driver, and the options that no URI may change.

Motor is the default; it gets critical fixes only until May 2027. PyMongo's own asynchronous client has the same
methods, as far as they are used here (docs/decisions/0005).
"""

from datetime import UTC, datetime
from typing import Any, Literal

from bson.codec_options import CodecOptions
from motor.motor_asyncio import AsyncIOMotorClient
from pymongo import AsyncMongoClient, ReadPreference, WriteConcern
from pymongo.errors import PyMongoError
from pymongo.read_concern import ReadConcern

from shared.config.mongo_access import MongoAccess

Driver = Literal["motor", "pymongo"]

# Motor's objects carry no types, and PyMongo's differ from them by name only.
Collection = Any


class InvalidMongoUri(ValueError):
    """The URI is invalid; the message names the variable."""


class Connection:
    """A client of one database; connects at its first use, and must be created in the event loop that uses it."""

    def __init__(
        self, access: MongoAccess, database: str, *, driver: Driver = "motor", timeout_ms: int = 30_000
    ) -> None:
        """`timeout_ms` bounds every operation, retries and the search for a primary included.

        Raises:
            InvalidMongoUri: the driver cannot use the URI.
        """
        client = AsyncIOMotorClient if driver == "motor" else AsyncMongoClient
        try:
            self._client: Any = client(
                access.uri,
                **access.options(),
                timeoutMS=timeout_ms,
                serverSelectionTimeoutMS=timeout_ms,
                connectTimeoutMS=min(timeout_ms, 5_000),
                appname="callfold",
                connect=False,
            )
        except (PyMongoError, ValueError) as error:
            # Without the driver's message, which may quote the URI and so a password.
            needed = "mongodb://host[:port]/?replicaSet=name"
            raise InvalidMongoUri(
                f"CALLFOLD_MONGO_URI is wrong ({type(error).__name__}): it must be {needed}"
            ) from error
        self._database = self._client.get_database(
            database,
            codec_options=CodecOptions(tz_aware=True, tzinfo=UTC),
            read_preference=ReadPreference.PRIMARY,
            write_concern=WriteConcern("majority"),
            read_concern=ReadConcern("majority"),
        )

    def collection(self, name: str) -> Collection:
        """Return a collection that is read and written with `majority`, on the primary."""
        return self._database[name]

    async def ping(self) -> None:
        """Return when the primary answers."""
        await self._database.command("ping")

    async def now(self) -> int:
        """Return what the primary's clock shows (Unix milliseconds)."""
        shown: datetime = (await self._database.command("hello"))["localTime"]
        return round(shown.timestamp() * 1000)

    async def drop(self) -> None:
        """Drop the whole database: for tests."""
        await self._client.drop_database(self._database.name)

    async def close(self) -> None:
        closed = self._client.close()
        if closed is not None:  # Motor closes at once, PyMongo's client returns a coroutine
            await closed
