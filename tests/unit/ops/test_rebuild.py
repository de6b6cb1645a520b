"""Rebuilding records, on the in-memory store."""

from dataclasses import replace
from typing import Any

import pytest

from services.ops.rebuild import NoSuchCall, Rebuilding, Tally, Wanted
from shared.calls.fold_call import fold_call
from shared.contract.ids import call_key
from shared.kafka.partitioner import partition_of
from shared.store.memory.calls import MemoryStore
from shared.store.models import CallUpdate
from shared.store.ports import Store, StoreUnavailable
from shared.store.states import State
from tests.support.events.makers import STARTED, book, event, raw
from tests.support.store.makers import CALL, body_of, document, state_of, tokens
from tests.support.worker.memory_worker import PARTITIONS, MemoryWorker, folded, watched

ENDS = [event("call.ended", call=f"call-{number}") for number in range(450)]
FIRST = "org-789/call-0"


async def partitions() -> int:
    return PARTITIONS


async def rebuild(store: Store, **wanted: Any) -> Tally:
    return await Rebuilding(store, book(), partitions).all(Wanted(**wanted), lambda _: None)


async def folded_store(ends: int = 3) -> MemoryStore:
    """Return a store with so many final calls."""
    worker = MemoryWorker()
    await worker.deliver(*ENDS[:ends])
    await worker.rest()
    return worker.memory


async def folded_by(store: MemoryStore, call: str, **versions: Any) -> None:
    """Store a call's record as other rules or another price book would have."""
    header = (await store.headers([call]))[call]
    await store.mark_stale([CallUpdate(call, header.partition, header.last_arrival, stale=True)])
    (lease,) = await store.lease([call], next(tokens))
    done = await fold_call(store, lease, (await store.read([call]))[call], book())
    await store.store_results([(lease, replace(done.result, body=b"{}", **versions))])


async def broken(store: MemoryStore, call: str) -> None:
    header = (await store.headers([call]))[call]
    await store.mark_stale([CallUpdate(call, header.partition, header.last_arrival, stale=True)])
    await store.mark_broken(await store.lease([call], next(tokens)))


async def body(store: Store, call: str) -> bytes | None:
    found = await store.find(call)
    assert found is not None
    return body_of(found)


async def test_lost_records_are_rebuilt_identically() -> None:
    lost = MemoryStore()
    lost.log = (await folded_store(len(ENDS))).log

    tally = await rebuild(lost)

    assert (tally.seen, tally.rebuilt, tally.broken, tally.left) == (len(ENDS), len(ENDS), 0, 0)
    assert [await body(lost, f"org-789/{end['subject']}") for end in ENDS] == [folded(end) for end in ENDS]


async def test_a_call_whose_arrival_is_unknown_counts_as_arrived_now() -> None:
    lost = MemoryStore()
    lost.log = (await folded_store()).log

    await rebuild(lost)

    assert (await lost.headers([FIRST]))[FIRST].last_arrival > STARTED


async def test_a_call_without_a_header_gets_the_partition_of_its_own_id() -> None:
    lost, key = MemoryStore(), call_key("org-789", "a/b%")
    await lost.insert([document(key, content=raw(event("call.ended", call="a/b%")))])

    await rebuild(lost)

    assert (await lost.headers([key]))[key].partition == partition_of("a/b%", PARTITIONS)


async def test_outdated_selects_records_of_other_rules_or_prices() -> None:
    store = await folded_store()
    await folded_by(store, "org-789/call-0", rules_version=0)
    await folded_by(store, "org-789/call-1", price_book_version="older")

    tally = await rebuild(store, outdated=True)

    assert (tally.seen, tally.rebuilt) == (3, 2)
    assert [await body(store, f"org-789/call-{number}") for number in range(3)] == [folded(end) for end in ENDS[:3]]
    assert (await rebuild(store, outdated=True)).rebuilt == 0


async def test_broken_selects_broken_calls() -> None:
    store = await folded_store()
    await broken(store, FIRST)

    tally = await rebuild(store, broken=True)

    assert (tally.seen, tally.rebuilt) == (3, 1)
    assert await body(store, FIRST) == folded(ENDS[0])


