"""A write of its own in MongoDB: the one document of the collection `write_probe`."""

from shared.store.mongo.client import Connection
from shared.store.mongo.errors import translated_errors

_ID = "monitor"


class MongoWriteProbe:
    """Implements `WriteProbe`."""

    def __init__(self, connection: Connection) -> None:
        self._probes = connection.collection("write_probe")

    async def write(self) -> None:
        with translated_errors():
            # An update that changes nothing would not be written to a majority.
            await self._probes.update_one({"_id": _ID}, {"$inc": {"writes": 1}}, upsert=True)
