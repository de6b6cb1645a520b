"""What the worker says of itself: whether it is ready, and how far it has written."""

from faust.types import TP

from services.worker.consumer.read_ends import ReadEnd
from services.worker.worker import Worker
from tests.support.worker.memory_worker import TRANSCRIPTION
from tests.support.worker.unstarted_consumer import TP0, TP1, Broker, fetch


async def test_during_a_rebalance_there_are_no_watermarks(made: tuple[Worker, Broker]) -> None:
    worker, broker = made
    broker.committed[TP(worker.topics.transcription, 0)] = 0
    before = worker.watermarks()

    worker.app.rebalancing = True

    assert set(before) == {0}
    assert worker.watermarks() == {}


async def test_a_worker_that_has_not_joined_its_group_is_not_ready(made: tuple[Worker, Broker]) -> None:
    worker, _ = made

    assert await worker.readiness() == "the consumer group"


async def test_a_worker_whose_kafka_does_not_answer_is_not_ready(made: tuple[Worker, Broker]) -> None:
    worker, broker = made
    await worker.on_assigned(worker.app, {TP0})
    before = await worker.readiness()

    broker.watch.unavailable = "broker 1 does not answer"

    assert (before, await worker.readiness()) == (None, "kafka")


async def test_a_partition_counts_as_written_by_the_topic_that_is_behind(made: tuple[Worker, Broker]) -> None:
    worker, broker = made
    other = TP(TRANSCRIPTION, 0)
    broker.committed[other] = 100
    broker.ends |= {TP0: ReadEnd(100, 5_000), other: ReadEnd(100, 4_000), TP1: ReadEnd(100, 3_000)}
    worker.app.rebalancing = False
    await worker.on_assigned(worker.app, {TP0, other})
    await fetch(worker.consumer, broker, {})
    both = worker.arrived_until()

    del broker.ends[other]
    worker.consumer._arrivals.clear()  # noqa: SLF001 - as after a rebalance
    await fetch(worker.consumer, broker, {})

    assert (both, worker.arrived_until()) == ({0: 4_000}, {})
