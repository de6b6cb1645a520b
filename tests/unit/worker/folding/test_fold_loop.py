"""The fold loop: from a stale call to its record."""

import pytest

from services.worker.folding.schedule import Watermark
from shared.calls.leased_folds import Outcome
from shared.store.ports import Store
from shared.store.states import State
from tests.support.events.makers import STARTED, Json, event
from tests.support.store.makers import body_of, state_of
from tests.support.worker.fold_cases import BEGUN, CREATED, ENDED, MARK, OPT_OUT, SAID
from tests.support.worker.memory_worker import MemoryWorker, folded, turns_before

# From events to the record


async def test_a_call_that_has_ended_becomes_final_and_equals_the_fold_of_its_events() -> None:
    worker = MemoryWorker()
    for each in (CREATED, BEGUN, SAID, ENDED):
        await worker.deliver(each)

    outcome = await worker.step()

    found = await worker.found()
    assert outcome == Outcome(stored=1)
    assert (found.state, body_of(found)) == (State.FINAL, folded(CREATED, BEGUN, SAID, ENDED))


async def test_a_call_whose_first_batch_ends_it_becomes_final_too() -> None:
    worker = MemoryWorker()
    await worker.deliver(CREATED, BEGUN, SAID, ENDED)

    await worker.rest()

    assert body_of(await worker.found()) == folded(CREATED, BEGUN, SAID, ENDED)


async def test_a_late_event_makes_a_final_record_stale_until_it_is_folded_again() -> None:
    worker = MemoryWorker()
    await worker.deliver(BEGUN, ENDED)
    await worker.rest()

    await worker.deliver(SAID)
    meanwhile = (await worker.found()).state
    await worker.rest()

    found = await worker.found()
    assert meanwhile is State.STALE
    assert (found.state, body_of(found)) == (State.FINAL, folded(BEGUN, ENDED, SAID))


async def test_a_live_call_that_has_grown_is_stored_and_stays_live() -> None:
    worker = MemoryWorker()
    notes = [event("call.note") for _ in range(51)]
    await worker.deliver(BEGUN)
    await worker.deliver(*notes)

    await worker.rest()

    found = await worker.found()
    assert (found.state, body_of(found)) == (State.LIVE, folded(BEGUN, *notes))


async def test_a_live_call_that_has_not_grown_is_not_folded() -> None:
    worker = MemoryWorker()
    await worker.deliver(BEGUN, SAID)

    assert await worker.step() == Outcome()


async def test_while_many_calls_become_due_at_once_others_have_their_turn() -> None:
    async def step(store: Store) -> None:
        worker = MemoryWorker(store=store)
        for number in range(5_000):
            worker.schedule.observe(f"org-789/call-{number}", 0, STARTED, stale_since=None)
        await worker.step()

    turns_by_lease = await turns_before("lease", step)

    assert turns_by_lease[0] >= 5


async def test_only_calls_of_the_workers_partitions_are_folded() -> None:
    nobody = MemoryWorker(watermarks={})
    await nobody.deliver(BEGUN, ENDED)

    assert await nobody.step() == Outcome()
    assert await state_of(nobody.memory) is State.STALE


async def test_a_stale_call_that_another_worker_left_is_found_in_the_store() -> None:
    dead = MemoryWorker()
    await dead.deliver(BEGUN, ENDED)

    await MemoryWorker(memory=dead.memory).rest()

    assert await state_of(dead.memory) is State.FINAL


async def test_in_the_middle_of_a_backlog_nothing_is_leased() -> None:
    worker = MemoryWorker()
    worker.watermarks = dict.fromkeys(worker.watermarks, Watermark(until=STARTED - 60_000, at_end=False))
    await worker.deliver(BEGUN, ENDED)

    assert await worker.step() == Outcome()
    assert await state_of(worker.memory) is State.STALE


# Opting out


@pytest.mark.parametrize("order", [[SAID, OPT_OUT, ENDED], [OPT_OUT, SAID, ENDED], [SAID, ENDED, OPT_OUT]])
@pytest.mark.parametrize("fold_between", [False, True])
async def test_of_an_opted_out_call_no_content_is_left_anywhere(order: list[Json], fold_between: bool) -> None:
    worker = MemoryWorker()

    for each in order:
        await worker.deliver(each)
        if fold_between:
            await worker.rest()
    await worker.rest()

    found = await worker.found()
    assert found.opted_out
    assert body_of(found) == folded(*order)
    assert b"secret" not in worker.log() + (body_of(found) or b"")


async def test_an_opt_out_whose_update_was_lost_is_found_in_the_log() -> None:
    worker = MemoryWorker()
    await worker.deliver(SAID, OPT_OUT, ENDED)
    again = MemoryWorker()
    await again.memory.insert(list(worker.memory.log.values()))
    await again.memory.mark_stale([MARK])

    await again.rest()

    assert (await again.found()).opted_out
    assert b"secret" not in again.log()
