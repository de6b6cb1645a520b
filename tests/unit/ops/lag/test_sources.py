"""What is known of MongoDB is added to what is read of Kafka."""

import pytest

from services.ops.lag.sources import BothReader
from shared.lag.models import Health, Reading
from shared.store.memory.write_probe import MemoryWriteProbe
from shared.store.ports import AccessRefused, StoreUnavailable
from tests.support.lag.partition import Phase, readings


class MemoryReader:
    async def read(self) -> Reading:
        return next(readings(Phase(1)))


@pytest.mark.parametrize(
    ("error", "health"),
    [
        (None, Health.WELL),
        (StoreUnavailable("no primary"), Health.UNAVAILABLE),
        (AccessRefused("not authorized"), Health.UNKNOWN),
    ],
    ids=["well", "unavailable", "no right"],
)
async def test_a_reading_has_how_the_last_write_went(error: StoreUnavailable | None, health: Health) -> None:
    reader = BothReader(MemoryReader(), MemoryWriteProbe(error))

    await reader.write()  # connects
    await reader.write()
    reading = await reader.read()

    assert (reading.mongodb, reading.mongodb_write_seconds is not None) == (health, error is None)
    assert bool(reading.hidden) == isinstance(error, AccessRefused)


async def test_before_the_first_write_nothing_is_known_of_mongodb() -> None:
    reading = await BothReader(MemoryReader(), MemoryWriteProbe()).read()

    assert (reading.mongodb, reading.mongodb_write_seconds) == (Health.UNKNOWN, None)
