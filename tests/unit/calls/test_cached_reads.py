"""Reads with the cache: no answer depends on what is cached."""

import asyncio
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.calls.read_call import POOLED_BYTES, CachedReads, CallBroken, Finality, Large, Reading, read_call
from shared.store.memory.calls import MemoryStore
from shared.store.models import CallUpdate, LogDocument
from tests.support.events.makers import STARTED, Json, book, event, raw
from tests.support.store.makers import CALL, document, leased, result
from tests.support.worker.fold_cases import Heavy
from tests.support.worker.memory_worker import MemoryWorker, folded, watched

BEGUN, ENDED = event("call.started"), event("call.ended", at=STARTED + 9_000)
SAID, MORE = (event("transcript.turn", at=STARTED + at, content=f"my secret {at}") for at in (1_000, 2_000))
OPT_OUT = event("call.updated", opt_out_sensitive_data_storage=True)
BODIES = [BEGUN, SAID, MORE, ENDED, OPT_OUT]


class RecordingStore(MemoryStore):
    """Records which documents are read."""

    def __init__(self) -> None:
        super().__init__()
        self.read_ids: list[Sequence[str]] = []

    async def documents(self, ids: Sequence[str]) -> list[LogDocument]:
        self.read_ids.append(ids)
        await asyncio.sleep(0)
        return await super().documents(ids)


async def log_event(store: MemoryStore, offset: int, body: Json, *, opted_out: bool = False) -> LogDocument:
    """Insert one event and update its call, as a batch does."""
    logged = document(offset=offset, content=raw(body))
    await store.insert([logged])
    await store.mark_stale([CallUpdate(CALL, 0, STARTED, stale=opted_out, opted_out=opted_out)])
    return logged


async def read(reads: CachedReads) -> Reading:
    reading = await reads.read(CALL)
    assert isinstance(reading, Reading)
    return reading


async def test_only_new_documents_of_a_live_call_are_read() -> None:
    store = RecordingStore()
    reads = CachedReads(store, book())
    first = await log_event(store, 0, BEGUN)
    await read(reads)
    second = await log_event(store, 1, SAID)

    reading = await read(reads)

    assert store.read_ids == [[first.id], [second.id]]
    assert reading.body == folded(BEGUN, SAID)


async def test_a_call_that_has_not_changed_is_not_folded_again() -> None:
    store = RecordingStore()
    reads = CachedReads(store, book())
    await log_event(store, 0, BEGUN)

    first, second = await read(reads), await read(reads)

    assert len(store.read_ids) == 1
    assert first.body is second.body


async def test_concurrent_readers_share_a_fold() -> None:
    store = RecordingStore()
    reads = CachedReads(store, book())
    await log_event(store, 0, BEGUN)

    readings = await asyncio.gather(*(read(reads) for _ in range(20)))

    assert len(store.read_ids) == 1
    assert {reading.body for reading in readings} == {folded(BEGUN)}


async def test_a_call_that_has_opted_out_is_not_cached() -> None:
    store = RecordingStore()
    reads = CachedReads(store, book())
    said = await log_event(store, 0, SAID)
    await read(reads)
    flag = await log_event(store, 1, OPT_OUT)

    bodies = [(await read(reads)).body for _ in range(2)]

    assert bodies == [folded(SAID, OPT_OUT)] * 2
    assert b"secret" not in bodies[0]
    assert store.read_ids == [[said.id], [flag.id], [said.id, flag.id]]


async def test_the_cached_content_of_a_call_is_not_served_after_its_header_has_opted_out() -> None:
    store = RecordingStore()
    reads = CachedReads(store, book())
    said = await log_event(store, 0, SAID)
    await read(reads)
    await store.mark_stale([CallUpdate(CALL, 0, STARTED, stale=True, opted_out=True)])

    reading = await read(reads)

    assert b"secret" not in reading.body
    assert reading.body == folded(SAID, opted_out=True)
    assert store.read_ids == [[said.id], [said.id]]


