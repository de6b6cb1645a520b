"""Readings of the lag until there is something to print."""

from dataclasses import replace

import pytest

from services.ops.errors import CommandError
from services.ops.lag.taking import taken
from shared.lag.models import Health, Reading
from tests.support.lag.partition import Phase, kafka_gone, readings

HIDDEN = "the group: not authorized"


class MemoryReader:
    def __init__(self, reading: Reading) -> None:
        self._reading = reading

    async def read(self) -> Reading:
        return self._reading


async def test_a_group_that_may_not_be_seen_is_named_and_not_taken_for_kafka_that_is_late() -> None:
    nothing = replace(kafka_gone(next(readings(Phase(1)))), kafka=Health.WELL, hidden=[HIDDEN])

    with pytest.raises(CommandError, match=HIDDEN):
        await taken(MemoryReader(nothing), "callfold", window=0)


async def test_without_kafka_nothing_is_taken_also_where_mongodb_refuses() -> None:
    nothing = replace(kafka_gone(next(readings(Phase(1)))), hidden=["how fast MongoDB writes: not authorized"])

    assert await taken(MemoryReader(nothing), "callfold", window=0) is None
