"""Where pages of calls start, in addresses that give a viewer no more of a call's id than the page does."""

import secrets
from hashlib import blake2b

from cachetools import TTLCache

from services.console.access.accounts import Role
from services.console.access.ids import id_for
from shared.store.models import RecentCall

_MOST_KEPT = 10_000
_KEPT_SECONDS = 12 * 3_600.0


class Cursors:
    """Names calls by tokens where an account may not see all of their ids, in memory.

    A token that is no longer known stands for no call: the list goes on at the same arrival all the same.
    """

    def __init__(self) -> None:
        self._key = secrets.token_bytes(32)
        self._calls: TTLCache[str, str] = TTLCache(_MOST_KEPT, _KEPT_SECONDS)

    def shown(self, role: Role, after: RecentCall | None) -> RecentCall | None:
        """Return the start of a page as its address has it."""
        if after is None or id_for(role, after.call) == after.call:
            return after
        token = blake2b(after.call.encode(), key=self._key, digest_size=16).hexdigest()
        self._calls[token] = after.call
        return after._replace(call=token)

    def known(self, after: RecentCall | None) -> RecentCall | None:
        """Return the start of a page that an address has."""
        return after and after._replace(call=self._calls.get(after.call, after.call))
