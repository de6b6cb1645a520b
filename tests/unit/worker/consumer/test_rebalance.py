"""The gate for another Faust, continued: rebalances and stops, by Faust's real consumer, without a broker."""

import asyncio

import pytest
from faust.types import TP

from services.worker.consumer.consumer import ChunkConsumer
from tests.support.eventually import scaled
from tests.support.worker.unstarted_consumer import TP0, TP1, Broker, deliver, fetch, records, span, turns, unstarted


async def test_a_rebalance_waits_for_the_batch_being_written_and_commits_it(
    consumer: ChunkConsumer, broker: Broker
) -> None:
    (chunk,) = await deliver(consumer, broker, (100, 150))
    with consumer.in_progress:
        revoked = asyncio.ensure_future(consumer.on_partitions_revoked({TP0}))
        await turns()
        waits = not revoked.done()
        consumer.acknowledge(chunk)
    await revoked

    assert waits
    assert broker.committed == {TP0: 150}


async def test_a_rebalance_commits_the_batch_being_written_though_a_fetch_returns_meanwhile(
    consumer: ChunkConsumer, broker: Broker
) -> None:
    (chunk,) = await deliver(consumer, broker, (100, 150))
    fetching = asyncio.Event()
    broker.while_fetching = fetching.wait
    with consumer.in_progress:
        fetched = asyncio.ensure_future(fetch(consumer, broker, {TP0: records(150, 160)}))
        revoked = asyncio.ensure_future(consumer.on_partitions_revoked({TP0}))
        await turns()
        fetching.set()
        await turns()
        consumer.acknowledge(chunk)
    await revoked

    assert await fetched == []
    assert broker.committed == {TP0: 150}


async def test_a_chunk_acknowledged_during_a_commit_is_committed_before_it_is_dropped(
    consumer: ChunkConsumer, broker: Broker, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, two = await deliver(consumer, broker, (100, 150), (150, 200))
    sent, answered = [], asyncio.Event()
    commit = broker.commit

    async def slow(offsets: dict[TP, int]) -> bool:
        sent.append(dict(offsets))
        await answered.wait()
        return await commit(offsets)

    monkeypatch.setattr(broker, "commit", slow)
    consumer.acknowledge(one)
    timer = asyncio.ensure_future(consumer.commit())
    await turns()
    consumer.acknowledge(two)
    revoked = asyncio.ensure_future(consumer.on_partitions_revoked({TP0}))
    await turns()
    answered.set()
    await asyncio.gather(timer, revoked)

    assert sent == [{TP0: 150}, {TP0: 200}]


async def test_wait_empty_waits_for_the_batch_being_written_and_for_nothing_that_is_queued(
    consumer: ChunkConsumer, broker: Broker
) -> None:
    for first, end in ((100, 150), (150, 200)):
        broker.fetches.append({TP0: records(first, end)})
        async for _, message in consumer.getmany(1.0):
            consumer.track_message(message)

    async with asyncio.timeout(scaled(30)):
        await consumer.wait_empty()

    assert broker.committed == {TP0: 100}


async def test_a_seek_drops_what_was_delivered_since_the_commit(consumer: ChunkConsumer, broker: Broker) -> None:
    _, lost = await deliver(consumer, broker, (100, 150), (150, 200))
    await consumer.perform_seek()
    consumer.acknowledge(lost)

    await consumer.commit()
    before = dict(broker.committed)
    (again,) = await deliver(consumer, broker, (100, 200))
    consumer.acknowledge(again)
    await consumer.commit()

    assert span(again) == (100, 199)
    assert (before, broker.committed) == ({TP0: 100}, {TP0: 200})


async def test_where_nothing_was_committed_a_seek_goes_back_to_the_beginning() -> None:
    # Faust and aiokafka leave such a partition at its position, past what was fetched and dropped.
    async with unstarted(Broker({TP0: 100, TP1: None})) as (worker, broker):
        broker.from_the_beginning.clear()

        await worker.consumer.perform_seek()

        assert broker.from_the_beginning == [TP1]


@pytest.mark.parametrize("owned", [True, False])
async def test_from_the_revocation_on_nothing_is_delivered_until_the_flow_is_resumed(owned: bool) -> None:
    # Faust leaves the flow on if the worker owned nothing: what is delivered while it seeks would be dropped.
    async with unstarted(Broker({TP0: 100} if owned else {})) as (worker, broker):
        consumer, fetching = worker.consumer, asyncio.Event()
        broker.while_fetching = fetching.wait
        consumer.resume_partitions({TP0})
        pending = asyncio.ensure_future(fetch(consumer, broker, {TP0: records(100, 150)}))
        await turns()

        await consumer.on_partitions_revoked(broker.assignment())
        broker.committed = {TP0: 100}
        fetching.set()
        delivered = await pending
        consumer.resume_partitions({TP0})
        await consumer.perform_seek()
        consumer.resume_flow()
        (first,) = await deliver(consumer, broker, (100, 150))
        consumer.acknowledge(first)
        await consumer.commit()

        assert delivered == []
        assert broker.committed == {TP0: 150}


async def test_while_the_flow_is_stopped_nothing_is_delivered(consumer: ChunkConsumer, broker: Broker) -> None:
    async def stop() -> None:
        consumer.stop_flow()

    broker.while_fetching = stop

    assert await deliver(consumer, broker, (100, 150)) == []


async def test_records_of_a_partition_that_was_lost_are_not_delivered(consumer: ChunkConsumer, broker: Broker) -> None:
    assert await deliver(consumer, broker, (7, 9), tp=TP1) == []


async def test_a_chunk_may_be_written_only_in_its_generation_and_while_the_flow_is_on(
    consumer: ChunkConsumer, broker: Broker
) -> None:
    (chunk,) = await deliver(consumer, broker, (100, 150))

    at_first = consumer.may_write(chunk)
    consumer.stop_flow()
    stopped = consumer.may_write(chunk)
    consumer.resume_flow()
    consumer.app.consumer_generation_id = 2

    assert (at_first, stopped, consumer.may_write(chunk)) == (True, False, False)


async def test_a_worker_without_partitions_does_not_seek_and_drops_nothing_of_its_next_ones() -> None:
    async with unstarted(Broker({})) as (worker, broker):
        consumer = worker.consumer
        consumer._in_doubt = True  # noqa: SLF001 - as after a fetch that a stop of the flow has cut off
        await consumer._seek_again()  # noqa: SLF001
        broker.committed = {TP0: 100}
        consumer._set_active_tps({TP0})  # noqa: SLF001 - as Faust does when it is assigned

        delivered = await fetch(consumer, broker, {TP0: records(100, 150)})

        assert [span(chunk) for chunk in delivered] == [(100, 149)]
