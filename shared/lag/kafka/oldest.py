"""The oldest record of each partition that a group has not committed, read from the broker only when it is another."""

from collections.abc import Iterable, Mapping
from dataclasses import replace

from aiokafka.protocol.fetch import FetchRequest

from shared.kafka.brokers import Brokers
from shared.lag.kafka.batches import Found, Nothing, first_record
from shared.lag.kafka.offsets import Part, by_topic

_SMALL_BYTES = 16 * 1024
_LARGE_BYTES = 2 * 1024 * 1024
"""More than the largest batch of an input topic: a broker returns no part of one, but the first batch of a request."""

_MOST_BYTES = 4 * 1024 * 1024
_MOST_FETCHES = 4
_GROWTH = 4
_COMMITTED = 1
_WITH_REPLICA = 11
"""From this version on a fetch response has one more field of a partition: the replica to prefer."""


class OldestRecords:
    """Finds and remembers the first record after the committed offset of each partition."""

    def __init__(self, brokers: Brokers) -> None:
        self._brokers = brokers
        self._known: dict[Part, Found | Nothing] = {}
        self._room: dict[Part, int] = {}

    async def find(self, leader: int, wanted: Mapping[Part, tuple[int, int]], errors: dict[Part, int]) -> None:
        """Read what is not known of the partitions of a leader: the first record of each in its range of offsets.

        Gives up after a few fetches, and continues there the next time. Writes the error codes of the broker.

        Raises:
            one of `NOT_ANSWERED`
        """
        for _ in range(_MOST_FETCHES):
            missing = {
                part: (at, end)
                for part, (position, end) in wanted.items()
                if part not in errors and (at := self._from(part, position, end)) is not None
            }
            if not missing:
                return
            await self._fetch(leader, missing, errors)

    def known(self, part: Part, position: int, end: int) -> Found | Nothing:
        """Return what is known of the range: that it is empty up to a certain offset, or its first record."""
        match self._known.get(part):
            case Found(since=since, offset=offset) as found if since <= position <= offset:
                return found if offset < end else Nothing(position, end)
            case Found(offset=offset, until=until) as found if offset < position <= until:
                return Found(position, position, found.timestamp, until, found.broker_clock)
            case Nothing(since=since, until=until) if since <= position <= until:
                return Nothing(position, min(until, end))
        return Nothing(position, position)

    def forget(self, part: Part) -> None:
        """Forget what is known of a partition that is another now, as when its topic was made anew."""
        self._known.pop(part, None)

    def _from(self, part: Part, position: int, end: int) -> int | None:
        """Return the offset from which the range is to be read, None if its first record is known, or it has none."""
        match self.known(part, position, end):
            case Nothing(until=until) if until < end:
                return until
        return None

    async def _fetch(self, leader: int, missing: Mapping[Part, tuple[int, int]], errors: dict[Part, int]) -> None:
        topics = [
            (topic, [(number, missing[topic, number][0], self._space((topic, number))) for number in numbers])
            for topic, numbers in by_topic(missing)
        ]
        response = await self._brokers.ask(leader, FetchRequest(0, 0, _MOST_BYTES, _COMMITTED, topics))
        aborted = -3 if response.API_VERSION >= _WITH_REPLICA else -2
        for topic, partitions in response.topics or ():
            for fields in partitions:
                part, code, data = (topic, fields[0]), fields[1], fields[-1]
                if code:
                    errors[part] = code
                else:
                    self._learn(part, *missing[part], data or b"", fields[aborted] or ())

    def _space(self, part: Part) -> int:
        return self._room.get(part, _SMALL_BYTES)

    def _learn(self, part: Part, at: int, end: int, data: bytes, aborted: Iterable[tuple[int, int]]) -> None:
        found = first_record(data, at, end, tuple(aborted))
        if isinstance(found, Nothing) and found.until == at:
            self._room[part] = _LARGE_BYTES
            return
        before = self._known.get(part)
        since = before.since if isinstance(before, Nothing) and before.until == at else at
        self._known[part] = replace(found, since=since)
        # Thousands of aborted records are read in a few fetches.
        more = isinstance(found, Nothing) and found.until < end
        self._room[part] = min(self._space(part) * _GROWTH, _LARGE_BYTES) if more else _SMALL_BYTES
