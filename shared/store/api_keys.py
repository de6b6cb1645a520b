"""API keys: who may read, and for which organization. The secret itself is nowhere."""

import hashlib
import hmac
import secrets
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Protocol

_SECRET_BYTES = 32
_KEY_BYTES = 12


@dataclass(frozen=True, slots=True)
class ApiKey:
    """A key of an organization; `digest` is the HMAC-SHA-256 of its secret under the pepper, in hexadecimal."""

    api_key: str
    organization_id: str
    digest: str
    created_at: datetime
    name: str | None = None
    revoked_at: datetime | None = None


class ApiKeys(Protocol):
    """Where the keys are kept. Any method raises `StoreUnavailable` where that does not answer."""

    async def add(self, key: ApiKey) -> None:
        """Keep a new key."""

    async def get(self, api_key: str) -> ApiKey | None:
        """Return a key, revoked or not, or None."""

    async def list(self) -> Sequence[ApiKey]:
        """Return all keys, the oldest first."""

    async def revoke(self, api_key: str) -> bool:
        """Revoke a key; False if there is none. Revoked twice is revoked once."""


class MemoryApiKeys:
    """Keeps to the port, in memory."""

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


def new_key(organization_id: str, pepper: bytes, name: str | None = None) -> tuple[ApiKey, str]:
    """Return a new key and its secret, which cannot be had again."""
    secret = secrets.token_urlsafe(_SECRET_BYTES)
    api_key = f"cf_{secrets.token_hex(_KEY_BYTES)}"
    return ApiKey(api_key, organization_id, digest(secret, pepper), _now(), name), secret


def digest(secret: str, pepper: bytes) -> str:
    """Return what is kept of a secret. It has 256 random bits, so that no slow hash is needed against guessing."""
    return hmac.new(pepper, secret.encode(), hashlib.sha256).hexdigest()


def opens(key: ApiKey | None, secret: str, pepper: bytes) -> bool:
    """Tell whether the secret is that of the key and the key still holds; takes as long for a key that is not there."""
    expected = key.digest if key is not None else digest("", pepper)
    same = hmac.compare_digest(expected, digest(secret, pepper))
    return same and key is not None and key.revoked_at is None


def _now() -> datetime:
    return datetime.now(UTC).replace(microsecond=0)
