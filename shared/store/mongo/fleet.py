"""The settings of the fleet, in MongoDB: the one document of the collection `fleet`."""

from collections.abc import Mapping

from shared.store.mongo.client import Collection as Documents
from shared.store.mongo.errors import translated_errors

_ID = "settings"


class MongoFleet:
    """Implements `Fleet`."""

    _fleet: Documents

    async def put_fleet_settings(self, settings: Mapping[str, str]) -> None:
        with translated_errors():
            await self._fleet.replace_one({"_id": _ID}, dict(settings), upsert=True)

    async def fleet_settings(self) -> Mapping[str, str]:
        with translated_errors():
            found = await self._fleet.find_one({"_id": _ID})
        # What somebody edited into another type is another setting than any worker's, not an error.
        return {name: str(value) for name, value in (found or {}).items() if name != "_id"}
