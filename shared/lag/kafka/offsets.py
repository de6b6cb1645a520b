"""The ends and the beginnings of partitions, from their leaders, and the offsets that a group committed."""

import asyncio
from collections.abc import Collection, Mapping
from itertools import groupby
from typing import Any

from aiokafka.protocol.commit import OffsetFetchRequest
from aiokafka.protocol.offset import OffsetRequest

from shared.kafka.brokers import Brokers

Part = tuple[str, int]

_CONSUMER = -1
_COMMITTED = 1
_LATEST = -1
_EARLIEST = -2
_NONE = -1


async def read_ranges(
    brokers: Brokers, leader: int, parts: Collection[Part], errors: dict[Part, int]
) -> dict[Part, tuple[int, int]]:
    """Return the first offset and the last stable offset of a leader's partitions; write the codes of the others.

    Raises:
        one of `NOT_ANSWERED`
    """
    starts, ends = await asyncio.gather(
        read_starts(brokers, leader, parts, errors), read_ends(brokers, leader, parts, errors)
    )
    return {part: (starts[part], end) for part, end in ends.items() if part in starts}


async def read_starts(
    brokers: Brokers, leader: int, parts: Collection[Part], errors: dict[Part, int]
) -> Mapping[Part, int]:
    """Return the first offset of a leader's partitions; write the error codes of the others.

    Raises:
        one of `NOT_ANSWERED`
    """
    return await _read_offsets(brokers, leader, parts, _EARLIEST, errors)


async def read_ends(
    brokers: Brokers, leader: int, parts: Collection[Part], errors: dict[Part, int]
) -> Mapping[Part, int]:
    """Return the last stable offset of a leader's partitions; write the error codes of the others.

    Raises:
        one of `NOT_ANSWERED`
    """
    return await _read_offsets(brokers, leader, parts, _LATEST, errors)


async def read_committed(
    brokers: Brokers, coordinator: int, group: str, parts: Collection[Part], errors: dict[Part, int]
) -> tuple[dict[Part, int | None], int]:
    """Return the offset that the group committed of each partition, None where it has none, and the group's error code.

    Raises:
        one of `NOT_ANSWERED`
    """
    response = await brokers.ask(coordinator, OffsetFetchRequest(group, by_topic(parts)))
    found: dict[Part, int | None] = {}
    for topic, partitions in response.topics:
        for number, offset, _metadata, code in partitions:
            if code:
                errors[topic, number] = code
            else:
                found[topic, number] = None if offset == _NONE else offset
    return found, getattr(response, "error_code", 0)


def by_topic(parts: Collection[Part]) -> list[tuple[str, list[int]]]:
    """Return the partitions in the form of Kafka's protocol."""
    return [(topic, [number for _, number in of]) for topic, of in groupby(sorted(parts), key=lambda part: part[0])]


async def _read_offsets(
    brokers: Brokers, leader: int, parts: Collection[Part], which: int, errors: dict[Part, int]
) -> Mapping[Part, int]:
    topics = [(topic, [(number, which) for number in numbers]) for topic, numbers in by_topic(parts)]
    response: Any = await brokers.ask(leader, OffsetRequest(_CONSUMER, _COMMITTED, topics))
    found: dict[Part, int] = {}
    for topic, partitions in response.topics:
        for number, code, _timestamp, offset in partitions:
            if code:
                errors[topic, number] = code
            else:
                found[topic, number] = offset
    return found
