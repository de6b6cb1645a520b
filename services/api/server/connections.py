"""The connections of a server: how many there are, and which of them can be closed for a new one."""

from typing import Protocol

from services.api import metrics


class Waiting(Protocol):
    """A connection that waits for its client."""

    def make_room(self) -> None:
        """Close the connection at once."""


class Connections:
    """At most `limit` connections.

    When there are more, the one that has waited longest for its client is closed: for the rest of a request, for
    another one, or for its response to be read. A client that holds connections without using them takes its own, and
    not those of others.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._number = 0
        self._waiting: dict[Waiting, None] = {}  # in the order in which they began to wait

    def opened(self) -> bool:
        """Count a new connection; return whether it may stay."""
        self._number += 1
        metrics.CONNECTIONS.inc()
        if self._number <= self._limit:
            return True
        if not self._waiting:
            return False
        longest = next(iter(self._waiting))
        del self._waiting[longest]
        longest.make_room()
        return True

    def closed(self, connection: Waiting) -> None:
        self._number -= 1
        metrics.CONNECTIONS.dec()
        self._waiting.pop(connection, None)

    def waits(self, connection: Waiting) -> None:
        """Note that the connection has no request in progress, or cannot write because its client does not read."""
        self._waiting[connection] = None

    def works(self, connection: Waiting) -> None:
        """Note that a request is in progress: its head is complete, or its client reads on."""
        self._waiting.pop(connection, None)
