"""Which dead letters are meant: those that keep to every limit."""

from dataclasses import dataclass
from typing import Any

LOG_APPEND_TIME = 1

# A partition's leaders, one after the other, may have clocks that differ.
_CLOCKS_DIFFER_MS = 60_000


@dataclass(frozen=True, slots=True)
class Selection:
    """Limits; where several reasons, calls or sources are given, one of them is enough.

    `since` and `until` (Unix milliseconds, the latter excluded) bound the time at which Kafka took the dead letter.
    `numbers` names single ones, which then need to keep to no limit.
    """

    reasons: frozenset[str] = frozenset()
    calls: frozenset[str] = frozenset()
    sources: frozenset[str] = frozenset()
    since: int | None = None
    until: int | None = None
    numbers: tuple[str, ...] = ()

    @property
    def is_everything(self) -> bool:
        """Whether nothing is limited."""
        return self == Selection()

    def in_time(self, timestamp: int) -> bool:
        """Tell whether a record of this time can be meant."""
        return (self.since is None or timestamp >= self.since) and (self.until is None or timestamp < self.until)

    def includes(self, reason: str | None, call: str | None, source: str | None) -> bool:
        """Tell whether a dead letter that is in time is meant."""
        pairs = ((self.reasons, reason), (self.calls, call), (self.sources, source))
        return all(not wanted or found in wanted for wanted, found in pairs)

    def ends_before(self, record: Any) -> bool:
        """Tell whether neither this record nor any behind it can be meant.

        Only the broker's own times grow with the offsets; a topic that somebody else made may have the producers'.
        """
        if self.until is None or record.timestamp_type != LOG_APPEND_TIME:
            return False
        return bool(record.timestamp >= self.until + _CLOCKS_DIFFER_MS)
