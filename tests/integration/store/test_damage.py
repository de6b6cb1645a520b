"""What somebody edited by hand: the call alone is broken, and what can be mended is."""

from collections.abc import Mapping
from typing import Any

import pytest
from bson import ObjectId

from services.ops.rebuild import Rebuilding, Wanted
from shared.calls.leased_folds import LeasedFolds, Outcome
from shared.calls.read_call import CachedReads, CallBroken, read_call
from shared.fold.fold import RULES_VERSION
from shared.store.models import CallUpdate
from shared.store.mongo.calls import MongoStore
from shared.store.mongo.client import Connection
from shared.store.packed_log import pack
from shared.store.ports import Store
from shared.store.states import State
from tests.support.events.makers import event, raw
from tests.support.events.records import BOOK
from tests.support.store.makers import document, leased, result, state_of, tokens, update

DAMAGED, OTHER = "org-789/call-damaged", "org-789/call-other"
NONSENSE: Mapping[str, Any] = {
    "state": "upside down",
    "partition": "seven",
    "last_arrival": "yesterday",
    "attempts": "many",
    "opt_out": "maybe",
    "marked_at": 12,
}
PACKED = pack([b"{}"])
HEADER = pytest.mark.parametrize("field", NONSENSE)


@pytest.fixture
async def store(connection: Connection) -> MongoStore:
    """Return a store with two stale calls that have one event each."""
    store = MongoStore(connection)
    await store.prepare()
    for call in (DAMAGED, OTHER):
        await store.insert([document(call, content=raw(event("call.ended", call=call.partition("/")[2])))])
        await store.mark_stale([update(call)])
    return store


async def damage(connection: Connection, **fields: Any) -> None:
    done = await connection.collection("calls").update_one({"_id": DAMAGED}, {"$set": fields})
    assert done.modified_count == 1


async def work(store: Store) -> None:
    """Do with all calls what a worker does in one round."""
    stale = [each.call for each in await store.stale_calls([7], 10)]
    leases = await store.lease(stale, next(tokens))
    await store.store_results([(lease, result()) for lease in leases])
    await store.idle_calls([7], 10_000, None, 10)
    await store.opted_out_calls([7], (0, ""), 10_000, 10)
    await store.organizations()
    await store.past_retention("org-789", [7], 10_000, 10)
    await store.problem_calls(None, 0, None, 10)


@HEADER
async def test_a_worker_goes_on_with_the_other_calls(store: MongoStore, connection: Connection, field: str) -> None:
    await damage(connection, **{field: NONSENSE[field]})

    await work(store)

    assert await state_of(store, OTHER) is State.FINAL


@pytest.mark.parametrize("missing", NONSENSE)
async def test_a_worker_goes_on_where_a_field_is_missing(
    store: MongoStore, connection: Connection, missing: str
) -> None:
    await connection.collection("calls").update_one({"_id": DAMAGED}, {"$unset": {missing: ""}})

    await work(store)

    assert await state_of(store, OTHER) is State.FINAL


@pytest.mark.parametrize("key", ["nonsense", 7, ObjectId("0" * 24)])
async def test_a_worker_goes_on_where_a_document_has_no_name_of_a_call(
    store: MongoStore, connection: Connection, key: object
) -> None:
    copy = await connection.collection("calls").find_one({"_id": DAMAGED})
    await connection.collection("calls").insert_one({**copy, "_id": key, "opt_out": True})

    await work(store)

    assert await state_of(store, OTHER) is State.FINAL


@pytest.mark.parametrize("field", ["state", "last_arrival", "opt_out"])
async def test_the_next_event_of_a_damaged_call_replaces_its_header(
    store: MongoStore, connection: Connection, field: str
) -> None:
    await damage(connection, **{field: NONSENSE[field]})
    assert (await store.read_states([DAMAGED]))[DAMAGED].damaged

    await store.mark_stale([CallUpdate(DAMAGED, 7, 2_000, stale=True, damaged=True)])

    assert (await leased(store, DAMAGED)).last_arrival == 2_000
    assert not (await store.read_states([DAMAGED]))[DAMAGED].damaged


@pytest.mark.parametrize("field", ["state", "opt_out", "last_arrival"])
async def test_a_reader_of_a_damaged_call_gets_an_error_and_the_others_their_records(
    store: MongoStore, connection: Connection, field: str
) -> None:
    await damage(connection, **{field: NONSENSE[field]})

    with pytest.raises(CallBroken):
        await read_call(store, DAMAGED, BOOK)
    with pytest.raises(CallBroken):
        await CachedReads(store, BOOK).read(DAMAGED)
    assert await read_call(store, OTHER, BOOK) is not None


async def test_a_record_that_was_edited_into_nonsense_is_folded_from_the_log(
    store: MongoStore, connection: Connection
) -> None:
    await work(store)
    whole = await read_call(store, OTHER, BOOK)
    for fields in ({"body": 7}, {"body": b"text"}, {"etag": None}, {"event_count": "three"}):
        await damage(connection, **fields)

    read = await read_call(store, DAMAGED, BOOK)

    assert whole is not None
    assert read is not None
    assert b'"call_id":"call-damaged"' in read.body
    assert (await store.read_states([DAMAGED]))[DAMAGED].stored_events == 0


@pytest.mark.parametrize(
    "content",
    [
        {"events": "nothing"},
        {},
        {"events": [1]},
        {"events": [], "redacted_at": "yesterday"},
        {"events": PACKED.text},
        {"events": PACKED.text[:-3], "lengths": PACKED.lengths},
        {"events": PACKED.text, "lengths": PACKED.lengths * 2},
        {"events": [b"{}"], "lengths": PACKED.lengths},
        {"events": PACKED.text, "lengths": PACKED.lengths, "contract": "1"},
        {"events": PACKED.text, "lengths": PACKED.lengths, "contract": 1, "vouched": "all"},
    ],
)
async def test_a_damaged_document_of_the_log_breaks_its_call_alone(
    store: MongoStore, connection: Connection, content: dict[str, Any]
) -> None:
    await connection.collection("call_events").insert_one({"_id": f"{DAMAGED}/t/0/nonsense", **content})
    folds = LeasedFolds(store, BOOK, renew_seconds=60)
    leases = await store.lease([DAMAGED, OTHER], next(tokens))

    outcome = await folds.fold(leases)

    assert outcome == Outcome(stored=1, broken=1)
    assert await state_of(store, OTHER) is State.FINAL
    assert (await store.sizes([DAMAGED])).keys() == {DAMAGED}


async def test_headers_of_damaged_calls_are_marked_for_a_rebuild(store: MongoStore, connection: Connection) -> None:
    await work(store)
    await damage(connection, partition="seven")

    headers = await store.headers([DAMAGED, OTHER])

    assert (headers[DAMAGED].damaged, headers[DAMAGED].state) == (True, State.BROKEN)
    assert (headers[OTHER].damaged, headers[OTHER].rules_version) == (False, RULES_VERSION)


@pytest.mark.parametrize("field", ["state", "partition", "last_arrival"])
async def test_a_rebuild_mends_a_damaged_header(store: MongoStore, connection: Connection, field: str) -> None:
    await work(store)
    await damage(connection, **{field: NONSENSE[field]})

    async def partitions() -> int:
        return 12

    rebuilding = Rebuilding(store, BOOK, partitions)
    await rebuilding.one(DAMAGED, Wanted(broken=True))

    assert rebuilding.tally.rebuilt == 1
    assert await state_of(store, DAMAGED) is State.FINAL
    assert await read_call(store, DAMAGED, BOOK) is not None
