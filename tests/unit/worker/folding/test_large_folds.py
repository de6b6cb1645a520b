"""Large calls in the worker: folded concurrently with the others; a failure of one affects no other."""

import asyncio
from dataclasses import dataclass, field

import pytest

from shared.calls.fold_call import StoredFold
from shared.calls.large_calls import LARGE_BYTES, FoldFailed, LargeReading, OutOfMemory, PoolUnavailable, ProcessEnded
from shared.calls.leased_folds import Outcome
from shared.calls.views import View
from shared.fold_pool.in_process import InProcessFolds
from shared.store.memory.calls import MemoryStore
from shared.store.models import Lease
from shared.store.ports import Store, StoreUnavailable, Unstorable
from shared.store.states import MAX_ATTEMPTS, State
from tests.support.events.makers import STARTED, book
from tests.support.eventually import eventually
from tests.support.store.makers import CALL, body_of, state_of, tokens
from tests.support.worker.fold_cases import BEGUN, ENDED, OTHERS, SAID, Heavy, attempts_of, ended, torn
from tests.support.worker.memory_worker import MemoryWorker, folded, watched


@dataclass
class ControlledPool:
    """A pool that the test controls: each fold waits until it may end, and then fails in the next given way."""

    store_in: Store
    failures: list[Exception] = field(default_factory=list)
    may: asyncio.Event = field(default_factory=asyncio.Event)
    begun: list[str] = field(default_factory=list)

    async def store(self, lease: Lease) -> StoredFold:
        self.begun.append(lease.call)
        await self.may.wait()
        if self.failures:
            raise self.failures.pop(0)
        return await InProcessFolds(self.store_in, book()).store(lease)

    async def read(self, call: str, view: View = View.RECORD) -> LargeReading | None:
        raise NotImplementedError(call, view)


def heavy(lease_ms: int = 60_000) -> Heavy:
    """Return a store in which one call is large."""
    return Heavy(LARGE_BYTES, only=[CALL], lease_ms=lease_ms)


def controlled(memory: MemoryStore, *failures: Exception, at_once: bool = True) -> ControlledPool:
    pool = ControlledPool(memory, list(failures))
    if at_once:
        pool.may.set()
    return pool


async def settled(worker: MemoryWorker) -> Outcome:
    """Return the outcome of a step and of the folds that it submitted."""
    outcome = await worker.step()
    await worker.fold_loop.wait()
    worker.watermarks = {}
    return outcome + await worker.fold_loop.step()


async def test_while_a_large_call_is_folded_the_others_are_stored() -> None:
    memory = heavy()
    pool = controlled(memory, at_once=False)
    worker = MemoryWorker(memory=memory, large=pool)
    await worker.deliver(BEGUN, ENDED, *ended("call-1"))

    meanwhile = await worker.step()
    await worker.deliver(*ended("call-2"))
    then = await worker.step()

    assert (meanwhile, then, pool.begun) == (Outcome(stored=1), Outcome(stored=1), [CALL])
    assert [await state_of(memory, call) for call in (CALL, *OTHERS)] == [State.FOLDING, *[State.FINAL] * 2]
    pool.may.set()
    await worker.rest()
    assert body_of(await worker.found()) == folded(BEGUN, ENDED)


async def test_the_lease_of_a_large_call_is_renewed_until_its_fold_ends() -> None:
    memory = heavy(lease_ms=1_000)
    pool = controlled(memory, at_once=False)
    renewals: list[str] = []

    async def count(name: str) -> None:
        renewals.extend([name] if name == "renew" else [])

    worker = MemoryWorker(memory=memory, store=watched(memory, before=count), large=pool, lease_seconds=1.0)
    await worker.deliver(BEGUN, ENDED)

    await worker.step()
    await eventually(lambda: len(renewals) > 4)  # longer than the first lease holds
    others = await memory.lease([CALL], next(tokens))
    pool.may.set()
    await worker.rest()

    assert others == []
    assert await state_of(memory) is State.FINAL


async def test_a_new_event_during_the_fold_of_a_large_call_discards_its_result() -> None:
    memory = heavy()
    pool = controlled(memory, at_once=False)
    worker = MemoryWorker(memory=memory, large=pool)
    await worker.deliver(BEGUN, ENDED)
    await worker.step()

    await worker.deliver(SAID)
    pool.may.set()
    await worker.rest()

    assert body_of(await worker.found()) == folded(BEGUN, ENDED, SAID)