async def test_an_organization_selects_its_calls_alone() -> None:
    worker = MemoryWorker()
    await worker.deliver(
        ENDS[0], *(event("call.ended", organization=other) for other in ("org-7890", "org-788", "org"))
    )
    await worker.rest()

    assert (await rebuild(worker.memory, organization="org-789")).seen == 1


async def test_a_run_continues_after_a_call() -> None:
    store = await folded_store(len(ENDS))
    order = await store.logged_calls(len(ENDS))

    assert (await rebuild(store, after=order[-11])).seen == 10


async def test_a_live_call_without_a_stored_record_is_skipped() -> None:
    worker = MemoryWorker()
    await worker.deliver(event("call.started"))

    assert (await rebuild(worker.memory)).rebuilt == 0
    assert await state_of(worker.memory) is State.LIVE


async def test_an_event_that_arrives_during_the_fold_is_left_to_a_worker() -> None:
    worker = MemoryWorker()
    await worker.deliver(event("call.ended", id="1"))
    await worker.rest()
    late = event("call.note")

    async def arrive(step: str) -> None:
        if step == "read":
            await worker.deliver(late)

    tally = await rebuild(watched(worker.memory, after=arrive))
    await worker.rest()

    assert (tally.rebuilt, tally.left) == (0, 1)
    assert body_of(await worker.found()) == folded(event("call.ended", id="1"), late)


async def test_a_call_that_a_worker_has_leased_is_left_to_it() -> None:
    worker = MemoryWorker()
    await worker.deliver(event("call.ended"))

    async def claim_first(step: str) -> None:
        if step == "lease":
            await worker.memory.lease([CALL], "a worker's")

    tally = await rebuild(watched(worker.memory, before=claim_first))

    assert (tally.rebuilt, tally.left) == (0, 1)


async def test_a_call_that_cannot_be_folded_is_the_only_broken_one(capsys: pytest.CaptureFixture[str]) -> None:
    store = await folded_store()
    documents = [key for key in store.log if key.startswith(f"{FIRST}/")]
    store.log[documents[0]] = replace(store.log[documents[0]], events=(b"{}",))

    tally = await rebuild(store)

    assert (tally.rebuilt, tally.broken) == (2, 1)
    assert await state_of(store, FIRST) is State.BROKEN
    assert "org-789/call-0 is broken: the fold failed with NoEvents" in capsys.readouterr().err


async def test_a_run_that_fails_holds_no_lease_and_knows_where_to_continue() -> None:
    store = await folded_store(len(ENDS))
    order = await store.logged_calls(len(ENDS))

    async def away(step: str) -> None:
        if step == "store_results" and rebuilding.tally.rebuilt == 200:
            raise StoreUnavailable

    rebuilding = Rebuilding(watched(store, before=away), book(), partitions)
    with pytest.raises(StoreUnavailable):
        await rebuilding.all(Wanted(), lambda _: None)

    assert rebuilding.tally.last == order[199]
    assert State.FOLDING not in [await state_of(store, call) for call in order]
    assert (await rebuild(store, after=rebuilding.tally.last)).rebuilt == len(ENDS) - 200


async def test_a_call_that_is_not_in_the_log_is_no_such_call() -> None:
    with pytest.raises(NoSuchCall):
        await Rebuilding(MemoryStore(), book(), partitions).one(CALL, Wanted())


async def test_calls_that_were_leased_when_a_process_ended_are_folded_one_by_one() -> None:
    worker = MemoryWorker(memory=MemoryStore(lease_ms=-1))  # every lease has expired
    await worker.deliver(*ENDS[:3])
    calls = await worker.memory.logged_calls(3)
    await worker.memory.mark_stale([CallUpdate(call, 0, STARTED, stale=True) for call in calls])
    await worker.memory.lease(calls, next(tokens))
    steps: list[str] = []

    async def record(step: str) -> None:
        steps.append(step)

    tally = await rebuild(watched(worker.memory, before=record))

    assert (tally.rebuilt, tally.left) == (3, 0)
    assert steps.count("read") == 3


async def test_a_deleted_call_whose_log_is_being_purged_is_skipped() -> None:
    store = await folded_store(1)
    await store.tombstone([FIRST], 2**62)

    tally = await rebuild(store)

    assert (tally.seen, tally.rebuilt, tally.left) == (1, 0, 0)
    assert await state_of(store, FIRST) is State.DELETED