async def test_a_call_that_is_deleted_after_it_was_cached_is_none() -> None:
    memory = MemoryStore()
    await log_event(memory, 0, BEGUN)

    async def delete(step: str) -> None:
        if step == "ids" and deleting:
            (lease,) = [await leased(memory)]
            await memory.store_results([(lease, result())])
            await memory.tombstone([CALL], 2**62)

    deleting = False
    reads = CachedReads(watched(memory, after=delete), book())
    await read(reads)
    deleting = True

    assert await reads.read(CALL) is None


async def test_a_call_without_a_valid_event_is_broken() -> None:
    store = MemoryStore()
    await store.insert([document(content=b'{"specversion":"0.3"}')])
    await leased(store)

    with pytest.raises(CallBroken):
        await CachedReads(store, book()).read(CALL)


async def test_a_call_of_many_bytes_is_large() -> None:
    store = Heavy(POOLED_BYTES)
    await log_event(store, 0, BEGUN)
    smaller = Heavy(POOLED_BYTES // 2)
    await log_event(smaller, 0, BEGUN)

    assert await CachedReads(store, book()).read(CALL) == Large(None)
    assert isinstance(await CachedReads(smaller, book()).read(CALL), Reading)


async def test_a_call_has_the_same_record_before_and_after_it_becomes_final() -> None:
    worker = MemoryWorker()
    reads = CachedReads(worker.memory, book())
    await worker.deliver(BEGUN, SAID, ENDED)
    before = await read(reads)
    await worker.rest()

    after = await read(reads)

    assert (before.body, before.etag) == (after.body, after.etag)
    assert (before.finality, after.finality) == (Finality.SETTLING, Finality.FINAL)


@given(st.lists(st.sampled_from([*range(len(BODIES)), "redact", "flag"]), max_size=8))
def test_whatever_happens_between_two_readers_each_gets_what_a_first_reader_would_get(steps: list[int | str]) -> None:
    async def follow() -> None:
        store = MemoryStore()
        reads = CachedReads(store, book())
        await log_event(store, 0, BEGUN)
        for offset, step in enumerate(steps, 1):
            match step:
                case int():
                    await log_event(store, offset, BODIES[step], opted_out=BODIES[step] is OPT_OUT)
                case "flag":
                    await store.mark_stale([CallUpdate(CALL, 0, STARTED, stale=True, opted_out=True)])
                case _:
                    await MemoryWorker(memory=store).rest()
            assert await reads.read(CALL) == await read_call(store, CALL, book())

    asyncio.run(follow())


async def test_a_call_that_breaks_after_it_was_cached_is_broken() -> None:
    store = MemoryStore()
    reads = CachedReads(store, book())
    await log_event(store, 0, BEGUN)
    await read(reads)
    await store.mark_broken([await leased(store)])

    with pytest.raises(CallBroken):
        await reads.read(CALL)


async def test_a_read_asks_the_store_no_more_often_than_it_must() -> None:
    worker, asked = MemoryWorker(), list[str]()

    async def note(name: str) -> None:
        asked.append(name)

    reads = CachedReads(watched(worker.memory, note), book())

    async def asked_by_a_read() -> list[str]:
        asked.clear()
        await read(reads)
        return [*asked]

    await worker.deliver(BEGUN, SAID)
    first, again = await asked_by_a_read(), await asked_by_a_read()
    await worker.deliver(MORE)
    grown = await asked_by_a_read()
    await worker.deliver(ENDED)
    await worker.rest()
    became_final, final = await asked_by_a_read(), await asked_by_a_read()

    assert first == ["find", "ids", "documents", "read_states"]
    assert again == ["ids", "read_states"]
    assert grown == ["ids", "documents", "read_states"]
    assert became_final == ["ids", "documents", "read_states", "find"]
    assert final == ["find"]
