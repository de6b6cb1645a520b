"""How far the worker has written each partition of both topics."""

from collections.abc import Callable, Sequence
from typing import Protocol

from faust.types import TP

from services.worker.folding.schedule import Watermark


class Positions(Protocol):
    """The consumer, as far as watermarks need it."""

    def written_until(self, tp: TP) -> int:
        """Return the timestamp (Unix milliseconds) of the last record up to which all are written; 0 for none."""

    def end_position(self, tp: TP) -> int | None:
        """Return the position if all up to the end, as the last fetch knew it, is written; or None."""


class Watermarks:
    """The watermarks, from positions that are observed again and again."""

    def __init__(self, topics: Sequence[str], clock: Callable[[], int]) -> None:
        self._topics = topics
        self._clock = clock
        self._ends: dict[TP, tuple[int, int]] = {}

    def observe(self, positions: Positions, assignment: set[TP]) -> dict[int, Watermark]:
        """Return the watermark of each partition that the worker owns of every topic."""
        now = self._clock()
        ends: dict[TP, tuple[int, int]] = {}
        untils: dict[TP, tuple[int, bool]] = {}
        for tp in assignment:
            untils[tp] = (positions.written_until(tp), False)
            position = positions.end_position(tp)
            if position is not None:
                # Records may be on their way from the consumer's thread to the queue. So a partition is at its end if
                # it was at the same position at the last observation: all that had arrived by then is written.
                since, last_position = self._ends.get(tp, (now, -1))
                ends[tp] = (now, position)
                if last_position == position:
                    untils[tp] = (since, True)
        self._ends = ends
        owned = {tp.partition for tp in assignment}
        return {
            partition: watermark for partition in owned if (watermark := self._watermark(partition, untils)) is not None
        }

    def _watermark(self, partition: int, untils: dict[TP, tuple[int, bool]]) -> Watermark | None:
        known = [each for topic in self._topics if (each := untils.get(TP(topic, partition))) is not None]
        if len(known) < len(self._topics):
            return None
        return Watermark(min(until for until, _ in known), all(at_end for _, at_end in known))
