"""The offsets of partitions, and of a group in them."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

from aiokafka import AIOKafkaConsumer, TopicPartition


@dataclass(frozen=True, slots=True)
class Offsets:
    """One partition's offsets."""

    earliest: int
    end: int
    committed: int | None


async def read_offsets(consumer: AIOKafkaConsumer, parts: Sequence[TopicPartition]) -> dict[TopicPartition, Offsets]:
    """Return the offsets of each partition; those that are committed are of the consumer's group."""
    # Before the ends are read: an offset that is committed in between must not lie beyond them.
    committed = await asyncio.gather(*map(consumer.committed, parts))
    earliest, ends = await asyncio.gather(consumer.beginning_offsets(parts), consumer.end_offsets(parts))
    return {part: Offsets(earliest[part], ends[part], done) for part, done in zip(parts, committed, strict=True)}
