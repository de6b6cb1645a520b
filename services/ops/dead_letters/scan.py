"""Looking through the dead letters before any is sent back: how many are meant, and which have a later one instead."""

from dataclasses import dataclass

from services.ops.dead_letters import reader
from services.ops.dead_letters.reader import Report, Spans
from services.ops.dead_letters.selection import Selection
from services.ops.settings import OpsSettings


class Places:
    """Some of the topic's offsets, a bit for each that there is: all their names might not fit into memory."""

    def __init__(self, spans: Spans) -> None:
        self._bits = {
            part.partition: (first, bytearray((end - first) // 8 + 1)) for part, (first, end) in spans.items()
        }

    def add(self, place: str) -> None:
        """Take in what `partition:offset` names; nothing, where the topic has no such place."""
        partition, offset = map(int, place.split(":"))
        first, bits = self._bits.get(partition, (0, bytearray()))
        if 0 <= (number := offset - first) < 8 * len(bits):
            bits[number // 8] |= 1 << number % 8

    def __contains__(self, place: tuple[int, int]) -> bool:
        """Tell whether this partition's offset was taken in."""
        partition, offset = place
        first, bits = self._bits.get(partition, (0, bytearray()))
        number = offset - first
        return 0 <= number < 8 * len(bits) and bool(bits[number // 8] & 1 << number % 8)


@dataclass(frozen=True, slots=True)
class Survey:
    """The topic as it was: what is read of it, how many dead letters are meant, and those that have a later one."""

    spans: Spans
    meant: int
    replaced: Places

    @property
    def total(self) -> int:
        """How many there are to be read, meant or not."""
        return sum(end - first for first, end in self.spans.values())


async def survey(settings: OpsSettings, selection: Selection, report: Report) -> Survey:
    """Read the topic up to its present end: what was refused again lies behind what it had been refused as before.

    Raises:
        CommandError: Kafka does not answer, or a dead letter that is named is not there.
    """
    async with reader.opened(settings, since=selection.since) as topic:
        replaced = Places(topic.spans)
        meant = 0
        for number in selection.numbers:
            await topic.record(number)
            meant += 1
        async for record, letter in topic.all(report):
            if letter.replayed_from is not None:
                replaced.add(letter.replayed_from)
            if not selection.numbers and selection.in_time(record.timestamp):
                meant += selection.includes(letter.reason, letter.call, letter.source)
    return Survey(topic.spans, meant, replaced)
