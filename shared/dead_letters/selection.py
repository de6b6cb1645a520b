"""Which dead letters a command is about."""

from dataclasses import dataclass
from typing import Any

from shared.contract.topics import LOG_APPEND_TIME
from shared.dead_letters.dead_letter import DeadLetter

# The clocks of a partition's successive leaders may differ.
_CLOCK_SKEW_MS = 60_000


@dataclass(frozen=True, slots=True)
class Selection:
    """Limits, all of which must hold; of several reasons, organizations, calls or sources one is enough.

    None among them selects the dead letters that have none.
    `since` and `until` (Unix milliseconds, `until` excluded) limit the time at which Kafka appended the dead letter.
    `numbers` selects single dead letters, without any limit; none of them is older than `since`, if that is set too.
    """

    reasons: frozenset[str | None] = frozenset()
    organizations: frozenset[str | None] = frozenset()
    calls: frozenset[str | None] = frozenset()
    sources: frozenset[str | None] = frozenset()
    since: int | None = None
    until: int | None = None
    numbers: tuple[str, ...] = ()

    @property
    def is_everything(self) -> bool:
        return self == Selection()

    def in_time(self, timestamp: int) -> bool:
        return (self.since is None or timestamp >= self.since) and (self.until is None or timestamp < self.until)

    def includes(self, letter: DeadLetter) -> bool:
        """Return whether a dead letter that is `in_time` is selected."""
        pairs = (
            (self.reasons, letter.reason),
            (self.organizations, letter.organization),
            (self.calls, letter.call),
            (self.sources, letter.source),
        )
        return all(not wanted or found in wanted for wanted, found in pairs)

    def ends_before(self, record: Any) -> bool:
        """Return whether neither this record nor any later one can be in time.

        Only timestamps of the broker grow with the offsets; a topic that others created may have the producers'.
        """
        if self.until is None or record.timestamp_type != LOG_APPEND_TIME:
            return False
        return bool(record.timestamp >= self.until + _CLOCK_SKEW_MS)
