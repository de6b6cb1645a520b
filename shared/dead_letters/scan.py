"""The scan of the dead letters before a replay: how many are selected, and which were refused again since."""

from dataclasses import dataclass

from shared.dead_letters import reader
from shared.dead_letters.errors import TooManyDeadLetters
from shared.dead_letters.reader import OffsetRanges, Report
from shared.dead_letters.selection import Selection
from shared.kafka.access import KafkaAccess


class OffsetSet:
    """A set of offsets of the topic, one bit each: millions of names would not fit into memory."""

    def __init__(self, ranges: OffsetRanges) -> None:
        self._bits = {
            part.partition: (first, bytearray((end - first) // 8 + 1)) for part, (first, end) in ranges.items()
        }

    def add(self, name: str) -> None:
        """Add the offset that `partition:offset` names; ignore one outside the ranges."""
        partition, offset = map(int, name.split(":"))
        first, bits = self._bits.get(partition, (0, bytearray()))
        if 0 <= (number := offset - first) < 8 * len(bits):
            bits[number // 8] |= 1 << number % 8

    def __contains__(self, partition_and_offset: tuple[int, int]) -> bool:
        partition, offset = partition_and_offset
        first, bits = self._bits.get(partition, (0, bytearray()))
        number = offset - first
        return 0 <= number < 8 * len(bits) and bool(bits[number // 8] & 1 << number % 8)


@dataclass(frozen=True, slots=True)
class Scan:
    """The topic as it was: its offset ranges, how many dead letters are selected, and those that have a later one.

    `seen` are those that had a later one when somebody looked at what the replay would do: to name one of them can send
    it all the same. None: to name any one can.
    """

    ranges: OffsetRanges
    selected: int
    replaced: OffsetSet
    seen: OffsetSet | None = None

    @property
    def total(self) -> int:
        """How many there are to be read, selected or not."""
        return sum(end - first for first, end in self.ranges.values())


async def scan(
    kafka: KafkaAccess, topic: str, selection: Selection, report: Report, *, most: int | None = None
) -> Scan:
    """Read the topic to its present end: a record that was refused again comes after its first dead letter.

    Raises:
        TooManyDeadLetters: there are more than `most` to be read.
        NoSuchDeadLetter: the selection names a dead letter that does not exist.
        InvalidNumber, AmbiguousNumber: the selection names one that is no number.
        KafkaUnavailable: Kafka does not answer.
    """
    async with reader.opened(kafka, topic, since=selection.since) as opened:
        if most is not None and opened.total > most:
            raise TooManyDeadLetters(opened.total)
        replaced = OffsetSet(opened.ranges)
        for number in selection.numbers:
            await opened.get(number)
        selected = len(selection.numbers)
        async for letter in opened.all(report):
            if letter.replayed_from is not None:
                replaced.add(letter.replayed_from)
            if not selection.numbers and selection.in_time(letter.record.timestamp):
                selected += selection.includes(letter)
    return Scan(opened.ranges, selected, replaced)
