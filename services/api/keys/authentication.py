"""Authentication: an API key and its secret name an organization.

A pair of key and secret that was accepted is not looked up again for a few seconds: a busy reader costs one read in
that time, and a revoked key stops soon. A pair that is rejected costs a read each time, whether its key exists or not,
so that the time does not show which keys exist.

Rejections are limited for each client address: each look-up takes a token, and gives it back unless the pair is
rejected. A pair that was accepted lately passes however many others fail behind the same address, so that a proxy, or a
network with one address, does not lock its working readers out.
"""

import asyncio
import secrets
from collections.abc import Callable, Iterable
from enum import StrEnum
from hashlib import blake2b
from time import monotonic
from typing import NamedTuple

from cachetools import TLRUCache, TTLCache

from services.api import metrics
from services.api.errors import ApiError, different_keys, too_many_rejections, too_many_requests, unauthorized
from shared.process.rate_limits import RateLimit, network_of
from shared.process.single_flight import SingleFlight
from shared.store.api_keys import opens
from shared.store.ports import ApiKeys

KEY_HEADER = "X-API-KEY"
SECRET_HEADER = "X-API-SECRET"  # noqa: S105 - the header's name

CACHE_SECONDS = 3.0
"""A revoked key is rejected after this time, at the latest."""

PROVEN_SECONDS = 3_600.0
"""So long after its last look-up an accepted pair passes the limit of its address."""

CACHED_PAIRS = 10_000

_KEY, _SECRET = KEY_HEADER.lower().encode(), SECRET_HEADER.lower().encode()
_BLANKS = b" \t"  # optional whitespace around a header's value (RFC 9110, 5.5); the server leaves what follows it
_SEPARATOR = "\n"  # no header holds one
_ID_LENGTH = len("cf_01234567")

Headers = Iterable[tuple[bytes, bytes]]


class Rejection(StrEnum):
    """Why no caller is known of a request, as the metrics count it."""

    MISSING = "missing"
    AMBIGUOUS = "ambiguous"
    WRONG = "wrong"
    TOO_MANY = "too_many_rejections"


class Caller(NamedTuple):
    """Whose key a request carries; `key_id` is the beginning of the key, enough to find it among the keys."""

    organization_id: str
    key_id: str


class _Accepted(NamedTuple):
    """Who the pair's owner was at `read_at`."""

    caller: Caller
    read_at: float


class Limits(NamedTuple):
    """Rejections of each client address, and requests with each key; None for no limit."""

    rejections: RateLimit | None = None
    requests: RateLimit | None = None


def _expires_at(_pair: bytes, found: _Accepted, _now: float) -> float:
    # From the start of the read, not from its end: the key may have been revoked in between.
    return found.read_at + CACHE_SECONDS


class Authentication:
    """Finds the caller of a request. `timeout` (seconds) limits one look-up; `timer` returns seconds."""

    def __init__(
        self,
        keys: ApiKeys,
        pepper: bytes,
        timeout: float,
        limits: Limits = Limits(),  # noqa: B008 - a constant
        timer: Callable[[], float] = monotonic,
    ) -> None:
        self._keys = keys
        self._pepper = pepper
        self._timeout = timeout
        self._limits = limits
        self._timer = timer
        self._salt = secrets.token_bytes(32)
        self._accepted = TLRUCache[bytes, _Accepted](CACHED_PAIRS, _expires_at, timer)
        self._proven = TTLCache[bytes, bool](CACHED_PAIRS, PROVEN_SECONDS, timer)
        self._look_ups = SingleFlight(self._look_up)

    async def caller(self, headers: Headers, address: str) -> Caller:
        """Return the owner of the key and secret in the headers; `address` is the client's.

        Raises:
            ApiError: one of them is missing or wrong, or the key is revoked (401); there are two different ones (400);
                too many keys were rejected from the address (429).
            StoreUnavailable, TimeoutError: the store does not answer.
        """
        pair = _pair(headers)
        found = self._accepted.get(self._name(pair))
        try:
            caller = found.caller if found else await self._look_ups.get(network_of(address) + _SEPARATOR + pair)
        except ApiError as too_many:
            raise _counted(Rejection.TOO_MANY, too_many) from None
        if caller is None:
            raise _counted(Rejection.WRONG, unauthorized())
        return caller

    def check_rate(self, caller: Caller) -> None:
        """Count a request with the caller's key.

        Raises:
            ApiError: there were too many (429).
        """
        requests = self._limits.requests
        if requests is not None and (wait := requests.take(caller.key_id)):
            raise too_many_requests(wait)

    async def _look_up(self, network_and_pair: str) -> Caller | None:
        network, _, pair = network_and_pair.partition(_SEPARATOR)
        name = self._name(pair)
        # A request that came during the previous look-up uses that one's result.
        if found := self._accepted.get(name):
            return found.caller
        limit = self._limits.rejections
        wait = 0.0 if limit is None else limit.take(network)
        if wait and name not in self._proven:
            raise too_many_rejections(wait)
        rejected = False
        try:
            # The token is taken before the wait: any number of look-ups may be under way at once.
            caller = await self._read(pair, name)
            rejected = caller is None
        finally:
            if limit is not None and not wait and not rejected:
                limit.give_back(network)
        return caller

    async def _read(self, pair: str, name: bytes) -> Caller | None:
        read_at = self._timer()
        api_key, _, secret = pair.partition(_SEPARATOR)
        async with asyncio.timeout(self._timeout):
            key = await self._keys.get(api_key)
        if not opens(key, secret, self._pepper) or key is None:
            self._proven.pop(name, None)
            return None
        caller = Caller(key.organization_id, key.api_key[:_ID_LENGTH])
        self._accepted[name] = _Accepted(caller, read_at)
        self._proven[name] = True
        return caller

    def _name(self, pair: str) -> bytes:
        return blake2b(pair.encode(), key=self._salt, digest_size=16).digest()  # secrets are not kept


def _pair(headers: Headers) -> str:
    """Return key and secret, one after the other.

    Raises:
        ApiError: one is missing (401), or there are two different ones (400).
    """
    api_key = secret = None
    for name, value in headers:
        if name == _KEY:
            api_key = _only(value, api_key)
        elif name == _SECRET:
            secret = _only(value, secret)
    if not api_key or not secret:
        raise _counted(Rejection.MISSING, unauthorized())
    return api_key.decode("latin-1") + _SEPARATOR + secret.decode("latin-1")


def _only(value: bytes, before: bytes | None) -> bytes:
    value = value.strip(_BLANKS)
    if before is not None and before != value:
        raise _counted(Rejection.AMBIGUOUS, different_keys())
    return value


def _counted(reason: Rejection, error: ApiError) -> ApiError:
    metrics.REJECTED_KEYS.labels(reason).inc()
    return error
