"""Until when each partition is written, in MongoDB: the collection `watermarks`, one document for each partition."""

from collections.abc import Mapping

from bson.int64 import Int64
from pymongo import UpdateOne

from shared.store.models import Watermark
from shared.store.mongo.client import Collection as Documents
from shared.store.mongo.errors import translated_errors

_WELL_FORMED = {"until": {"$type": "number"}, "partitions": {"$type": "number", "$gte": 1}}
"""A document that someone edited into another shape says nothing of its partition."""


class MongoWatermarks:
    """Implements `Watermarks`."""

    _watermarks: Documents

    async def put_watermarks(self, untils: Mapping[int, int], partitions: int) -> None:
        writes = [_put(partition, until, partitions) for partition, until in untils.items()]
        if writes:
            with translated_errors():
                await self._watermarks.bulk_write(writes, ordered=False)

    async def watermarks(self) -> Mapping[int, Watermark]:
        with translated_errors():
            found = await self._watermarks.find(_WELL_FORMED).to_list(None)
        return {each["_id"]: Watermark(int(each["until"]), int(each["partitions"])) for each in found}


def _put(partition: int, until: int, partitions: int) -> UpdateOne:
    # Set, not raised to the maximum: offsets that were reset are read again, and the watermark goes back with them.
    written = {"until": Int64(until), "partitions": partitions}
    return UpdateOne({"_id": partition}, {"$set": written}, upsert=True)
