"""Authentication: an API key and its secret name an organization.

Look-ups of keys are cached for a few seconds: a busy key costs one read in that time, and a revoked key stops soon.
Keys that do not exist are cached too, so that they take as long as keys with a wrong secret. Their cache is separate:
however many of them are tried, no real key is evicted, and each costs one read by `_id`.
"""

import asyncio
from collections.abc import Callable, Mapping
from time import monotonic
from typing import NamedTuple

from cachetools import TLRUCache

from services.api.errors import unauthorized
from shared.process.single_flight import SingleFlight
from shared.store.api_keys import digest, opens
from shared.store.models import ApiKey
from shared.store.ports import ApiKeys

KEY_HEADER = "X-API-KEY"
SECRET_HEADER = "X-API-SECRET"  # noqa: S105 - the header's name

CACHE_SECONDS = 3.0
"""A revoked key is rejected after this time, at the latest."""

CACHED_KEYS = 10_000


class _LookUp(NamedTuple):
    """The key as the store had it at `read_at`, None if there is none."""

    key: ApiKey | None
    read_at: float


def _expires_at(_digest: str, found: _LookUp, _now: float) -> float:
    # From the start of the read, not from its end: the key may have been revoked in between.
    return found.read_at + CACHE_SECONDS


class Authentication:
    """Finds the organization of a request. `timeout` (seconds) limits one look-up; `timer` returns seconds."""

    def __init__(self, keys: ApiKeys, pepper: bytes, timeout: float, timer: Callable[[], float] = monotonic) -> None:
        self._keys = keys
        self._pepper = pepper
        self._timeout = timeout
        self._timer = timer
        self._known = TLRUCache[str, _LookUp](CACHED_KEYS, _expires_at, timer)
        self._unknown = TLRUCache[str, _LookUp](CACHED_KEYS, _expires_at, timer)
        self._look_ups = SingleFlight(self._look_up)

    async def organization(self, headers: Mapping[str, str]) -> str:
        """Return the id of the organization whose key and secret are in the headers.

        Raises:
            ApiError: one of them is missing or wrong, or the key is revoked (401).
            StoreUnavailable, TimeoutError: the store does not answer.
        """
        api_key, secret = headers.get(KEY_HEADER), headers.get(SECRET_HEADER)
        if not api_key or not secret:
            raise unauthorized()
        found = self._cached(api_key)
        key = found.key if found else await self._look_ups.get(api_key)
        if not opens(key, secret, self._pepper) or key is None:
            raise unauthorized()
        return key.organization_id

    def _cached(self, api_key: str) -> _LookUp | None:
        name = self._digest(api_key)
        known: _LookUp | None = self._known.get(name)
        return known or self._unknown.get(name)

    def _digest(self, api_key: str) -> str:
        return digest(api_key, self._pepper)  # a client may have sent its secret as the key: do not keep it

    async def _look_up(self, api_key: str) -> ApiKey | None:
        # A request that came during the previous look-up uses that one's result.
        if found := self._cached(api_key):
            return found.key
        read_at = self._timer()
        async with asyncio.timeout(self._timeout):
            key = await self._keys.get(api_key)
        (self._unknown if key is None else self._known)[self._digest(api_key)] = _LookUp(key, read_at)
        return key
