"""Sessions of the console, in its memory: a restart ends them."""

import hmac
import secrets
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from time import monotonic

from cachetools import LRUCache, TLRUCache

from services.console.access.accounts import Account

MOST_SESSIONS = 10_000

MOST_OF_ACCOUNT = 20
"""One more ends the oldest: no account can end those of others."""

_MOST_SEEN = 1_000


@dataclass(slots=True)
class Session:
    """An account that has logged in, or that a trusted proxy names (`by_proxy`).

    `csrf` is in each of its forms, `ends_at` is a time of the sessions' timer, and `_seen` is what was opened lately.
    """

    account: Account
    ends_at: float
    by_proxy: bool = False
    csrf: str = field(default_factory=lambda: secrets.token_urlsafe(24))
    _seen: LRUCache[str, bool] = field(default_factory=lambda: LRUCache(_MOST_SEEN))

    def sent(self, token: str) -> bool:
        """Return whether a form came from a page of this session."""
        return hmac.compare_digest(self.csrf.encode(), token.encode())

    def opens(self, name: str, *, again: bool) -> bool:
        """Return whether this is to be logged: a page that asks for itself `again` is not, once it was."""
        is_known = name in self._seen
        self._seen[name] = True
        return not (again and is_known)


class Sessions:
    """Sessions by the random token that is their cookie; each ends when it is idle, and at the latest after `most`."""

    def __init__(self, idle: float, most: float, timer: Callable[[], float] = monotonic) -> None:
        """`idle` and `most` are seconds."""
        self._most = most
        self._timer = timer
        self._sessions = TLRUCache[str, Session](
            MOST_SESSIONS, lambda _token, session, now: min(now + idle, session.ends_at), timer
        )
        self._of_account: LRUCache[tuple[str, bool], deque[str]] = LRUCache(MOST_SESSIONS)

    def begin(self, account: Account, *, by_proxy: bool = False) -> tuple[str, Session]:
        """Return the token and the session of somebody who has logged in."""
        token, session = secrets.token_urlsafe(32), Session(account, self._timer() + self._most, by_proxy)
        tokens = self._of_account.setdefault((account.name, by_proxy), deque())
        tokens.append(token)
        while len(tokens) > MOST_OF_ACCOUNT:
            self.end(tokens.popleft())
        self._sessions[token] = session
        return token, session

    def of_proxy(self, account: Account) -> tuple[str, Session] | None:
        """Return the session that a proxy began for this account, None without one: its requests share one."""
        for token in self._of_account.get((account.name, True), ()):
            session = self._sessions.get(token)
            if session is not None and session.account == account:
                return token, session
        return None

    def get(self, token: str | None, *, at_work: bool = True) -> Session | None:
        """Return the session, None if there is none; somebody `at_work` lets it begin to be idle anew."""
        session = None if token is None else self._sessions.get(token)
        if token is not None and session is not None and at_work:
            self._sessions[token] = session
        return session

    def end(self, token: str) -> None:
        self._sessions.pop(token, None)