@pytest.mark.parametrize(
    "failure", [Unstorable("of this content"), FoldFailed("KeyError"), OutOfMemory("CALLFOLD_POOL_MEMORY_MB=64")]
)
async def test_a_large_call_that_cannot_be_folded_is_broken_alone(failure: Exception) -> None:
    memory = heavy()
    worker = MemoryWorker(memory=memory, large=controlled(memory, failure))
    await worker.deliver(BEGUN, ENDED, *ended("call-1"))

    assert await settled(worker) == Outcome(stored=1, broken=1)
    assert [await state_of(memory, call) for call in (CALL, OTHERS[0])] == [State.BROKEN, State.FINAL]


async def test_a_large_call_that_ends_its_process_is_tried_again_and_broken_in_the_end() -> None:
    memory = heavy(lease_ms=-1)  # every lease has expired
    pool = controlled(memory, *[ProcessEnded("SIGKILL ended its process")] * (MAX_ATTEMPTS + 1))
    worker = MemoryWorker(memory=memory, large=pool)
    await worker.deliver(BEGUN, ENDED)

    outcomes = []
    for _ in range(MAX_ATTEMPTS + 1):
        outcomes.append(await worker.step())
        await worker.fold_loop.wait()

    assert outcomes == [*[Outcome()] * MAX_ATTEMPTS, Outcome(broken=1)]
    assert pool.begun == [CALL] * MAX_ATTEMPTS
    assert await state_of(memory) is State.BROKEN


@pytest.mark.parametrize("failure", [StoreUnavailable("mongodb"), PoolUnavailable("no process can be started")])
async def test_a_failure_that_is_not_the_calls_costs_it_no_attempt(failure: Exception) -> None:
    memory = heavy()
    worker = MemoryWorker(memory=memory, large=controlled(memory, failure))
    await worker.deliver(BEGUN, ENDED)

    outcome = await settled(worker)

    assert outcome == Outcome(released=1)
    assert await attempts_of(memory) == 0


async def test_large_calls_without_room_are_released_and_folded_later() -> None:
    memory = Heavy(LARGE_BYTES)
    pool = controlled(memory, at_once=False)
    worker = MemoryWorker(memory=memory, large=pool)
    await worker.deliver(BEGUN, ENDED, *ended("call-1"), *ended("call-2"))

    outcome = await worker.step()
    at_once = await worker.fold_loop.step()
    pool.may.set()
    await worker.rest()

    assert (outcome, at_once) == (Outcome(released=1), Outcome())
    assert [await state_of(memory, call) for call in (CALL, *OTHERS)] == [State.FINAL] * 3


async def test_a_large_call_with_a_failed_attempt_waits_without_a_lease() -> None:
    memory = Heavy(LARGE_BYTES, lease_ms=-1)  # every lease has expired
    pool = controlled(memory, at_once=False)
    worker = MemoryWorker(memory=memory, large=pool)
    await worker.deliver(BEGUN, ENDED)
    await worker.step()
    await worker.deliver(*ended("call-1"))
    await memory.lease([OTHERS[0]], next(tokens))  # by a worker that died

    await worker.step()

    assert await state_of(memory, OTHERS[0]) is State.STALE
    pool.may.set()
    await worker.fold_loop.stop()


@pytest.mark.parametrize("begun", [False, True])
async def test_a_fold_loop_that_stops_releases_large_calls(begun: bool) -> None:
    memory = heavy()
    pool = controlled(memory, at_once=False)
    worker = MemoryWorker(memory=memory, large=pool)
    await worker.deliver(BEGUN, ENDED)
    await worker.step()
    if begun:
        await asyncio.sleep(0)

    await worker.fold_loop.stop()

    assert pool.begun == ([CALL] if begun else [])
    assert await state_of(memory) is State.STALE
    assert await attempts_of(memory) == 0


async def test_an_internal_error_in_a_large_fold_is_raised() -> None:
    memory = heavy()
    worker = MemoryWorker(memory=memory, large=controlled(memory, ZeroDivisionError()))
    await worker.deliver(BEGUN, ENDED)

    with pytest.raises(ZeroDivisionError):
        await settled(worker)


async def test_a_large_call_is_broken_by_its_fold_and_not_by_its_size() -> None:
    memory = heavy()
    worker = MemoryWorker(memory=memory, prices=torn())
    await worker.deliver(BEGUN, ENDED, *ended("call-1", at=STARTED + 1))

    assert await settled(worker) == Outcome(stored=1, broken=1)
    assert await state_of(memory) is State.BROKEN
