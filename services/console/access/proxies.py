"""What a trusted proxy says of a request: who its client is, and whose account it is."""

from collections.abc import Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address

from starlette.requests import Request

_FORWARDED = "x-forwarded-for"
_MOST_NAME = 100

Network = IPv4Network | IPv6Network


class Proxies:
    """The proxies of some networks; what anybody else sends in their headers does not count."""

    def __init__(self, networks: Sequence[Network], header: str | None) -> None:
        """`header` names the account; None: no header does."""
        self._networks = networks
        self._header = header

    def client(self, request: Request) -> str:
        """Return the address of the client: behind trusted proxies, what the first of them was asked by."""
        address = _peer(request)
        for before in reversed(_forwarded(request)):
            if not self._trusts(address):
                break
            address = before
        return address

    def account(self, request: Request) -> str | None:
        """Return the name that a trusted proxy gives, None without one, or with several."""
        if self._header is None or not self._trusts(_peer(request)):
            return None
        named = request.headers.getlist(self._header)
        return named[0] if len(named) == 1 and 0 < len(named[0]) <= _MOST_NAME else None

    def _trusts(self, text: str) -> bool:
        address = _address(text)
        return address is not None and any(address in network for network in self._networks)


def _peer(request: Request) -> str:
    return request.client.host if request.client else ""


def _forwarded(request: Request) -> list[str]:
    return [part.strip() for part in ",".join(request.headers.getlist(_FORWARDED)).split(",") if part.strip()]


def _address(text: str) -> IPv4Address | IPv6Address | None:
    try:
        found = ip_address(text)
    except ValueError:
        return None
    mapped = found.ipv4_mapped if isinstance(found, IPv6Address) else None
    return mapped or found
