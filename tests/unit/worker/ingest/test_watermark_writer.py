"""Writing until which arrival each partition is written."""

import math
from collections.abc import Mapping

from services.worker import metrics
from services.worker.ingest.watermark_writer import WatermarkWriter
from shared.store.memory.calls import MemoryStore
from shared.store.models import Watermark
from shared.store.ports import StoreUnavailable

PARTITIONS = 12


class Recording(MemoryStore):
    """Records what is written, or is unavailable."""

    def __init__(self) -> None:
        super().__init__()
        self.written: list[Mapping[int, int]] = []
        self.unavailable = False

    async def put_watermarks(self, untils: Mapping[int, int], partitions: int) -> None:
        if self.unavailable:
            raise StoreUnavailable
        self.written.append(untils)
        await super().put_watermarks(untils, partitions)


def gauge() -> float:
    value: float | None = metrics.WORKER.registry.get_sample_value("callfold_watermark_timestamp_seconds")
    assert value is not None
    return value


async def test_all_partitions_are_written_at_once_and_only_what_changed_is_written_again() -> None:
    store, untils = Recording(), {0: 1_000, 1: 1_001}
    writer = WatermarkWriter(store, lambda: dict(untils), lambda: PARTITIONS)

    await writer.step()
    untils[1] = 2_000
    await writer.step()
    await writer.step()

    assert store.written == [{0: 1_000, 1: 1_001}, {1: 2_000}]
    assert await store.watermarks() == {0: Watermark(1_000, PARTITIONS), 1: Watermark(2_000, PARTITIONS)}


async def test_what_an_outage_kept_from_being_written_is_written_the_next_time() -> None:
    store = Recording()
    writer = WatermarkWriter(store, lambda: {0: 1_000}, lambda: PARTITIONS)
    store.unavailable = True
    await writer.step()

    store.unavailable = False
    await writer.step()

    assert store.written == [{0: 1_000}]


async def test_a_partition_that_comes_back_is_written_again() -> None:
    store, owned = Recording(), [{0: 1_000}, {}, {0: 1_000}]
    writer = WatermarkWriter(store, lambda: owned.pop(0), lambda: PARTITIONS)

    for _ in range(3):
        await writer.step()

    assert store.written == [{0: 1_000}, {0: 1_000}]


async def test_the_gauge_has_the_least_of_the_partitions_and_no_number_without_any() -> None:
    found = []

    for untils in ({0: 3_000, 1: 2_000}, {}):
        await WatermarkWriter(Recording(), lambda untils=untils: untils, lambda: PARTITIONS).step()  # type: ignore[misc]
        found.append(gauge())

    assert found[0] == 2.0
    assert math.isnan(found[1])
