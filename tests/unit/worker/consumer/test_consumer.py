"""The gate for another Faust: what the worker's consumer must do, by Faust's real one, without a broker.

The numbered cases are the ways in which Faust's own bookkeeping commits what was not written.
"""

import asyncio
from types import SimpleNamespace

import pytest

from services.worker.consumer.consumer import ChunkConsumer
from services.worker.consumer.fetch import MAX_CHUNK
from tests.support.worker.memory_worker import ARRIVED
from tests.support.worker.unstarted_consumer import TP0, TP1, Broker, deliver, fetch, records, span, turns, unstarted

# Cutting


async def test_a_fetch_is_cut_into_chunks_of_at_most_so_many_records(consumer: ChunkConsumer, broker: Broker) -> None:
    chunks = await deliver(consumer, broker, (100, 100 + 2 * MAX_CHUNK + 1))

    assert [len(chunk.records) for chunk in chunks] == [MAX_CHUNK, MAX_CHUNK, 1]
    assert [span(chunk)[0] for chunk in chunks] == [100, 100 + MAX_CHUNK, 100 + 2 * MAX_CHUNK]


async def test_a_chunk_knows_where_it_ends_and_its_generation(consumer: ChunkConsumer, broker: Broker) -> None:
    (chunk,) = await deliver(consumer, broker, (100, 150))

    assert (chunk.tp, chunk.next_offset, len(chunk.records), chunk.generation) == (TP0, 150, 50, 1)


async def test_a_fetch_of_several_partitions_is_delivered_as_one_message() -> None:
    async with unstarted(Broker({TP0: 100, TP1: 7})) as (worker, broker):
        broker.fetches.append({TP0: records(100, 100 + MAX_CHUNK + 1), TP1: records(7, 9, TP1)})

        messages = [message async for _, message in worker.consumer.getmany(1.0)]

        (message,) = messages
        assert [(chunk.tp, span(chunk)) for chunk in message.value] == [
            (TP0, (100, 99 + MAX_CHUNK)),
            (TP0, (100 + MAX_CHUNK, 100 + MAX_CHUNK)),
            (TP1, (7, 8)),
        ]
        assert (message.tp, message.offset, message.generation_id) == (TP0, 100 + MAX_CHUNK, 1)
        assert worker.consumer._read_offset[TP1] == 8  # noqa: SLF001 - Faust sets that of the message's partition


async def test_what_faust_acknowledges_by_itself_is_not_committed(consumer: ChunkConsumer, broker: Broker) -> None:
    broker.fetches.append({TP0: records(100, 150)})
    async for _, message in consumer.getmany(1.0):
        message.ack(consumer)

    await consumer.commit()

    assert broker.committed == {TP0: 100}


async def test_records_that_are_read_again_after_a_seek_are_dropped(consumer: ChunkConsumer, broker: Broker) -> None:
    first, again = await deliver(consumer, broker, (100, 150), (90, 160))

    assert span(first) == (100, 149)
    assert span(again) == (149, 159)  # Faust's read offset is the last one delivered, which may come twice


async def test_missing_offsets_are_no_gaps(consumer: ChunkConsumer, broker: Broker) -> None:
    compacted = [*records(100, 110), *records(140, 150)]

    (chunk,) = await fetch(consumer, broker, {TP0: compacted})
    consumer.acknowledge(chunk)
    await consumer.commit()

    assert broker.committed == {TP0: 150}


# Committing


async def test_acknowledged_chunks_are_committed(consumer: ChunkConsumer, broker: Broker) -> None:
    for chunk in await deliver(consumer, broker, (100, 150), (150, 200)):
        consumer.acknowledge(chunk)

    await consumer.commit()

    assert broker.committed == {TP0: 200}


async def test_case_1_nothing_is_committed_past_a_gap_at_the_front(consumer: ChunkConsumer, broker: Broker) -> None:
    _, late = await deliver(consumer, broker, (100, 150), (150, 200))
    consumer.acknowledge(late)

    await consumer.commit()

    assert broker.committed == {TP0: 100}


async def test_case_2_a_gap_of_one_record_is_a_gap(consumer: ChunkConsumer, broker: Broker) -> None:
    first, rest = await deliver(consumer, broker, (100, 101), (101, 110))
    consumer.acknowledge(rest)
    await consumer.commit()
    before = dict(broker.committed)

    consumer.acknowledge(first)
    await consumer.commit()

    assert (before, broker.committed) == ({TP0: 100}, {TP0: 110})


async def test_case_3_a_gap_is_one_where_nothing_was_committed_yet() -> None:
    async with unstarted(Broker({TP0: None})) as (worker, broker):
        _, rest = await deliver(worker.consumer, broker, (0, 50), (50, 100))
        worker.consumer.acknowledge(rest)

        await worker.consumer.commit()

        assert broker.committed == {TP0: None}


