"""One end of a call or of a leg."""

from typing import NamedTuple

from shared.contract.decode_event import Event

SAME_MS = 5_000
"""Moments of one end as two sources state it lie at most so far apart."""


class End(NamedTuple):
    """An end and its moment: the `end_timestamp` that it states, else its event's time (Unix milliseconds).

    `stated` is that `end_timestamp`, None where it states none or one before the session's start.
    """

    event: Event
    stated: int | None
    leg: str | None
    inferred: bool

    @property
    def moment(self) -> int:
        return self.event.time if self.stated is None else self.stated

    @property
    def source(self) -> str:
        return self.event.ordering_key.source
