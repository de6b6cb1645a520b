"""Who asks: an API key and its secret name an organization.

What is known of keys is remembered for a moment: a busy key then costs one read in a few seconds, and a revoked one
stops soon. Keys that do not exist are remembered in the same way, so that they take no longer than those whose secret
is wrong. They have a place of their own: however many are tried, they push no real key out, and each costs one read
by `_id` that finds nothing, which is the least there is.
"""

import asyncio
from collections.abc import Callable, Mapping
from time import monotonic
from typing import NamedTuple

from cachetools import TLRUCache

from services.api.errors import unauthorized
from shared.store.api_keys import digest, opens
from shared.store.models import ApiKey
from shared.store.ports import ApiKeys

KEY_HEADER = "X-API-KEY"
SECRET_HEADER = "X-API-SECRET"  # noqa: S105 - the header's name

REMEMBERED_SECONDS = 3.0
"""A revoked key stops within this and the one request that is under way."""

REMEMBERED_KEYS = 10_000


class _Looked(NamedTuple):
    """What the store said of a key, None for a key that it does not hold, when it was asked at `asked_at`."""

    key: ApiKey | None
    asked_at: float


def _forgotten_at(_name: str, looked: _Looked, _now: float) -> float:
    # From when the store was asked, not from when it answered: it may have been revoked in between.
    return looked.asked_at + REMEMBERED_SECONDS


class Authentication:
    """Finds the organization of a request; `timer` gives seconds, `patience` is for one look into the store."""

    def __init__(self, keys: ApiKeys, pepper: bytes, patience: float, timer: Callable[[], float] = monotonic) -> None:
        self._keys = keys
        self._pepper = pepper
        self._patience = patience
        self._timer = timer
        self._known = TLRUCache[str, _Looked](REMEMBERED_KEYS, _forgotten_at, timer)
        self._unknown = TLRUCache[str, _Looked](REMEMBERED_KEYS, _forgotten_at, timer)
        self._looks: dict[str, asyncio.Task[ApiKey | None]] = {}

    async def organization(self, headers: Mapping[str, str]) -> str:
        """Return the id of the organization whose key and secret the headers carry.

        Raises:
            Refused: one of them is missing or wrong, or the key is revoked (401).
            StoreUnavailable, TimeoutError: the store does not say.
        """
        api_key, secret = headers.get(KEY_HEADER), headers.get(SECRET_HEADER)
        if not api_key or not secret:
            raise unauthorized()
        key = await self._find(api_key)
        if not opens(key, secret, self._pepper) or key is None:
            raise unauthorized()
        return key.organization_id

    async def _find(self, api_key: str) -> ApiKey | None:
        """Return the key as it was a moment ago; many who ask at once cost one look."""
        name = digest(api_key, self._pepper)  # somebody may have sent their secret as the key
        known, unknown = self._known.get(name), self._unknown.get(name)
        if looked := known or unknown:
            return looked.key
        look = self._looks.get(name)
        if look is None:
            look = self._looks[name] = asyncio.create_task(self._look(name, api_key))
            look.add_done_callback(lambda done: self._end(name, done))
        # Shielded: others wait for it too.
        return await asyncio.shield(look)

    async def _look(self, name: str, api_key: str) -> ApiKey | None:
        asked_at = self._timer()
        async with asyncio.timeout(self._patience):
            key = await self._keys.get(api_key)
        (self._unknown if key is None else self._known)[name] = _Looked(key, asked_at)
        return key

    def _end(self, name: str, look: asyncio.Task[ApiKey | None]) -> None:
        del self._looks[name]
        if not look.cancelled():
            look.exception()  # seen, even if nobody waits any longer: asyncio would complain
