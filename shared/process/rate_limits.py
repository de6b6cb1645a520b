"""Limits on how often something may happen, for each address or key.

The generic cell rate algorithm: all that is kept of a name is the moment at which its tokens are all back, so that a
cache of bounded size and with expiry holds it. The libraries for rate limits keep a list or a counter of each name
without a bound on the names, and a timer thread that looks through all of them.
"""

from collections.abc import Callable
from functools import lru_cache
from ipaddress import IPv6Address, ip_address, ip_network
from time import monotonic

from cachetools import TLRUCache

NAMES = 10_000
"""The names that were used last are remembered; a full bucket is forgotten."""

_IPV6_PREFIX = 64  # what a provider gives to one customer, at least


class RateLimit:
    """A bucket of `burst` tokens for each name, filled at `per_second`; `timer` returns seconds."""

    def __init__(self, per_second: float, burst: int, timer: Callable[[], float] = monotonic) -> None:
        self._interval = 1 / per_second
        self._slack = (burst - 1) * self._interval
        self._timer = timer
        self._full_at = TLRUCache[str, float](NAMES, lambda _name, full_at, _now: full_at, timer)

    def __len__(self) -> int:
        """How many names are remembered."""
        return len(self._full_at)

    def take(self, name: str) -> float:
        """Take a token and return 0; if there is none, return the seconds until there is one."""
        now = self._timer()
        full_at = self._full_at.get(name, now)
        wait = full_at - now - self._slack
        if wait > 0:
            return wait
        self._full_at[name] = full_at + self._interval
        return 0.0

    def give_back(self, name: str) -> None:
        """Put a token back that was taken for nothing."""
        full_at = self._full_at.get(name)
        if full_at is not None:
            self._full_at[name] = full_at - self._interval


@lru_cache(maxsize=1_000)
def network_of(host: str) -> str:
    """Return what counts as one client: an IPv4 address, or a network of IPv6, where one client has many addresses."""
    try:
        address = ip_address(host)
    except ValueError:  # a proxy forwarded something else
        return "unknown"
    if not isinstance(address, IPv6Address):
        return host
    if address.ipv4_mapped is not None:
        return str(address.ipv4_mapped)
    return str(ip_network((int(address), _IPV6_PREFIX), strict=False))
