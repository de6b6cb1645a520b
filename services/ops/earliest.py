"""The first record that each partition still holds, and when it arrived."""

import asyncio
from collections import defaultdict
from collections.abc import Mapping

from aiokafka import TopicPartition

from shared.kafka.access import KafkaAccess
from shared.kafka.admin import translate_errors
from shared.kafka.brokers import NOT_ANSWERED, Brokers
from shared.kafka.errors import KafkaUnavailable
from shared.lag.kafka.batches import Found
from shared.lag.kafka.offsets import Part, read_ranges
from shared.lag.kafka.oldest import OldestRecords

_FETCHES = 20
"""More than thousands of aborted records take; behind those the first record is not known."""


async def earliest_records(access: KafkaAccess, parts: list[TopicPartition]) -> dict[TopicPartition, Found]:
    """Return the first record of each partition that has one.

    Raises:
        KafkaUnavailable: Kafka does not answer.
    """
    brokers = Brokers(access, sorted({part.topic for part in parts}))
    try:
        async with translate_errors(access):
            found = await _read(brokers)
    except NOT_ANSWERED as error:
        raise KafkaUnavailable(f"Kafka at {access.bootstrap} does not answer: {error}") from error
    finally:
        await brokers.close()
    return {part: found[part.topic, part.partition] for part in parts if (part.topic, part.partition) in found}


async def _read(brokers: Brokers) -> dict[Part, Found]:
    by_leader: defaultdict[int, list[Part]] = defaultdict(list)
    for part, leader in (await brokers.refresh()).leaders.items():
        if leader is not None:
            by_leader[leader].append(part)
    each = await asyncio.gather(*(_of_leader(brokers, leader, parts) for leader, parts in by_leader.items()))
    return {part: found for records in each for part, found in records.items()}


async def _of_leader(brokers: Brokers, leader: int, parts: list[Part]) -> dict[Part, Found]:
    errors: dict[Part, int] = {}
    ranges: Mapping[Part, tuple[int, int]] = await read_ranges(brokers, leader, parts, errors)
    oldest = OldestRecords(brokers)
    for _ in range(_FETCHES):
        await oldest.find(leader, ranges, errors)
    first = {part: oldest.known(part, *reach) for part, reach in ranges.items()}
    return {part: record for part, record in first.items() if isinstance(record, Found)}
