"""Sets the workers' group back to an earlier time, so that they read the events since then again.

For a store that was restored from a backup: what the log has already is inserted once more without an effect.
"""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from aiokafka import AIOKafkaConsumer, TopicPartition

from services.ops.earliest import earliest_records
from services.ops.errors import CommandError
from services.ops.offsets import Offsets, read_offsets
from services.ops.settings import OpsSettings
from shared.kafka import admin
from shared.lag.kafka.batches import Found

_WITHOUT_MEMBERS = frozenset({"Empty", "Dead"})


@dataclass(frozen=True, slots=True)
class PartitionRewind:
    """Where the group continues in one partition: at `target`, never behind `committed`; None where none is committed.

    `earliest` and `end` are the partition's. `complete` is whether the partition still holds every record since the
    time that was asked for.
    """

    topic: str
    partition: int
    earliest: int
    end: int
    committed: int | None
    target: int
    complete: bool

    @property
    def records(self) -> int:
        """How many offsets are read again."""
        return max((self.committed or 0) - self.target, 0)


async def plan(settings: OpsSettings, since: int | None) -> list[PartitionRewind]:
    """Return where the group would continue, to read everything that arrived since then (Unix milliseconds) again.

    None stands for the beginning of the topics.

    Raises:
        CommandError: the group has members, or records have times of producers' clocks.
        KafkaUnavailable: Kafka does not answer, or a topic does not exist.
    """
    await _check_members(settings)
    parts = await admin.partitions(settings.kafka, *settings.topics.inputs)
    first = await earliest_records(settings.kafka, parts)
    _check_clocks(first, since)
    async with admin.reader(settings.kafka, settings.group) as consumer, asyncio.timeout(admin.TIMEOUT_SECONDS):
        offsets = await read_offsets(consumer, parts)
        found = await consumer.offsets_for_times(dict.fromkeys(parts, since)) if since is not None else {}
    return [_partition(part, since, known, first.get(part), found.get(part)) for part, known in offsets.items()]


async def commit(settings: OpsSettings, partitions: Sequence[PartitionRewind]) -> None:
    """Commit the targets.

    Raises:
        CommandError: a worker joined the group meanwhile.
        KafkaUnavailable: Kafka does not answer.
    """
    targets = {
        TopicPartition(each.topic, each.partition): each.target for each in partitions if each.committed is not None
    }
    await _check_members(settings)
    async with admin.reader(settings.kafka, settings.group) as consumer, asyncio.timeout(admin.TIMEOUT_SECONDS):
        await _commit(consumer, targets)


async def _commit(consumer: AIOKafkaConsumer, targets: Mapping[TopicPartition, int]) -> None:
    if not targets:
        return
    consumer.assign(list(targets))
    await consumer.commit(dict(targets))
    committed = await asyncio.gather(*map(consumer.committed, targets))
    if committed != list(targets.values()):
        raise CommandError("the offsets are not those that were set: a worker has joined the group")


def _partition(
    part: TopicPartition, since: int | None, offsets: Offsets, first: Found | None, found: Any
) -> PartitionRewind:
    """Return where one partition continues; `first` is its first record, `found` what it has from `since` on."""
    earliest, end, committed = offsets.earliest, offsets.end, offsets.committed
    since_offset = earliest if since is None else end if found is None else max(found.offset, earliest)
    target = since_offset if committed is None else max(min(since_offset, committed), earliest)
    # Where records are removed, the first that is left has to be older: then none of those since then is missing.
    begins = None if first is None else first.timestamp
    complete = earliest == 0 or (since is not None and begins is not None and begins <= since)
    return PartitionRewind(part.topic, part.partition, earliest, end, committed, target, complete)


def _check_clocks(first: Mapping[TopicPartition, Found], since: int | None) -> None:
    others = {part.topic for part, record in first.items() if not record.broker_clock}
    if since is not None and others:
        raise CommandError(
            f"{', '.join(sorted(others))}: records have the times of their producers' clocks, not of their arrival "
            " (message.timestamp.type is CreateTime): use --to-beginning"
        )


async def _check_members(settings: OpsSettings) -> None:
    async with admin.admin_client(settings.kafka) as client:
        described = await client.describe_consumer_groups([settings.group])
        states = [group[2] for response in described for group in response.groups]
    if not _WITHOUT_MEMBERS.issuperset(states):
        raise CommandError(
            f"the group {settings.group} has members ({', '.join(states)}): stop all workers; one that was killed "
            "is a member until CALLFOLD_SESSION_SECONDS have passed"
        )
