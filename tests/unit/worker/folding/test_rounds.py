"""The rounds of the fold loop: calls that cannot be folded, and a store that fails or is slow in the middle."""

import asyncio
from collections.abc import Collection, Sequence
from typing import Any

import pytest

from services.worker.metrics import WORKER
from shared.calls.leased_folds import Outcome
from shared.store.memory.calls import MemoryStore
from shared.store.models import FoldResult, Lease, LogDocument
from shared.store.ports import StoreUnavailable, Unstorable
from shared.store.states import MAX_ATTEMPTS, State
from tests.support.events.makers import STARTED
from tests.support.eventually import eventually
from tests.support.store.makers import CALL, body_of, state_of, tokens
from tests.support.worker.fold_cases import BEGUN, ENDED, OPT_OUT, OTHERS, SAID, attempts_of, ended, torn
from tests.support.worker.memory_worker import MemoryWorker, folded, watched

# Calls that cannot be folded


async def test_a_call_whose_fold_fails_is_broken_and_the_others_are_stored() -> None:
    worker = MemoryWorker(prices=torn())
    before = WORKER.registry.get_sample_value("callfold_calls_broken_total") or 0
    await worker.deliver(BEGUN, ENDED, *ended("call-1", at=STARTED + 1), *ended("call-2", at=STARTED + 2))

    outcome = await worker.step()

    assert outcome == Outcome(stored=2, broken=1)
    assert [await state_of(worker.memory, call) for call in (CALL, *OTHERS)] == [State.BROKEN, *[State.FINAL] * 2]
    assert body_of(await worker.found()) is None
    assert WORKER.registry.get_sample_value("callfold_calls_broken_total") == before + 1


async def test_a_call_that_opted_out_and_cannot_be_folded_keeps_no_content_either() -> None:
    worker = MemoryWorker(prices=torn())
    await worker.deliver(BEGUN, SAID, OPT_OUT, ENDED)

    await worker.rest()

    assert await state_of(worker.memory) is State.BROKEN
    assert b"secret" not in worker.log()


async def test_a_broken_call_is_tried_again_with_its_next_event() -> None:
    worker = MemoryWorker(prices=torn())
    await worker.deliver(BEGUN, ENDED)
    await worker.rest()
    mended = MemoryWorker(memory=worker.memory)

    await mended.deliver(SAID)
    await mended.rest()

    assert body_of(await mended.found()) == folded(BEGUN, ENDED, SAID)


async def test_a_call_that_ended_its_process_in_each_attempt_is_broken_without_another() -> None:
    worker = MemoryWorker(memory=MemoryStore(lease_ms=-1))  # every lease has expired
    await worker.deliver(BEGUN, ENDED)
    for _ in range(MAX_ATTEMPTS):
        await worker.memory.lease([CALL], next(tokens))
    read: list[str] = []

    async def keep(step: str) -> None:
        read.append(step)

    outcome = await MemoryWorker(store=watched(worker.memory, before=keep)).step()

    assert outcome == Outcome(broken=1)
    assert "read" not in read
    assert await state_of(worker.memory) is State.BROKEN


class Died(BaseException):
    """The process ends here."""


class Deadly(MemoryStore):
    """Ends the process in which one call is read."""

    async def read(self, calls: Collection[str]) -> dict[str, list[LogDocument]]:
        if CALL in calls:
            raise Died
        return await super().read(calls)


async def test_a_call_that_ends_each_process_that_folds_it_is_broken_alone() -> None:
    memory = Deadly(lease_ms=-1)  # every lease has expired
    await MemoryWorker(memory=memory).deliver(BEGUN, ENDED, *ended("call-1"), *ended("call-2"))
    deaths = 0

    while await state_of(memory) is not State.BROKEN:
        try:
            await MemoryWorker(memory=memory).rest()
        except Died:
            deaths += 1

    assert deaths == MAX_ATTEMPTS
    assert [await state_of(memory, call) for call in OTHERS] == [State.FINAL] * 2


class Picky(MemoryStore):
    """Rejects the calls that the test names: to store a record, or to read a log."""

    unstorable: Collection[str] = ()
    unreadable: Collection[str] = ()

    async def store_results(self, leases: Sequence[tuple[Lease, FoldResult]]) -> set[str]:
        if any(lease.call in self.unstorable for lease, _ in leases):
            raise Unstorable("of this content")
        return await super().store_results(leases)

    async def read(self, calls: Collection[str]) -> dict[str, list[LogDocument]]:
        if any(call in self.unreadable for call in calls):
            raise ValueError("what is this?")
        return await super().read(calls)


