"""The offsets that are committed: of each partition, the end of the last chunk that is acknowledged with all before it.

Faust keeps a heap of single offsets instead, in which a gap can be lost.
"""

from collections import defaultdict, deque

from aiokafka import ConsumerRecord
from faust.types import TP

from services.worker.consumer.fetch import Chunk


class Offsets:
    """The delivered chunks of each partition, in order, until they are acknowledged."""

    def __init__(self) -> None:
        self._chunks: defaultdict[TP, deque[Chunk]] = defaultdict(deque)
        self._written: dict[TP, Chunk] = {}

    def deliver(self, chunk: Chunk) -> None:
        self._chunks[chunk.tp].append(chunk)

    def delivered(self) -> list[TP]:
        """Return the partitions of which something was delivered."""
        return list(self._chunks)

    def committable(self, tp: TP) -> int | None:
        """Return the offset that may be committed; None until the first chunk is acknowledged."""
        last = self._last_written(tp)
        return None if last is None else last.next_offset

    def written_until(self, tp: TP) -> int:
        """Return the arrival (Unix milliseconds) of the last record up to which all are written; 0 for none."""
        last = self._last_written(tp)
        return 0 if last is None else last.arrival

    def last_written(self, tp: TP) -> ConsumerRecord | None:
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
        self._chunks.pop(tp, None)
        self._written.pop(tp, None)

    def clear(self) -> None:
        self._chunks.clear()
        self._written.clear()

    def _last_written(self, tp: TP) -> Chunk | None:
        queue = self._chunks[tp]
        while queue and queue[0].acked:
            self._written[tp] = queue.popleft()
        return self._written.get(tp)