async def test_case_4_a_rebalance_does_not_drop_a_gap_before_the_batch_being_written(
    consumer: ChunkConsumer, broker: Broker
) -> None:
    _, failed, under_way = await deliver(consumer, broker, (100, 150), (150, 200), (200, 250))
    consumer.acknowledge(failed)
    with consumer.in_progress:
        revoked = asyncio.ensure_future(consumer.on_partitions_revoked({TP0}))
        await turns()
        consumer.acknowledge(under_way)
    await revoked

    await consumer.commit()

    assert broker.committed == {TP0: 100}


async def test_case_5_chunks_acknowledged_before_a_rebalance_are_committed_before_they_are_dropped(
    consumer: ChunkConsumer, broker: Broker
) -> None:
    for chunk in await deliver(consumer, broker, (100, 5_000)):
        consumer.acknowledge(chunk)

    await consumer.on_partitions_revoked({TP0})

    assert broker.committed == {TP0: 5_000}


async def test_offsets_that_start_again_are_read_and_committed(consumer: ChunkConsumer, broker: Broker) -> None:
    (old,) = await deliver(consumer, broker, (149, 160))
    consumer.acknowledge(old)
    await consumer.commit()

    (new,) = await deliver(consumer, broker, (0, 50))
    consumer.acknowledge(new)
    await consumer.commit()

    assert span(new) == (0, 49)
    assert broker.committed[TP0] == 50


async def test_a_chunk_acknowledged_twice_counts_once(consumer: ChunkConsumer, broker: Broker) -> None:
    (chunk,) = await deliver(consumer, broker, (100, 150))

    consumer.acknowledge(chunk)
    consumer.acknowledge(chunk)

    assert consumer._n_acked == 50  # noqa: SLF001 - Faust's count


async def test_each_partition_is_committed_for_itself() -> None:
    async with unstarted(Broker({TP0: 100, TP1: 7})) as (worker, broker):
        await deliver(worker.consumer, broker, (100, 150))
        (other,) = await deliver(worker.consumer, broker, (7, 9), tp=TP1)
        worker.consumer.acknowledge(other)

        await worker.consumer.commit()

        assert broker.committed == {TP0: 100, TP1: 9}


async def test_a_chunk_acknowledged_after_its_partition_was_lost_is_not_committed(
    consumer: ChunkConsumer, broker: Broker
) -> None:
    (chunk,) = await deliver(consumer, broker, (100, 150))
    broker.committed = {TP1: 7}
    consumer.acknowledge(chunk)

    await consumer.commit()

    assert broker.committed == {TP1: 7}


# Positions


async def test_it_is_written_until_the_last_record_before_the_first_that_is_not(
    consumer: ChunkConsumer, broker: Broker
) -> None:
    one, two, three = await deliver(consumer, broker, (100, 150), (150, 200), (200, 250))
    before = consumer.written_until(TP0)

    consumer.acknowledge(three)
    consumer.acknowledge(one)

    assert (before, consumer.written_until(TP0)) == (0, ARRIVED + 149)
    consumer.acknowledge(two)
    assert consumer.written_until(TP0) == ARRIVED + 249


def state(position: int | None, end: int | None) -> SimpleNamespace:
    return SimpleNamespace(has_valid_position=position is not None, position=position, lso=end)


@pytest.mark.parametrize(
    ("partition_state", "position"),
    [
        (state(150, 150), 150),
        (state(151, 150), 151),
        (state(149, 150), None),  # there is more
        (state(None, 150), None),  # it has no position yet
        (state(150, None), None),  # it does not know the end yet
        (None, None),  # not its own
    ],
)
async def test_it_is_at_the_end_if_its_position_is_the_last_stable_offset(
    consumer: ChunkConsumer, broker: Broker, partition_state: SimpleNamespace | None, position: int | None
) -> None:
    broker.positions = {TP0: partition_state} if partition_state else {}

    assert consumer.end_position(TP0) == position


async def test_it_is_not_at_the_end_while_a_chunk_is_not_written(consumer: ChunkConsumer, broker: Broker) -> None:
    broker.positions = {TP0: state(150, 150)}
    (chunk,) = await deliver(consumer, broker, (100, 150))
    before = consumer.end_position(TP0)

    consumer.acknowledge(chunk)

    assert (before, consumer.end_position(TP0)) == (None, 150)


async def test_it_is_not_at_the_end_while_a_fetched_chunk_waits_behind_another_partition() -> None:
    async with unstarted(Broker({TP0: 100, TP1: 7})) as (worker, broker):
        broker.positions = {TP1: state(9, 9)}
        broker.fetches.append({TP0: records(100, 150), TP1: records(7, 9, TP1)})

        async for delivered, _ in worker.consumer.getmany(1.0):  # and the queue takes no more
            assert delivered == TP0
            at_the_end = worker.consumer.end_position(TP1) is not None
            break

        assert not at_the_end
