"""Until which arrival a partition is written, by the worker's own consumer."""

from dataclasses import replace

import pytest

from services.worker.consumer.consumer import ChunkConsumer
from services.worker.consumer.read_ends import ReadEnd
from services.worker.worker import Worker
from tests.support.worker.memory_worker import ARRIVED
from tests.support.worker.unstarted_consumer import TP0, Broker, fetch, records

CREATE_TIME = 0
NOW = ARRIVED + 60_000
HOUR = 3_600_000


@pytest.fixture(autouse=True)
def _now(made: tuple[Worker, Broker]) -> None:
    made[0].app.clock = lambda: NOW


async def idle(consumer: ChunkConsumer, broker: Broker) -> None:
    await fetch(consumer, broker, {})


async def test_at_the_end_all_is_written_that_had_arrived_when_the_end_was_asked_for(
    consumer: ChunkConsumer, broker: Broker
) -> None:
    broker.ends[TP0] = ReadEnd(100, NOW - 100)

    await idle(consumer, broker)

    assert consumer.arrived_until(TP0) == NOW - 100


async def test_nothing_is_known_before_the_first_answer(consumer: ChunkConsumer, broker: Broker) -> None:
    await idle(consumer, broker)

    assert consumer.arrived_until(TP0) is None


async def test_an_end_behind_what_is_not_written_yet_does_not_count(consumer: ChunkConsumer, broker: Broker) -> None:
    broker.ends[TP0] = ReadEnd(100, NOW - 5_000)
    (chunk,) = await fetch(consumer, broker, {TP0: records(100, 150)})
    broker.ends[TP0] = ReadEnd(150, NOW - 100)
    await idle(consumer, broker)
    before = consumer.arrived_until(TP0)

    consumer.acknowledge(chunk)

    assert (before, consumer.arrived_until(TP0)) == (NOW - 5_000, NOW - 100)


async def test_an_end_that_was_found_before_what_comes_after_it_still_counts(
    consumer: ChunkConsumer, broker: Broker
) -> None:
    broker.ends[TP0] = ReadEnd(100, NOW - 100)

    await fetch(consumer, broker, {TP0: [replace(each, timestamp=NOW) for each in records(100, 150)]})

    assert consumer.arrived_until(TP0) == NOW - 100


async def test_in_a_backlog_it_is_the_arrival_of_the_last_record_that_is_written_and_its_millisecond_is_not_over(
    consumer: ChunkConsumer, broker: Broker
) -> None:
    first, _ = [
        chunk for span in ((100, 150), (150, 200)) for chunk in await fetch(consumer, broker, {TP0: records(*span)})
    ]

    consumer.acknowledge(first)

    assert consumer.arrived_until(TP0) == ARRIVED + 149 - 1


async def test_the_time_that_a_producer_gave_is_no_arrival(consumer: ChunkConsumer, broker: Broker) -> None:
    ahead = [replace(each, timestamp=NOW + HOUR, timestamp_type=CREATE_TIME) for each in records(100, 150)]
    broker.ends[TP0] = ReadEnd(100, NOW - 100)

    (chunk,) = await fetch(consumer, broker, {TP0: ahead})
    consumer.acknowledge(chunk)

    assert consumer.arrived_until(TP0) == NOW - 100


async def test_what_is_read_again_after_a_rebalance_does_not_count_as_written(
    consumer: ChunkConsumer, broker: Broker
) -> None:
    await fetch(consumer, broker, {TP0: records(100, 150)})
    broker.ends[TP0] = ReadEnd(150, NOW - 100)
    await idle(consumer, broker)

    await consumer.on_partitions_revoked({TP0})
    await consumer.perform_seek()

    assert consumer.arrived_until(TP0) is None
    assert broker.ends == {}


@pytest.mark.parametrize("ahead", [HOUR, -HOUR])
async def test_a_clock_of_the_worker_that_is_wrong_is_corrected_by_a_record_that_comes_at_the_end(
    consumer: ChunkConsumer, broker: Broker, ahead: int
) -> None:
    broker.ends[TP0] = ReadEnd(100, NOW - 100)
    (chunk,) = await fetch(
        consumer, broker, {TP0: [replace(each, timestamp=NOW - ahead) for each in records(100, 101)]}
    )
    consumer.acknowledge(chunk)
    broker.ends[TP0] = ReadEnd(101, NOW + 400)

    await idle(consumer, broker)

    assert consumer.arrived_until(TP0) == NOW + 400 - ahead


async def test_the_records_of_a_backlog_say_nothing_about_the_clocks(consumer: ChunkConsumer, broker: Broker) -> None:
    broker.ends[TP0] = ReadEnd(100, NOW - 30_000)
    (chunk,) = await fetch(consumer, broker, {TP0: records(100, 150)})
    consumer.acknowledge(chunk)
    broker.ends[TP0] = ReadEnd(150, NOW + 400)

    await idle(consumer, broker)

    assert consumer.arrived_until(TP0) == NOW + 400


async def test_an_end_that_was_found_behind_a_backlog_says_nothing_about_the_clocks(
    consumer: ChunkConsumer, broker: Broker
) -> None:
    broker.ends[TP0] = ReadEnd(150, NOW - 50)  # found while the records before it were on their way
    hour_old = [replace(each, timestamp=NOW - HOUR) for each in records(100, 150)]
    (chunk,) = await fetch(consumer, broker, {TP0: hour_old})
    consumer.acknowledge(chunk)

    await idle(consumer, broker)

    assert consumer.arrived_until(TP0) == NOW - 50
