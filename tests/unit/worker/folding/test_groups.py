"""The groups in which a round's calls are folded: how much at once, and what runs concurrently."""

import asyncio
from itertools import pairwise

import pytest

from shared.calls.fold_call import FoldStats
from shared.calls.large_calls import LARGE_BYTES
from shared.calls.leased_folds import TURNS, LeasedFolds, Outcome
from shared.store.memory.calls import MemoryStore
from shared.store.models import Lease
from shared.store.ports import StoreUnavailable
from shared.store.states import State
from tests.support.events.makers import book
from tests.support.eventually import scaled
from tests.support.store.makers import CALL, state_of, tokens
from tests.support.worker.fold_cases import BEGUN, ENDED, OTHERS, Heavy, ended
from tests.support.worker.memory_worker import MemoryWorker, watched


async def test_results_stored_before_the_store_failed_stay_stored() -> None:
    memory = Heavy(LARGE_BYTES - 1)  # so that two calls are a group
    replaced: list[str] = []

    async def fail(name: str) -> None:
        replaced.extend([name] if name == "store_results" else [])
        if replaced == ["store_results"] * 2:
            replaced.append("failed")
            raise StoreUnavailable(name)

    worker = MemoryWorker(memory=memory, store=watched(memory, before=fail))
    calls = [f"call-{number}" for number in range(5)]
    await worker.deliver(*(each for call in calls for each in ended(call)))

    await worker.step()

    states = [await state_of(memory, f"org-789/{call}") for call in calls]
    assert sorted(states) == [*[State.FINAL] * 3, *[State.STALE] * 2]


async def test_a_round_folds_about_32_megabytes_and_releases_the_rest() -> None:
    worker = MemoryWorker(memory=Heavy(LARGE_BYTES - 1))
    await worker.deliver(*(each for number in range(40) for each in ended(f"call-{number}")))

    first, second = await worker.step(), await worker.step()

    assert (first, second) == (Outcome(stored=33, released=7), Outcome(stored=7))


async def test_the_next_round_leases_no_more_calls_than_fitted_into_the_last() -> None:
    worker = MemoryWorker(memory=Heavy(LARGE_BYTES - 1))
    await worker.deliver(*(each for number in range(80) for each in ended(f"call-{number}")))

    outcomes = [await worker.step() for _ in range(3)]

    assert outcomes == [Outcome(stored=33, released=47), Outcome(stored=33), Outcome(stored=14)]


async def test_while_one_group_is_being_stored_the_next_is_read() -> None:
    steps: list[str] = []
    both_read = asyncio.Event()

    async def wait(name: str) -> None:
        steps.append(name)
        if steps.count("read") == 2:
            both_read.set()
        if name == "store_results":
            await both_read.wait()

    memory = Heavy(LARGE_BYTES - 1)  # so that two calls are a group
    worker = MemoryWorker(memory=memory, store=watched(memory, before=wait))
    await worker.deliver(BEGUN, ENDED, *ended("call-1"), *ended("call-2"))

    async with asyncio.timeout(scaled(30)):
        outcome = await worker.step()

    assert outcome == Outcome(stored=3)


async def test_no_group_is_being_folded_when_leases_are_released() -> None:
    under_way: list[str] = []
    left: list[list[str]] = []
    both_read = asyncio.Event()

    async def wait(name: str) -> None:
        if name == "release":
            left.append(list(under_way))
        if name == "read":
            under_way.append(name)
            if len(under_way) == 2:
                both_read.set()
            try:
                await asyncio.Event().wait()
            finally:
                under_way.remove(name)

    memory = Heavy(LARGE_BYTES - 1)  # so that two calls are a group
    worker = MemoryWorker(memory=memory, store=watched(memory, before=wait))
    await worker.deliver(BEGUN, ENDED, *ended("call-1"), *ended("call-2"))
    step = asyncio.create_task(worker.step())
    await both_read.wait()

    step.cancel()
    with pytest.raises(asyncio.CancelledError):
        await step

    assert left
    assert not any(left)
    assert [await state_of(memory, call) for call in (CALL, *OTHERS)] == [State.STALE] * 3


class NotedFolds(LeasedFolds):
    """Notes after how many turns of the event loop each call was folded."""

    turns = 0

    def __init__(self, memory: MemoryStore) -> None:
        super().__init__(memory, book(), renew_seconds=60)
        self.folded_at: list[int] = []

    def on_folded(self, lease: Lease, stats: FoldStats) -> None:
        super().on_folded(lease, stats)
        self.folded_at.append(self.turns)

    async def count_turns(self) -> None:
        while True:
            await asyncio.sleep(0)
            self.turns += 1


async def test_between_two_folds_an_answer_of_the_store_reaches_its_batch() -> None:
    worker = MemoryWorker()
    await worker.deliver(*ended("call-1"), *ended("call-2"), *ended("call-3"))
    folds = NotedFolds(worker.memory)
    counting = asyncio.create_task(folds.count_turns())

    await folds.fold(await worker.memory.lease([f"org-789/call-{number}" for number in (1, 2, 3)], next(tokens)))
    counting.cancel()

    assert [later - earlier for earlier, later in pairwise(folds.folded_at)] == [TURNS, TURNS]
