"""Whether all workers of the group have written what had arrived by a moment, by the offsets that they committed."""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Protocol

from aiokafka import TopicPartition

from shared.kafka.access import KafkaAccess
from shared.kafka.admin import TIMEOUT_SECONDS, admin_client, partitions, reader

Ends = Mapping[TopicPartition, int]
"""Where each partition of both topics ended at some moment, for a reader of committed transactions."""


class CommitBarrier(Protocol):
    """What lies before it is written. Any method raises `KafkaUnavailable` where Kafka does not answer."""

    async def ends(self) -> Ends:
        """Return where the partitions of both topics end now."""

    async def passed(self, ends: Ends) -> bool:
        """Return whether the group has committed past these ends, so that all before them is written and marked."""


class KafkaCommitBarrier:
    """The input topics and the workers' group; connects anew for each call, and joins no group."""

    def __init__(self, kafka: KafkaAccess, topics: Sequence[str], group: str) -> None:
        self._kafka = kafka
        self._topics = topics
        self._group = group

    async def ends(self) -> Ends:
        parts = await partitions(self._kafka, *self._topics)
        async with reader(self._kafka, committed_only=True) as consumer, asyncio.timeout(TIMEOUT_SECONDS):
            ends: Ends = await consumer.end_offsets(parts)
            return ends

    async def passed(self, ends: Ends) -> bool:
        async with admin_client(self._kafka) as admin:
            committed = await admin.list_consumer_group_offsets(self._group)
        # Workers commit their positions: past marks of transactions, aborted records and what was deleted unread.
        return all(part in committed and committed[part].offset >= end for part, end in ends.items() if end)
