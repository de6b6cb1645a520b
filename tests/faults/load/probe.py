"""How long an accepted event is not readable: polls for notes until they are in the record."""

import asyncio
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass

from tests.faults.load.workload import Sent
from tests.support.api.server import ApiReader

_LOOK_SECONDS = 0.25


@dataclass(frozen=True, slots=True, order=True)
class Unread:
    """Seconds from the acceptance of a note until it was readable, and when it was accepted after the start."""

    seconds: float
    accepted: float


class Probe:
    """Reads the calls with notes that are accepted and not yet readable."""

    def __init__(self, reader: ApiReader, clock: Callable[[], float]) -> None:
        """`clock` returns the seconds since the start."""
        self._reader = reader
        self._clock = clock
        self._outstanding: defaultdict[str, dict[str, float]] = defaultdict(dict)
        self.unread: list[Unread] = []

    def accepted(self, record: Sent) -> None:
        if record.probe and record.event is not None:
            call = f"{record.event['organizationid']}/{record.event['subject']}"
            self._outstanding[call][record.event["data"]["event"]] = self._clock()

    @property
    def unseen(self) -> int:
        """The number of notes that are not yet readable."""
        return sum(map(len, self._outstanding.values()))

    async def run(self) -> None:
        """Poll until cancelled."""
        while True:
            await asyncio.gather(*(self._look(call) for call, notes in self._outstanding.items() if notes))
            await asyncio.sleep(_LOOK_SECONDS)

    async def _look(self, call: str) -> None:
        found = await self._reader.read(call)
        seen = {entry["event"] for entry in found[0]["events"]} if found else set()
        now = self._clock()
        for note in seen & self._outstanding[call].keys():
            accepted = self._outstanding[call].pop(note)
            self.unread.append(Unread(now - accepted, accepted))
