"""How late the events of a batch are: counted by event, observed by partition."""

import sys
from collections.abc import Iterable
from types import FrameType
from typing import Any

import pytest

from services.worker.metrics import WORKER
from shared.contract.ids import call_key
from tests.support.events.makers import Json, event
from tests.support.store.makers import CALL
from tests.support.worker.memory_worker import TRANSCRIPTION, Clock, MemoryWorker, Received, received

SECOND = 1_000
DURABLE, READABLE = "callfold_arrival_to_durable_seconds", "callfold_arrival_to_readable_seconds"
NOTE = event("call.note")
PRODUCERS_TIME = 0


def within(metric: str, seconds: str) -> float:
    """Return how many events were counted within so many seconds, as a bucket is named."""
    value: float | None = WORKER.registry.get_sample_value(f"{metric}_bucket", {"le": seconds})
    return value or 0.0


class Batches:
    """Batches that are written at one moment of the worker's clock."""

    def __init__(self) -> None:
        self.clock = Clock()
        self.worker = MemoryWorker(ingest_clock=self.clock)

    def arrived(self, body: Json, seconds_ago: float, **differs: Any) -> Received:
        return received(body, timestamp=self.clock.now - int(seconds_ago * SECOND), **differs)

    async def counted(self, records: Iterable[Received], metric: str = READABLE) -> dict[str, float]:
        """Return how many events more there are within 1, 5 and 10 seconds, and in all, after a batch."""
        bounds = ("1.0", "5.0", "10.0", "+Inf")
        before = [within(metric, bound) for bound in bounds]
        await self.worker.bring(list(records))
        return {bound: within(metric, bound) - n for bound, n in zip(bounds, before, strict=True)}


@pytest.fixture
def batches() -> Batches:
    return Batches()


@pytest.mark.parametrize("metric", [DURABLE, READABLE])
async def test_an_event_counts_by_how_long_ago_it_arrived(batches: Batches, metric: str) -> None:
    counted = await batches.counted([batches.arrived(NOTE, 7)], metric)

    assert counted == {"1.0": 0, "5.0": 0, "10.0": 1, "+Inf": 1}


async def test_all_events_of_a_partition_count_as_its_oldest_does(batches: Batches) -> None:
    ages = [7, 6, 0.5]

    counted = await batches.counted(batches.arrived(NOTE, age, offset=n) for n, age in enumerate(ages))

    assert counted == {"1.0": 0, "5.0": 0, "10.0": 3, "+Inf": 3}


async def test_a_late_partition_does_not_make_another_late(batches: Batches) -> None:
    late = [batches.arrived(NOTE, 7, offset=n) for n in range(3)]
    new = [batches.arrived(NOTE, 0.5, topic=TRANSCRIPTION, offset=n) for n in range(2)]

    assert await batches.counted([*late, *new]) == {"1.0": 2, "5.0": 2, "10.0": 5, "+Inf": 5}


async def test_a_record_from_the_future_counts_as_new(batches: Batches) -> None:
    counted = await batches.counted([batches.arrived(NOTE, -3_600)])

    assert counted == {"1.0": 1, "5.0": 1, "10.0": 1, "+Inf": 1}
    assert (WORKER.registry.get_sample_value(f"{READABLE}_sum") or 0.0) >= 0.0


async def test_a_producers_clock_does_not_say_when_a_record_arrived(batches: Batches) -> None:
    old = batches.arrived(NOTE, 86_400, timestamp_type=PRODUCERS_TIME)

    assert await batches.counted([old]) == {"1.0": 1, "5.0": 1, "10.0": 1, "+Inf": 1}


async def test_what_is_invalid_or_of_a_deleted_call_is_not_counted(batches: Batches) -> None:
    await batches.worker.deliver(event("call.ended"))
    await batches.worker.rest()
    await batches.worker.memory.tombstone([CALL], 2**62)
    refused = event("call.ended", disconnection_reason=None, call="call-other")
    records = [batches.arrived(NOTE, 1, offset=7), batches.arrived(refused, 1, offset=8)]

    assert await batches.counted(records) == {"1.0": 0, "5.0": 0, "10.0": 0, "+Inf": 0}


def calls_of_metrics(frame: FrameType) -> bool:
    return "prometheus_client" in frame.f_code.co_filename or "weighted_histogram" in frame.f_code.co_filename


async def observed(events: int) -> int:
    """Return how many functions of the metrics were called while one batch of so many events was written."""
    batches, calls = Batches(), 0
    records = [batches.arrived(event("call.note", call=f"call-{n % 3}"), 1, offset=n) for n in range(events)]

    def count(frame: FrameType, what: str, _argument: object) -> None:
        nonlocal calls
        calls += what == "call" and calls_of_metrics(frame)

    sys.setprofile(count)
    try:
        await batches.worker.bring(records)
    finally:
        sys.setprofile(None)
    return calls


async def test_the_metrics_are_called_as_often_for_a_batch_of_many_events_as_for_one_of_few() -> None:
    await observed(6)  # the first makes the series

    few, many = await observed(6), await observed(600)

    assert few == many > 0


async def test_no_call_organization_or_number_is_in_the_metrics_of_a_worker_that_had_traffic(batches: Batches) -> None:
    private = event("call.created", call="call-private", organization="org-private", to_number="+4999123456")
    own = event("type.of-a-private-provider", call="call-private", organization="org-private")
    ended = event("call.ended", call="call-private", organization="org-private")
    records = [received(body, offset=n) for n, body in enumerate([private, own, ended])]

    await batches.worker.bring([*records, Received(b'{"subject": "call-private"', key=b"call-private", offset=3)])
    await batches.worker.rest()

    text = WORKER.text().decode()
    assert await batches.worker.memory.find(call_key("org-private", "call-private"))
    assert [word for word in ("private", "4999123456") if word in text] == []
