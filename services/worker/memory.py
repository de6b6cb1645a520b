"""The worker's ports to Kafka in memory, for tests; the contract tests hold them to what Kafka's adapters do."""

from collections.abc import Sequence

from aiokafka import TopicPartition

from services.worker.maintenance.commit_barrier import Ends
from shared.kafka.producer import OutgoingRecord


class MemoryPublisher:
    """A `RecordPublisher`."""

    def __init__(self) -> None:
        self.published: list[OutgoingRecord] = []

    async def publish(self, records: Sequence[OutgoingRecord]) -> None:
        self.published.extend(records)


class MemoryCommitBarrier:
    """A `CommitBarrier`; `written` and `committed` are offsets of each partition."""

    def __init__(self) -> None:
        self.written: dict[TopicPartition, int] = {}
        self.committed: dict[TopicPartition, int] = {}

    async def ends(self) -> Ends:
        return dict(self.written)

    async def passed(self, ends: Ends) -> bool:
        return all(self.committed.get(part, 0) >= end for part, end in ends.items())
