"""The position that is committed where nothing but marks of transactions and aborted records was skipped."""

import asyncio
from types import SimpleNamespace
from typing import Any

import pytest
from aiokafka.consumer.fetcher import FetchError
from aiokafka.consumer.subscription_state import Subscription
from faust.types import TP

from services.worker import metrics
from services.worker.consumer.consumer import ChunkConsumer
from services.worker.consumer.positions import Fetched, OpenTransactions, positions, stable_ends
from tests.support.worker.memory_worker import TELEPHONY
from tests.support.worker.unstarted_consumer import TP0, TP1, Broker, deliver, fetch, records, span, turns, unstarted


def skipped(position: int, tp: TP = TP0) -> Fetched:
    """Return a fetch without a record, after which the position is this."""
    return Fetched({}, {tp: position})


# Committing


async def test_what_was_skipped_behind_the_last_chunk_is_committed_with_it(
    consumer: ChunkConsumer, broker: Broker
) -> None:
    (chunk,) = await fetch(consumer, broker, Fetched({TP0: records(100, 150)}, {TP0: 153}))
    consumer.acknowledge(chunk)

    await consumer.commit()

    assert broker.committed == {TP0: 153}


async def test_a_partition_that_delivered_nothing_is_committed_to_its_position() -> None:
    async with unstarted(Broker({TP0: None})) as (worker, broker):
        await fetch(worker.consumer, broker, skipped(15_001))

        await worker.consumer.commit()

        assert broker.committed == {TP0: 15_001}


async def test_a_partition_without_any_record_ever_is_not_committed() -> None:
    async with unstarted(Broker({TP0: None})) as (worker, broker):
        await fetch(worker.consumer, broker, skipped(0))

        await worker.consumer.commit()

        assert broker.committed == {TP0: None}


async def test_nothing_that_was_skipped_is_committed_before_the_chunks_before_it(
    consumer: ChunkConsumer, broker: Broker
) -> None:
    (one,) = await fetch(consumer, broker, Fetched({TP0: records(100, 150)}, {TP0: 160}))
    (two,) = await fetch(consumer, broker, Fetched({TP0: records(160, 170)}, {TP0: 180}))
    await fetch(consumer, broker, skipped(190))
    found = []
    for chunk in (None, two, one):
        if chunk:
            consumer.acknowledge(chunk)
        await consumer.commit()
        found.append(broker.committed[TP0])

    assert found == [100, 100, 190]


async def test_a_written_chunk_is_committed_while_one_behind_it_is_not_written(
    consumer: ChunkConsumer, broker: Broker
) -> None:
    one, _ = await deliver(consumer, broker, (100, 150), (150, 200))
    await fetch(consumer, broker, skipped(210))
    consumer.acknowledge(one)

    await consumer.commit()

    assert broker.committed == {TP0: 150}


async def test_the_position_of_a_partition_that_was_lost_is_not_committed(
    consumer: ChunkConsumer, broker: Broker
) -> None:
    await fetch(consumer, broker, skipped(9, TP1))

    await consumer.commit()

    assert broker.committed == {TP0: 100}


async def test_a_position_that_moves_back_is_not_committed(consumer: ChunkConsumer, broker: Broker) -> None:
    await fetch(consumer, broker, skipped(5))  # the topic was created anew

    await consumer.commit()

    assert broker.committed == {TP0: 100}


async def test_the_position_is_committed_before_a_rebalance(consumer: ChunkConsumer, broker: Broker) -> None:
    await fetch(consumer, broker, skipped(120))

    await consumer.on_partitions_revoked({TP0})

    assert broker.committed == {TP0: 120}


# Fetches that are lost: the position is past what they returned


async def test_the_position_of_a_fetch_that_is_dropped_in_a_rebalance_is_dropped_too(
    consumer: ChunkConsumer, broker: Broker
) -> None:
    async def stop() -> None:
        consumer.stop_flow()

    broker.while_fetching = stop
    await fetch(consumer, broker, Fetched({TP0: records(100, 150)}, {TP0: 150}))
    consumer.resume_flow()

    await consumer.commit()

    assert broker.committed == {TP0: 100}


async def test_after_a_fetch_that_failed_the_worker_goes_back_before_it_delivers_anything(
    consumer: ChunkConsumer, broker: Broker
) -> None:
    sought = count_seeks(broker)

    async def fail() -> None:
        raise ConnectionError

    broker.while_fetching = fail
    with pytest.raises(ConnectionError):
        await fetch(consumer, broker, {})
    broker.while_fetching = None
    broker.fetches.clear()
    behind = await fetch(consumer, broker, Fetched({TP0: records(150, 160)}, {TP0: 160}))
    (again,) = await fetch(consumer, broker, Fetched({TP0: records(100, 160)}, {TP0: 160}))

    assert (behind, len(sought), span(again)) == ([], 1, (100, 159))


