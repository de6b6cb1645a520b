"""When offsets were last committed, by partition: only those that this worker owns have a series."""

from collections.abc import Iterable

from faust.types import TP

from services.worker import metrics


class LastCommits:
    """The series of the gauge; all of them move in one step from a rebalance's old owners to the new ones.

    A partition that is revoked keeps its series until the worker knows what it has instead, so that none disappears
    while the group rebalances. A new owner's starts at its assignment: since then it has committed nothing.
    """

    def __init__(self) -> None:
        self._owned: set[TP] = set()

    def assigned(self, partitions: Iterable[TP]) -> None:
        """Record which partitions this worker owns from now on."""
        owned = set(partitions)
        for tp in self._owned - owned:
            metrics.LAST_COMMIT.remove(tp.topic, str(tp.partition))
        new, self._owned = owned - self._owned, owned
        self.committed(new)

    def committed(self, partitions: Iterable[TP]) -> None:
        """Record that offsets of these partitions are committed now; a commit may end after another has them."""
        for tp in self._owned.intersection(partitions):
            metrics.LAST_COMMIT.labels(tp.topic, str(tp.partition)).set_to_current_time()
