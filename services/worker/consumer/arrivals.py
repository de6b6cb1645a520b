"""Until which arrival each partition is written.

An arrival is what the broker's clock shows when it appends a record (`LogAppendTime`). The records tell it where
they have it from the broker. At the end of a partition nothing does: there it is the time of the fetch that found the
end, by the worker's clock, corrected by what the last record that came at the end showed about the two.
"""

from collections.abc import Mapping, Sequence

from faust.types import TP

from services.worker.consumer.offsets import Offsets
from services.worker.consumer.read_ends import ReadEnd
from services.worker.ingest.decode_batch import KafkaRecord
from shared.contract.topics import LOG_APPEND_TIME

# A record that comes so soon after a fetch that found none was appended between the two: it is not of a backlog.
_JUST_NOW_MS = 1_000


class Arrivals:
    """What is known of the arrivals of the partitions that the worker reads; times are Unix milliseconds."""

    def __init__(self, offsets: Offsets) -> None:
        self._offsets = offsets
        self._ends: Mapping[TP, ReadEnd] = {}
        self._written_at_end: dict[TP, int] = {}
        self._clock_ahead = 0

    def delivered(self, ends: Mapping[TP, ReadEnd]) -> None:
        """Record the ends that were found; call it when all that was read before is delivered."""
        for tp, end in self._ends.items():
            if ends.get(tp, end).position != end.position:
                self._observe(tp, end)  # before what has come since makes it forgotten
        self._ends = dict(ends)

    def compare_clocks(self, tp: TP, records: Sequence[KafkaRecord], ends: Mapping[TP, ReadEnd], now: int) -> None:
        """Compare the worker's clock with the broker's, by records that have just been read."""
        end, first = ends.get(tp), records[0]
        # The end that lies before these records: one behind them was found since.
        before = end is not None and end.position <= first.offset and now - end.sent < _JUST_NOW_MS
        if before and first.timestamp_type == LOG_APPEND_TIME:
            # At most so much: the record took a while to come.
            self._clock_ahead = now - int(first.timestamp)

    def written_until(self, tp: TP) -> int | None:
        """Return until which arrival all records are written; None as long as that is unknown."""
        if tp in self._ends:
            self._observe(tp, self._ends[tp])
        known = [self._written_at_end[tp] - self._clock_ahead] if tp in self._written_at_end else []
        last = self._offsets.last_written(tp)
        if last is not None and last.timestamp_type == LOG_APPEND_TIME:
            known.append(int(last.timestamp) - 1)  # others may have arrived in the same millisecond
        return max(known, default=None)

    def clear(self) -> None:
        """Forget the ends: records will be read again, and are not written until then."""
        self._ends = {}
        self._written_at_end.clear()

    def _observe(self, tp: TP, end: ReadEnd) -> None:
        if self._offsets.all_written_before(tp, end.position):
            self._written_at_end[tp] = end.sent
