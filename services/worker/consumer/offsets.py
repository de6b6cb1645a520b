"""The offsets that are committed: of each partition, up to where all records are written.

That is the end of the last chunk that is acknowledged with all before it, and, where no chunk waits, the position of
the consumer: what it skipped are marks of transactions and aborted records, which nobody reads (decision 18).

Faust keeps a heap of single offsets instead, in which a gap can be lost.
"""

from collections import defaultdict, deque

from faust.types import TP

from services.worker.consumer.fetch import Chunk
from services.worker.ingest.decode_batch import KafkaRecord


class Offsets:
    """The delivered chunks of each partition, in order, until they are acknowledged."""

    def __init__(self) -> None:
        self._chunks: defaultdict[TP, deque[Chunk]] = defaultdict(deque)
        self._written: dict[TP, Chunk] = {}
        self._positions: dict[TP, int] = {}

    def deliver(self, chunk: Chunk) -> None:
        self._chunks[chunk.tp].append(chunk)

    def reach(self, tp: TP, position: int) -> None:
        """Record the position after a fetch: every record below it must have been delivered."""
        self._positions[tp] = position

    def known(self) -> list[TP]:
        """Return the partitions of which something was delivered or skipped."""
        return list(self._chunks.keys() | self._positions.keys())

    def committable(self, tp: TP) -> int | None:
        """Return the offset that may be committed; None for none, as where the topic has had no record yet."""
        last = self._last_written(tp)
        written = 0 if last is None else last.next_offset
        reached = 0 if self._chunks[tp] else self._positions.get(tp, 0)
        return max(written, reached) or None

    def written_until(self, tp: TP) -> int:
        """Return the arrival (Unix milliseconds) of the last record up to which all are written; 0 for none."""
        last = self._last_written(tp)
        return 0 if last is None else last.arrival

    def last_written(self, tp: TP) -> KafkaRecord | None:
        """Return the last record up to which all are written; None for none."""
        last = self._last_written(tp)
        return None if last is None else last.records[-1]

    def all_written_before(self, tp: TP, offset: int) -> bool:
        """Return whether every delivered record before this offset is written."""
        self._last_written(tp)
        queue = self._chunks[tp]
        return not queue or int(queue[0].records[0].offset) >= offset

    def all_written(self, tp: TP) -> bool:
        """Return whether every delivered chunk is acknowledged."""
        self._last_written(tp)
        return not self._chunks[tp]

    def forget(self, tp: TP) -> None:
        """Forget a partition whose offsets have started again."""
        for known in (self._chunks, self._written, self._positions):
            known.pop(tp, None)

    def clear(self) -> None:
        for known in (self._chunks, self._written, self._positions):
            known.clear()

    def _last_written(self, tp: TP) -> Chunk | None:
        queue = self._chunks[tp]
        while queue and queue[0].acked:
            self._written[tp] = queue.popleft()
        return self._written.get(tp)
