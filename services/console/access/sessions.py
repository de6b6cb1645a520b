"""Sessions of the console, in its memory: a restart ends them."""

import hmac
import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from time import monotonic

from cachetools import TLRUCache

from services.console.access.accounts import Account

MOST_SESSIONS = 10_000


@dataclass(slots=True)
class Session:
    """An account that has logged in, or that a trusted proxy names (`by_proxy`).

    `csrf` is in each of its forms, and `ends_at` is a time of the sessions' timer.
    """

    account: Account
    ends_at: float
    by_proxy: bool = False
    csrf: str = field(default_factory=lambda: secrets.token_urlsafe(24))

    def sent(self, token: str) -> bool:
        """Return whether a form came from a page of this session."""
        return hmac.compare_digest(self.csrf.encode(), token.encode())


class Sessions:
    """Sessions by the random token that is their cookie; each ends when it is idle, and at the latest after `most`."""

    def __init__(self, idle: float, most: float, timer: Callable[[], float] = monotonic) -> None:
        """`idle` and `most` are seconds."""
        self._most = most
        self._timer = timer
        self._sessions = TLRUCache[str, Session](
            MOST_SESSIONS, lambda _token, session, now: min(now + idle, session.ends_at), timer
        )

    def begin(self, account: Account, *, by_proxy: bool = False) -> tuple[str, Session]:
        """Return the token and the session of somebody who has logged in."""
        token, session = secrets.token_urlsafe(32), Session(account, self._timer() + self._most, by_proxy)
        self._sessions[token] = session
        return token, session

    def get(self, token: str | None, *, at_work: bool = True) -> Session | None:
        """Return the session, None if there is none; somebody `at_work` lets it begin to be idle anew."""
        session = None if token is None else self._sessions.get(token)
        if token is not None and session is not None and at_work:
            self._sessions[token] = session
        return session

    def end(self, token: str) -> None:
        self._sessions.pop(token, None)
