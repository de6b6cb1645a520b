"""From Faust's events to the batch writer: what is written, and what is acknowledged after it."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from services.worker import worker as module
from services.worker.metrics import WORKER
from services.worker.worker import Worker
from shared.store.memory.calls import MemoryStore
from shared.store.ports import StoreUnavailable
from tests.support.events.makers import event
from tests.support.eventually import scaled
from tests.support.store.makers import CALL
from tests.support.worker.memory_worker import Hook, Received, received, watched
from tests.support.worker.unstarted_consumer import TP0, Broker, Stream, fetch, ingest, turns, unstarted


def events_of(count: int, start: int = 100) -> list[Received]:
    return [received(event("call.note"), partition=0, offset=start + number) for number in range(count)]


class Failing:
    """A store with a hook before each method."""

    def __init__(self) -> None:
        self.memory = MemoryStore()
        self.before: Hook | None = None
        self.store = watched(self.memory, before=self._before)

    async def _before(self, step: str) -> None:
        if self.before:
            await self.before(step)


@pytest.fixture(autouse=True)
def ended(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The statuses with which the process would have ended."""
    statuses: list[int] = []
    monkeypatch.setattr(module, "end_process", statuses.append)
    return statuses


@pytest.fixture
def failing() -> Failing:
    return Failing()


@pytest.fixture
async def made(failing: Failing) -> AsyncIterator[tuple[Worker, Broker]]:
    async with unstarted(Broker({TP0: 100}), failing.store, batch_events=5_000) as made:
        yield made


async def test_what_is_written_is_acknowledged_and_then_committed(made: tuple[Worker, Broker]) -> None:
    worker, broker = made
    chunks = await fetch(worker.consumer, broker, {TP0: events_of(1_200)})

    await ingest(worker, chunks)
    await worker.consumer.commit()

    assert broker.committed == {TP0: 1_300}
    assert await worker.store.read_states([CALL])


async def test_a_large_fetch_is_written_in_batches_of_whole_chunks(
    made: tuple[Worker, Broker], failing: Failing
) -> None:
    worker, broker = made
    chunks = await fetch(worker.consumer, broker, {TP0: events_of(6_000)})
    inserts: list[str] = []

    async def keep(step: str) -> None:
        inserts.extend([step] if step == "insert" else [])

    failing.before = keep
    full = WORKER.registry.get_sample_value("callfold_full_batches_total") or 0
    await ingest(worker, chunks)

    assert len(inserts) == 2  # 5,000 events and the rest
    assert WORKER.registry.get_sample_value("callfold_full_batches_total") == full + 1


async def test_two_batches_are_written_concurrently(made: tuple[Worker, Broker], failing: Failing) -> None:
    worker, broker = made
    chunks = await fetch(worker.consumer, broker, {TP0: events_of(16_000)})
    inserting, begun, may_go_on = asyncio.Event(), 0, asyncio.Event()

    async def wait(step: str) -> None:
        nonlocal begun
        if step == "insert":
            begun += 1
            inserting.set()
            await may_go_on.wait()

    failing.before = wait
    writing = asyncio.ensure_future(ingest(worker, chunks))
    await inserting.wait()
    await turns()
    at_once = begun
    may_go_on.set()
    await writing

    assert (at_once, begun) == (2, 4)


async def test_a_fetch_is_written_while_the_one_before_it_is(made: tuple[Worker, Broker], failing: Failing) -> None:
    worker, broker = made
    fetches = [await fetch(worker.consumer, broker, {TP0: events_of(10, start)}) for start in (100, 110, 120)]
    begun, may_go_on = [0], asyncio.Event()

    async def wait(step: str) -> None:
        if step == "insert":
            begun[0] += 1
            await may_go_on.wait()

    failing.before = wait
    writing = asyncio.ensure_future(ingest(worker, *fetches))
    await turns()
    meanwhile = begun[0]
    may_go_on.set()
    await writing
    await worker.consumer.commit()

    assert (meanwhile, begun[0]) == (2, 3)
    assert broker.committed == {TP0: 130}


async def test_a_batch_behind_one_that_is_not_written_is_not_committed(
    made: tuple[Worker, Broker], failing: Failing
) -> None:
    worker, broker = made
    chunks = await fetch(worker.consumer, broker, {TP0: events_of(10_000)})
    marking, first, may_go_on = [0], asyncio.Event(), asyncio.Event()

    async def wait(step: str) -> None:
        if step == "mark_stale":
            marking[0] += 1
            if marking[0] == 1:
                await may_go_on.wait()
            first.set()

    failing.before = wait
    writing = asyncio.ensure_future(ingest(worker, chunks))
    await first.wait()
    await turns()
    await worker.consumer.commit()
    meanwhile = [chunk.acked for chunk in chunks], dict(broker.committed)
    may_go_on.set()
    await writing
    await worker.consumer.commit()

    assert meanwhile == ([False] * 10 + [True] * 10, {TP0: 100})
    assert broker.committed == {TP0: 10_100}


