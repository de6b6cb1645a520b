"""Reading a call: its stored record if that is final, else a record folded from the log."""

from collections.abc import Collection

import pytest

from shared.calls.read_call import CallBroken, Finality, Reading, read_call
from shared.store.memory.calls import MemoryStore
from shared.store.models import CallUpdate, LogDocument
from shared.store.ports import Store, StoreUnavailable
from shared.store.states import State
from tests.support.events.makers import STARTED, Json, book, event, raw
from tests.support.store.makers import CALL, document, leased, result, state_of, too_large
from tests.support.worker.memory_worker import MemoryWorker, folded, watched

BEGUN, ENDED = event("call.started"), event("call.ended", at=STARTED + 9_000)
SAID = event("transcript.turn", content="my secret")
OPT_OUT = event("call.updated", opt_out_sensitive_data_storage=True)


async def store_of(*bodies: Json, rest: bool = False) -> MemoryStore:
    """Return a store with these events."""
    worker = MemoryWorker()
    await worker.deliver(*bodies)
    if rest:
        await worker.rest()
    return worker.memory


async def reading(store: Store) -> Reading:
    found = await read_call(store, CALL, book())
    assert found is not None
    return found


async def test_a_call_never_seen_is_none() -> None:
    assert await read_call(MemoryStore(), CALL, book()) is None


async def test_a_live_call_is_folded_from_the_log() -> None:
    read = await reading(await store_of(BEGUN, SAID))

    assert (read.body, read.finality) == (folded(BEGUN, SAID), Finality.LIVE)


async def test_an_ended_call_that_is_not_final_yet_is_settling() -> None:
    read = await reading(await store_of(BEGUN, SAID, ENDED))

    assert (read.body, read.finality) == (folded(BEGUN, SAID, ENDED), Finality.SETTLING)


async def test_a_final_record_is_the_one_that_a_reader_got_while_it_settled() -> None:
    worker = MemoryWorker()
    await worker.deliver(BEGUN, SAID, ENDED)
    settling = await reading(worker.memory)

    await worker.rest()

    final = await reading(worker.memory)
    assert (final.body, final.etag, final.finality) == (settling.body, settling.etag, Finality.FINAL)


async def test_a_final_record_is_served_as_it_is_stored_without_the_log() -> None:
    async def refuse(step: str) -> None:
        assert step != "read"

    store = watched(await store_of(BEGUN, ENDED, rest=True), before=refuse)

    assert (await reading(store)).body == folded(BEGUN, ENDED)


async def test_a_final_record_with_a_late_event_is_folded_again() -> None:
    worker = MemoryWorker()
    await worker.deliver(BEGUN, ENDED)
    await worker.rest()

    await worker.deliver(SAID)

    read = await reading(worker.memory)
    assert (read.body, read.finality) == (folded(BEGUN, ENDED, SAID), Finality.SETTLING)


async def test_while_a_call_is_being_folded_it_is_read_from_the_log() -> None:
    store = await store_of(BEGUN, ENDED)
    await store.lease([CALL], "token")

    read = await reading(store)

    assert await state_of(store) is State.FOLDING
    assert (read.body, read.finality) == (folded(BEGUN, ENDED), Finality.SETTLING)


async def test_a_final_record_that_does_not_fit_is_folded_for_the_reader() -> None:
    store = await store_of(BEGUN, ENDED)
    await store.store_results([(await leased(store), too_large())])

    read = await reading(store)

    assert (read.body, read.finality) == (folded(BEGUN, ENDED), Finality.FINAL)


async def test_the_content_of_an_opted_out_call_is_not_served_though_its_log_is_not_redacted_yet() -> None:
    store = await store_of(SAID)
    await store.mark_stale([CallUpdate(CALL, 0, STARTED, stale=True, opted_out=True)])

    read = await reading(store)

    assert b"secret" not in read.body
    assert read.body == folded(SAID, opted_out=True)


async def test_the_content_of_a_call_that_opts_out_in_its_log_is_not_served_before_it_is_redacted() -> None:
    read = await reading(await store_of(SAID, OPT_OUT))

    assert b"secret" not in read.body


async def test_reading_a_broken_call_fails() -> None:
    store = MemoryStore()
    await store.mark_broken([await leased(store)])

    with pytest.raises(CallBroken):
        await read_call(store, CALL, book())


async def test_a_call_with_a_header_and_no_event_is_broken() -> None:
    store = MemoryStore()
    await leased(store)

    with pytest.raises(CallBroken):
        await read_call(store, CALL, book())


async def test_an_event_that_is_invalid_by_the_present_rules_is_left_out() -> None:
    store = await store_of(BEGUN, ENDED)
    await store.insert([document(offset=7, content=b'{"specversion":"0.3"}')])

    assert (await reading(store)).body == folded(BEGUN, ENDED)


async def test_the_same_events_delivered_twice_and_cut_differently_are_the_same_record() -> None:
    store = await store_of(BEGUN, ENDED)
    await store.insert([document(offset=8, content=raw(ENDED)), document(offset=7, content=raw(BEGUN))])

    assert (await reading(store)).body == folded(BEGUN, ENDED)


async def test_reading_fails_while_the_store_is_unavailable() -> None:
    class UnavailableStore(MemoryStore):
        async def read(self, calls: Collection[str]) -> dict[str, list[LogDocument]]:
            raise StoreUnavailable(str(len(calls)))

    store = UnavailableStore()
    await store.mark_stale([CallUpdate(CALL, 0, STARTED, stale=False)])

    with pytest.raises(StoreUnavailable):
        await read_call(store, CALL, book())


async def test_a_deleted_call_is_none() -> None:
    store = await store_of(BEGUN, ENDED, rest=True)
    await store.tombstone([CALL], 2**62)

    assert await read_call(store, CALL, book()) is None


async def test_a_call_that_is_deleted_while_its_log_is_read_is_none() -> None:
    memory = await store_of(BEGUN, ENDED)

    async def delete(step: str) -> None:
        if step == "find":
            (lease,) = await memory.lease([CALL], "token")
            await memory.store_results([(lease, result())])
            await memory.tombstone([CALL], 2**62)
            memory.log.popitem()

    assert await read_call(watched(memory, after=delete), CALL, book()) is None