@pytest.mark.parametrize("trouble", ["unstorable", "unreadable"])
async def test_of_several_calls_only_the_one_that_fails_is_broken(trouble: str) -> None:
    memory = Picky()
    worker = MemoryWorker(memory=memory)
    await worker.deliver(BEGUN, ENDED, *ended("call-1"), *ended("call-2"))
    setattr(memory, trouble, {CALL})

    outcome = await worker.step()

    assert outcome == Outcome(stored=2, broken=1)
    assert [await state_of(memory, call) for call in (CALL, *OTHERS)] == [State.BROKEN, *[State.FINAL] * 2]


# Outages


@pytest.mark.parametrize("step", ["sizes", "read", "redact", "store_results", "mark_broken"])
async def test_a_store_that_fails_in_the_middle_of_a_round_costs_the_calls_no_attempt(step: str) -> None:
    failures = [StoreUnavailable(step)]

    async def fail(name: str) -> None:
        if name == step and failures:
            raise failures.pop()

    memory = MemoryStore()
    worker = MemoryWorker(memory=memory, store=watched(memory, before=fail), prices=torn(STARTED + 1))
    await worker.deliver(BEGUN, SAID, OPT_OUT, ENDED)
    await worker.deliver(*ended("call-1", at=STARTED + 1))

    outcome = await worker.step()

    assert outcome.released == 2
    assert await state_of(memory) is State.STALE
    assert await attempts_of(memory) == 0
    await worker.rest()
    assert [await state_of(memory, call) for call in (CALL, OTHERS[0])] == [State.FINAL, State.BROKEN]


@pytest.mark.parametrize("made", [False, True])
async def test_a_lease_whose_response_was_lost_is_released(made: bool) -> None:
    failures = [StoreUnavailable("lease")]

    async def fail(name: str) -> None:
        if name == "lease" and failures:
            raise failures.pop()

    memory = MemoryStore()
    worker = MemoryWorker(memory=memory, store=watched(memory, after=fail) if made else watched(memory, before=fail))
    await worker.deliver(BEGUN, ENDED)

    assert await worker.step() == Outcome(released=1)
    assert await attempts_of(memory) == 0
    assert await worker.step() == Outcome(stored=1)


async def test_leases_are_renewed_while_a_round_is_slow() -> None:
    memory = MemoryStore(lease_ms=1_000)
    renewals: list[str] = []
    others: list[list[Lease]] = []

    async def wait(name: str) -> None:
        if name == "renew":
            renewals.append(name)
        if name == "read":
            await eventually(lambda: len(renewals) > 4)  # longer than the first lease holds
            others.append(await memory.lease([CALL], next(tokens)))

    worker = MemoryWorker(memory=memory, store=watched(memory, before=wait), lease_seconds=1.0)
    await worker.deliver(BEGUN, ENDED)

    assert await worker.step() == Outcome(stored=1)
    assert others == [[]]


async def test_a_fold_loop_that_is_cancelled_releases_its_leases() -> None:
    reading = asyncio.Event()

    async def wait(name: str) -> None:
        if name == "read":
            reading.set()
            await asyncio.Event().wait()

    memory = MemoryStore()
    worker = MemoryWorker(memory=memory, store=watched(memory, before=wait))
    await worker.deliver(BEGUN, ENDED)
    step = asyncio.create_task(worker.step())
    await reading.wait()

    step.cancel()
    with pytest.raises(asyncio.CancelledError):
        await step

    assert await state_of(memory) is State.STALE
    assert await attempts_of(memory) == 0


async def test_a_new_event_during_a_fold_discards_the_result_and_the_call_is_folded_again() -> None:
    memory = MemoryStore()

    async def mark_stale(name: str) -> None:
        if name == "read" and not marked:
            marked.append(await another.deliver(SAID))

    marked: list[Any] = []
    another = MemoryWorker(memory=memory)
    worker = MemoryWorker(memory=memory, store=watched(memory, after=mark_stale))
    await worker.deliver(BEGUN, ENDED)

    first, second = await worker.step(), await worker.step()

    assert (first, second) == (Outcome(overtaken=1), Outcome(stored=1))
    assert body_of(await worker.found()) == folded(BEGUN, ENDED, SAID)


async def test_a_call_is_not_folded_again_right_after_a_fold() -> None:
    worker = MemoryWorker()
    await worker.deliver(BEGUN, ENDED)
    await worker.step()
    await worker.deliver(SAID)

    at_once = await worker.fold_loop.step()
    worker.clock.move(1.9)
    soon = await worker.fold_loop.step()
    worker.clock.move(0.1)
    then = await worker.fold_loop.step()

    assert (at_once, soon, then) == (Outcome(), Outcome(), Outcome(stored=1))
