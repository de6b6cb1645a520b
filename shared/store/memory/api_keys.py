"""API keys in memory."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime

from shared.store.models import ApiKey


class MemoryApiKeys:
    """Implements `ApiKeys`."""

    def __init__(self) -> None:
        self._keys: dict[str, ApiKey] = {}

    async def add(self, key: ApiKey) -> None:
        self._keys[key.api_key] = key

    async def get(self, api_key: str) -> ApiKey | None:
        return self._keys.get(api_key)

    async def list(self) -> Sequence[ApiKey]:
        return sorted(self._keys.values(), key=lambda key: key.created_at)

    async def revoke(self, api_key: str) -> bool:
        key = self._keys.get(api_key)
        if key is not None and key.revoked_at is None:
            self._keys[api_key] = replace(key, revoked_at=datetime.now(UTC))
        return key is not None
