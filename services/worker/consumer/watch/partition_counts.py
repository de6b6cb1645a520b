"""How many partitions the input topics have, also when some are added under the worker."""

from collections.abc import Callable, Sequence

from services.worker import metrics
from shared.process.logs import logger

log = logger(__name__)


class PartitionCounts:
    """The number of partitions of each input topic; `count` returns that of a topic, 0 as long as it is unknown."""

    def __init__(self, topics: Sequence[str], known: int, count: Callable[[str], int]) -> None:
        self._topics = topics
        self._count = count
        self._counts: dict[str, int] = {}
        self._known = known

    def fewest(self) -> int:
        """Return the number that the topics have, the smaller one while they differ: nobody owns more of both."""
        counts = {topic: self._count(topic) for topic in self._topics}
        if counts != self._counts and all(counts.values()):
            self._report(counts)
            self._counts, self._known = counts, min(counts.values())
        return self._known

    def _report(self, counts: dict[str, int]) -> None:
        for topic, count in counts.items():
            metrics.INPUT_PARTITIONS.labels(topic).set(count)
        if self._counts:
            log.info("partitions_changed", before=self._counts, now=counts)
        if len(set(counts.values())) > 1:
            log.warning(
                "partitions_differ",
                partitions=counts,
                hint="records of some calls wait until both topics have the same number: kafka-topics --alter",
            )
