"""Records that are passed over without being read: their offsets, and why."""

from dataclasses import dataclass

from shared.contract.event import InvalidEvent
from shared.contract.modes import Headers

_UNKNOWN = -1


@dataclass(slots=True)
class UnreadRecords:
    """Takes the place of consecutive records of one partition: those of a producer's batch, or a single one.

    `offset` is that of the last one, which is committed once the dead letter is delivered. `size` is what was left out,
    in bytes as Kafka holds a batch, or of a single value. `timestamp` is the latest (Unix milliseconds), 0 if unknown.
    """

    topic: str
    partition: int
    first_offset: int
    offset: int
    timestamp: int
    why: InvalidEvent
    size: int
    timestamp_type: int = _UNKNOWN
    key: bytes | None = None
    value: bytes | None = None
    headers: Headers = ()

    @property
    def count(self) -> int:
        """The number of offsets, of which compaction may have emptied some."""
        return self.offset - self.first_offset + 1