async def test_a_rebalance_waits_for_both_batches_being_written_and_for_none_behind_them(
    made: tuple[Worker, Broker], failing: Failing
) -> None:
    worker, broker = made
    chunks = await fetch(worker.consumer, broker, {TP0: events_of(16_000)})
    inserting, may_go_on = asyncio.Event(), asyncio.Event()

    async def wait(step: str) -> None:
        if step == "insert":
            inserting.set()
            await may_go_on.wait()

    failing.before = wait
    writing = asyncio.ensure_future(ingest(worker, chunks))
    await inserting.wait()
    revoked = asyncio.ensure_future(worker.consumer.on_partitions_revoked({TP0}))
    await turns()
    waits = not revoked.done()
    may_go_on.set()
    await asyncio.gather(writing, revoked)

    assert waits
    assert broker.committed == {TP0: 10_100}


async def test_a_batch_that_is_not_written_is_not_acknowledged(made: tuple[Worker, Broker], failing: Failing) -> None:
    worker, broker = made
    chunks = await fetch(worker.consumer, broker, {TP0: events_of(10)})
    marking, may_go_on = asyncio.Event(), asyncio.Event()

    async def wait(step: str) -> None:
        if step == "mark_stale":
            marking.set()
            await may_go_on.wait()

    failing.before = wait
    writing = asyncio.ensure_future(ingest(worker, chunks))
    await marking.wait()
    await turns()
    meanwhile = [chunk.acked for chunk in chunks]
    may_go_on.set()
    await writing

    assert (meanwhile, [chunk.acked for chunk in chunks]) == ([False], [True])


async def test_what_was_delivered_before_a_rebalance_is_not_written(made: tuple[Worker, Broker]) -> None:
    worker, broker = made
    chunks = await fetch(worker.consumer, broker, {TP0: events_of(10)})
    worker.app.consumer_generation_id = 2

    await ingest(worker, chunks)

    assert not chunks[0].acked
    assert await worker.store.read_states([CALL]) == {}


async def test_chunks_of_the_new_generation_are_written_though_they_come_with_chunks_of_the_old_one(
    made: tuple[Worker, Broker],
) -> None:
    worker, broker = made
    before = await fetch(worker.consumer, broker, {TP0: events_of(10)})
    worker.app.consumer_generation_id = 2
    await worker.consumer.perform_seek()
    after = await fetch(worker.consumer, broker, {TP0: events_of(10)})

    await ingest(worker, [*before, *after])
    await worker.consumer.commit()

    assert [chunk.acked for chunk in [*before, *after]] == [False, True]
    assert broker.committed == {TP0: 110}


async def test_a_batch_whose_store_is_unavailable_is_aborted_when_a_rebalance_begins(
    made: tuple[Worker, Broker], failing: Failing
) -> None:
    worker, broker = made
    chunks = await fetch(worker.consumer, broker, {TP0: events_of(10)})

    failed = asyncio.Event()

    async def fail(step: str) -> None:
        failed.set()
        raise StoreUnavailable(step)

    failing.before = fail
    writing = asyncio.ensure_future(ingest(worker, chunks))
    await failed.wait()
    await turns()
    async with asyncio.timeout(scaled(30)):
        await worker.consumer.on_partitions_revoked({TP0})
        await writing

    assert not chunks[0].acked
    assert broker.committed == {TP0: 100}


@pytest.mark.parametrize("ends", [True, False], ids=["the stream ends", "nothing more is fetched"])
async def test_an_internal_error_ends_the_process_and_acknowledges_nothing(
    made: tuple[Worker, Broker], failing: Failing, ended: list[int], ends: bool
) -> None:
    worker, broker = made
    chunks = await fetch(worker.consumer, broker, {TP0: events_of(10)})

    async def fail(_: str) -> None:
        raise KeyError("what was said")

    failing.before = fail
    async with asyncio.timeout(scaled(10)):
        await worker.ingest(Stream([chunks], ends=ends))

    assert ended == [71]
    assert not chunks[0].acked


async def test_a_cancelled_agent_acknowledges_nothing_and_does_not_end_the_process(
    made: tuple[Worker, Broker], failing: Failing
) -> None:
    worker, broker = made
    chunks = await fetch(worker.consumer, broker, {TP0: events_of(10)})

    begun = asyncio.Event()

    async def wait(_: str) -> None:
        begun.set()
        await asyncio.Event().wait()

    failing.before = wait
    writing = asyncio.ensure_future(ingest(worker, chunks))
    await begun.wait()
    writing.cancel()
    with pytest.raises(asyncio.CancelledError):
        await writing

    assert not chunks[0].acked
    assert not worker.consumer.in_progress
