"""API keys in MongoDB: the collection `api_keys`."""

from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

from shared.store.models import ApiKey
from shared.store.mongo.client import Connection
from shared.store.mongo.errors import translated_errors


class MongoApiKeys:
    """Implements `ApiKeys`."""

    def __init__(self, connection: Connection) -> None:
        self._keys = connection.collection("api_keys")

    async def add(self, key: ApiKey) -> None:
        document = asdict(key)
        document["_id"] = document.pop("api_key")
        with translated_errors():
            await self._keys.insert_one(document)

    async def get(self, api_key: str) -> ApiKey | None:
        with translated_errors():
            found = await self._keys.find_one({"_id": api_key})
        return None if found is None else _key(found)

    async def list(self) -> Sequence[ApiKey]:
        with translated_errors():
            return [_key(found) async for found in self._keys.find().sort([("created_at", 1), ("_id", 1)])]

    async def revoke(self, api_key: str) -> bool:
        with translated_errors():
            await self._keys.update_one(
                {"_id": api_key, "revoked_at": None}, {"$set": {"revoked_at": datetime.now(UTC)}}
            )
            return await self._keys.find_one({"_id": api_key}, {"_id": 1}) is not None


def _key(document: dict[str, Any]) -> ApiKey:
    return ApiKey(api_key=document.pop("_id"), **document)
