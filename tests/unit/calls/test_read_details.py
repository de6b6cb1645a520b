"""Reading the details of a call, alone and among concurrent readers."""

import asyncio
from collections.abc import Awaitable, Callable

import orjson
import pytest

from shared.calls.read_call import POOLED_BYTES, CallBroken, Finality, Large, Reading, read_call
from shared.calls.read_details import CallDetails, DetailsReads, read_details
from shared.fold.call_details import call_details
from shared.fold.details import Details
from shared.fold.fold import RULES_VERSION
from shared.store.memory.calls import MemoryStore
from shared.store.models import CallUpdate
from shared.store.ports import Store
from tests.support.events.makers import STARTED, Json, book, decoded, event
from tests.support.store.makers import CALL, document, leased, result
from tests.support.worker.fold_cases import Heavy
from tests.support.worker.memory_worker import MemoryWorker, watched

BEGUN, ENDED = event("call.started"), event("call.ended", at=STARTED + 9_000)
SAID = event("transcript.turn", content="my secret")
OPT_OUT = event("call.updated", opt_out_sensitive_data_storage=True)

Read = Callable[[Store], Awaitable[Reading | Large | None]]


async def alone(store: Store) -> Reading | None:
    return await read_details(store, CALL, book())


async def among_others(store: Store) -> Reading | Large | None:
    return await DetailsReads(store, book()).read(CALL)


@pytest.fixture(params=[alone, among_others])
def read(request: pytest.FixtureRequest) -> Read:
    chosen: Read = request.param
    return chosen


async def store_of(*bodies: Json, rest: bool = False) -> MemoryStore:
    """Return a store with these events; `rest`: the call is folded."""
    worker = MemoryWorker()
    await worker.deliver(*bodies)
    if rest:
        await worker.rest()
    return worker.memory


async def reading(read: Read, store: Store) -> tuple[Reading, CallDetails]:
    found = await read(store)
    assert isinstance(found, Reading)
    data: CallDetails = orjson.loads(found.body)
    return found, data


def details(*bodies: Json, opted_out: bool = False) -> Details:
    made: Details = orjson.loads(orjson.dumps(call_details(decoded(bodies), book(), opted_out=opted_out)))
    return made


async def test_finality_and_versions_stand_behind_the_ids(read: Read) -> None:
    _, data = await reading(read, await store_of(BEGUN, SAID))

    wanted = {**details(BEGUN, SAID), "finality": "live", "rules_version": RULES_VERSION, "price_book_version": "test"}
    assert data == wanted
    assert list(data) == [
        *("call_id", "organization_id", "finality", "rules_version", "price_book_version"),
        *("event_count", "conflict_count", "legs", "recordings", "turns", "tool_calls", "usage", "costs"),
        *("transfers", "ends", "problem_count", "problems"),
    ]


@pytest.mark.parametrize(
    ("bodies", "rest", "finality"),
    [
        ([BEGUN], False, Finality.LIVE),
        ([BEGUN], True, Finality.LIVE),
        ([BEGUN, ENDED], False, Finality.SETTLING),
        ([BEGUN, ENDED], True, Finality.FINAL),
    ],
)
async def test_the_finality_is_that_of_the_record(
    read: Read, bodies: list[Json], rest: bool, finality: Finality
) -> None:
    store = await store_of(*bodies, rest=rest)

    found, data = await reading(read, store)

    record = await read_call(store, CALL, book())
    assert record is not None
    assert found.finality is record.finality is finality
    assert data["finality"] == finality


async def test_equal_events_are_equal_details_before_and_after_the_call_becomes_final(read: Read) -> None:
    settling, before = await reading(read, await store_of(BEGUN, SAID, ENDED))
    final, after = await reading(read, await store_of(BEGUN, SAID, ENDED, rest=True))

    assert {**before, "finality": None} == {**after, "finality": None}
    assert settling.etag != final.etag


async def test_a_late_event_of_a_final_call_is_among_the_details(read: Read) -> None:
    worker = MemoryWorker()
    await worker.deliver(BEGUN, ENDED)
    await worker.rest()

    await worker.deliver(SAID)

    found, data = await reading(read, worker.memory)
    assert (found.finality, data["event_count"]) == (Finality.SETTLING, 3)


async def test_content_of_an_opted_out_call_is_not_served_though_its_log_is_not_redacted_yet(read: Read) -> None:
    store = await store_of(SAID)
    await store.mark_stale([CallUpdate(CALL, 0, STARTED, stale=True, opted_out=True)])

    found, data = await reading(read, store)

    assert b"secret" not in found.body
    assert data.items() >= details(SAID, opted_out=True).items()


async def test_content_of_a_call_that_opts_out_in_its_log_is_not_served(read: Read) -> None:
    found, data = await reading(read, await store_of(SAID, OPT_OUT))

    assert b"secret" not in found.body
    assert (data["turns"], data["event_count"]) == ([], 2)


async def test_details_are_the_same_before_and_after_the_log_is_redacted(read: Read) -> None:
    before, _ = await reading(read, await store_of(BEGUN, SAID, OPT_OUT))
    redacted = await store_of(BEGUN, SAID, OPT_OUT, rest=True)

    after, _ = await reading(read, redacted)

    assert b"secret" not in b"".join(raw for logged in redacted.log.values() for raw in logged.events)
    assert before.body == after.body


async def test_a_call_never_seen_is_none(read: Read) -> None:
    assert await read(MemoryStore()) is None


async def test_a_deleted_call_is_none(read: Read) -> None:
    store = await store_of(BEGUN, ENDED, rest=True)
    await store.tombstone([CALL], 2**62)

    assert await read(store) is None


async def test_a_call_that_is_deleted_while_its_log_is_read_is_none(read: Read) -> None:
    memory = await store_of(BEGUN, ENDED)

    async def delete(step: str) -> None:
        if step == "find":
            await memory.store_results([(await leased(memory), result())])
            await memory.tombstone([CALL], 2**62)
            memory.log.popitem()

    assert await read(watched(memory, after=delete)) is None


async def test_a_broken_call_has_no_details(read: Read) -> None:
    store = await store_of(BEGUN)
    await store.mark_broken([await leased(store)])

    with pytest.raises(CallBroken):
        await read(store)


async def test_a_call_without_a_valid_event_is_broken(read: Read) -> None:
    store = MemoryStore()
    await store.insert([document(content=b'{"specversion":"0.3"}')])
    await leased(store)

    with pytest.raises(CallBroken):
        await read(store)


async def test_a_call_of_many_bytes_is_left_to_the_pool() -> None:
    store = Heavy(POOLED_BYTES)
    await MemoryWorker(memory=store).deliver(BEGUN)

    assert await among_others(store) == Large(None)
    assert isinstance(await alone(store), Reading)


async def test_concurrent_readers_share_a_computation() -> None:
    memory, steps = await store_of(BEGUN), []

    async def record(step: str) -> None:
        steps.append(step)
        await asyncio.sleep(0)

    reads = DetailsReads(watched(memory, before=record), book())
    readings = await asyncio.gather(*(reads.read(CALL) for _ in range(20)))

    assert len({reading.body for reading in readings if isinstance(reading, Reading)}) == 1
    assert steps.count("documents") <= 2