async def test_where_going_back_fails_it_is_tried_again_before_anything_is_delivered(
    consumer: ChunkConsumer, broker: Broker
) -> None:
    async def fail() -> None:
        raise ConnectionError

    consumer.stop_flow()
    pending = asyncio.ensure_future(fetch(consumer, broker, {TP0: records(100, 150)}))
    await turns()
    broker.while_fetching, broker.while_seeking = stopping(consumer), fail
    consumer.resume_flow()
    dropped = await pending
    consumer.resume_flow()
    broker.while_fetching, broker.while_seeking = None, None
    behind = await fetch(consumer, broker, Fetched({TP0: records(150, 160)}, {TP0: 160}))
    await consumer.commit()

    assert (dropped, behind) == ([], [])
    assert broker.committed == {TP0: 100}


async def test_what_a_failed_commit_would_have_committed_is_committed_after_the_rebalance(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def refuse(_: object) -> bool:
        return False

    async with unstarted(Broker({TP0: None})) as (worker, broker):
        await fetch(worker.consumer, broker, skipped(3))
        with monkeypatch.context() as patched:
            patched.setattr(broker, "commit", refuse)
            await worker.consumer.commit()
        await worker.consumer.perform_seek()
        await fetch(worker.consumer, broker, skipped(3))

        await worker.consumer.commit()

        assert broker.committed == {TP0: 3}


def stopping(consumer: ChunkConsumer) -> Any:
    async def stop() -> None:
        consumer.stop_flow()

    return stop


def count_seeks(broker: Broker) -> list[None]:
    sought: list[None] = []

    async def count() -> None:
        sought.append(None)

    broker.while_seeking = count
    return sought


# Reading aiokafka's state


async def test_the_positions_are_those_of_the_assigned_partitions_that_have_one() -> None:
    subscription = Subscription({TELEPHONY})
    subscription._assign({TP0, TP1})  # noqa: SLF001 - aiokafka's own state, without a broker
    assert subscription.assignment is not None
    state = subscription.assignment.state_value(TP0)
    state.seek(7)
    state.lso, state.highwater = 8, 9

    assert positions(aiokafkas(subscription)) == {TP0: 7}
    assert stable_ends(aiokafkas(subscription)) == {TP0: (8, 9)}
    assert positions(aiokafkas(None)) == {}


async def test_a_position_behind_a_record_that_cannot_be_read_is_none() -> None:
    subscription = Subscription({TELEPHONY})
    subscription._assign({TP0})  # noqa: SLF001
    assert subscription.assignment is not None
    subscription.assignment.state_value(TP0).seek(7)

    assert positions(aiokafkas(subscription, {TP0: FetchError(error=ValueError(), backoff=0)})) == {}


def aiokafkas(subscription: Subscription | None, fetched: dict[TP, Any] | None = None) -> Any:
    return SimpleNamespace(
        _subscription=SimpleNamespace(subscription=subscription), _fetcher=SimpleNamespace(_records=fetched or {})
    )


# Open transactions


def shown() -> dict[str, float]:
    lines = metrics.WORKER.text().decode().splitlines()
    found = [line.rsplit(" ", 1) for line in lines if line.startswith("callfold_open_transaction_seconds{")]
    return {labels.partition("partition=")[2].split('"')[1]: float(value) for labels, value in found}


def test_a_partition_is_held_up_for_as_long_as_its_stable_offset_stands_behind_its_end() -> None:
    transactions, seconds = OpenTransactions(), []

    for now, ends in enumerate([(5, 5), (5, 6), (5, 9), (8, 9), (8, 9), (9, 9)]):
        transactions.observe({TP0: ends}, float(now))
        seconds.append(shown()["0"])

    assert seconds == [0, 0, 1, 0, 1, 0]
    transactions.observe({}, 9.0)


def test_partitions_that_are_no_longer_owned_are_not_shown() -> None:
    transactions = OpenTransactions()
    transactions.observe({TP0: (1, 2), TP1: (1, 1)}, 0.0)
    before = set(shown())

    transactions.observe({TP1: (1, 1)}, 1.0)

    assert (before, set(shown())) == ({"0", "1"}, {"1"})
    transactions.observe({}, 2.0)
    assert shown() == {}
