"""What every store does: memory, and MongoDB by either driver."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from shared.fold import RULES_VERSION
from shared.store.driver import Connection
from shared.store.log import LogDocument, Stretch, documents
from shared.store.memory import MemoryStore
from shared.store.mongo import MongoStore
from shared.store.port import Mark, Result, Sighting, Store
from shared.store.states import MAX_ATTEMPTS, State
from tests.support.makers import event, raw
from tests.support.stored import CALL, CONTENT_KEY, claimed, document, mark, result, state_of, tokens

CLAIM_MS = 400
OTHER = "org-789/call-45"  # whose key is the beginning of the other's


@pytest.fixture(params=["memory", "motor", "pymongo"])
async def store(request: pytest.FixtureRequest) -> AsyncIterator[Store]:
    if request.param == "memory":
        yield MemoryStore(claim_ms=CLAIM_MS)
        return
    connection = Connection(request.getfixturevalue("mongo_uri"), request.getfixturevalue("name"), driver=request.param)
    store = MongoStore(connection, claim_ms=CLAIM_MS)
    await store.prepare()
    yield store
    await connection.drop()
    await connection.close()


# The log


async def test_what_was_inserted_is_read_back(store: Store) -> None:
    mine = document(content=raw(event("call.note", event="$27 äöü \u0000 said")))

    await store.insert([mine])

    assert await store.read([CALL]) == {CALL: [mine]}


async def test_the_same_stretch_twice_is_there_once_and_the_others_beside_it_too(store: Store) -> None:
    first, second = document(offset=1), document(offset=2)
    await store.insert([first])

    await store.insert([first, second])

    assert len((await store.read([CALL]))[CALL]) == 2


async def test_stretches_that_differ_in_anything_do_not_collide(store: Store) -> None:
    different = [
        document(),
        document(offset=1),
        document(topic="u"),
        document(content=b'{"a":2}'),
        next(documents(CALL, Stretch("t", 1), [(0, b'{"a":1}')], CONTENT_KEY)),
    ]

    await store.insert(different)

    assert len((await store.read([CALL]))[CALL]) == len(different)


async def test_a_call_whose_key_begins_anothers_is_not_read_with_it(store: Store) -> None:
    mine, others = document(CALL), document(OTHER)

    await store.insert([mine, others])

    assert await store.read([CALL, OTHER]) == {CALL: [mine], OTHER: [others]}


async def test_a_call_without_events_is_read_as_empty(store: Store) -> None:
    assert await store.read([CALL]) == {CALL: []}


async def test_sizes_are_those_of_the_events(store: Store) -> None:
    await store.insert([document(content=b"x" * 100), document(offset=1, content=b"y" * 11), document(OTHER)])

    assert await store.sizes([CALL, OTHER, "org-789/none"]) == {CALL: 111, OTHER: 7, "org-789/none": 0}


async def test_a_redacted_document_stays_as_its_first_redaction_left_it(store: Store) -> None:
    original = document(content=b"secret")
    await store.insert([original])

    await store.redact([LogDocument(original.id, (b"{}",))])
    await store.redact([LogDocument(original.id, (b"again",))])
    await store.insert([original])

    (stored,) = (await store.read([CALL]))[CALL]
    assert stored.events == (b"{}",)
    assert stored.redacted_at > 0


# Looking and marking


async def test_a_call_never_seen_is_missing_from_the_look(store: Store) -> None:
    assert await store.look([CALL]) == {}


async def test_a_call_at_first_sight_is_live(store: Store) -> None:
    await store.mark([mark(stale=False)])

    assert await store.look([CALL]) == {
        CALL: Sighting(State.LIVE, opted_out=False, last_arrival=1_000, stored_events=0)
    }


async def test_a_mark_makes_a_header_where_there_is_none(store: Store) -> None:
    await store.mark([mark()])

    assert await state_of(store) is State.STALE


async def test_a_first_sight_changes_no_state_that_is_there(store: Store) -> None:
    await store.mark([mark()])

    await store.mark([mark(stale=False)])

    assert await state_of(store) is State.STALE


async def test_the_last_arrival_only_moves_on(store: Store) -> None:
    await store.mark([mark(arrival=5_000, stale=False)])

    await store.mark([mark(arrival=4_000, stale=False)])

    assert (await store.look([CALL]))[CALL].last_arrival == 5_000


async def test_a_call_that_opted_out_stays_so(store: Store) -> None:
    await store.mark([mark(opted_out=True)])

    await store.mark([mark(opted_out=False)])

    assert (await store.look([CALL]))[CALL].opted_out


@pytest.mark.parametrize("final", [True, False])
async def test_a_mark_makes_a_stored_record_stale(store: Store, final: bool) -> None:
    claim = await claimed(store)
    await store.replace([(claim, result(final=final))])

    await store.mark([mark()])

    assert await state_of(store) is State.STALE


async def test_no_marks_are_no_trouble(store: Store) -> None:
    await store.mark([])
    await store.redact([])
    await store.renew([], "token")
    await store.release([], "token")
    await store.break_off([])


# Claiming


async def test_a_stale_call_is_claimed_once(store: Store) -> None:
    await store.mark([mark()])

    first = await store.claim([CALL], next(tokens))
    second = await store.claim([CALL], next(tokens))

    assert [(claim.call, claim.partition, claim.attempts, claim.last_arrival) for claim in first] == [
        (CALL, 7, 1, 1_000)
    ]
    assert second == []
    assert await state_of(store) is State.FOLDING


async def test_of_two_claims_at_once_one_wins(store: Store) -> None:
    await store.mark([mark()])

    both = await asyncio.gather(*(store.claim([CALL], next(tokens)) for _ in range(2)))

    assert sorted(map(len, both)) == [0, 1]


async def test_what_is_not_stale_is_not_claimed(store: Store) -> None:
    await store.mark([mark(stale=False)])

    assert await store.claim([CALL, "org-789/none"], next(tokens)) == []


async def test_a_claim_that_ran_out_is_taken_over(store: Store) -> None:
    await claimed(store)

    await asyncio.sleep(1.5 * CLAIM_MS / 1000)
    (again,) = await store.claim([CALL], next(tokens))

    assert again.attempts == 2


async def test_a_renewed_claim_holds(store: Store) -> None:
    claim = await claimed(store)

    for _ in range(3):
        await asyncio.sleep(CLAIM_MS / 2000)
        await store.renew([CALL], claim.token)
    others = await store.claim([CALL], next(tokens))

    assert others == []
    assert await store.replace([(claim, result())]) == set()


async def test_a_released_claim_leaves_the_call_stale_and_the_attempt_uncounted(store: Store) -> None:
    claim = await claimed(store)

    await store.release([CALL], claim.token)
    (again,) = await store.claim([CALL], next(tokens))

    assert again.attempts == 1


async def test_waiting_calls_are_the_stale_ones_of_these_partitions_longest_first(store: Store) -> None:
    await store.mark([mark("o/b")])
    await asyncio.sleep(0.01)
    await store.mark([mark("o/a")])
    await store.mark([Mark("o/elsewhere", 8, 1, stale=True), Mark("o/live", 7, 1, stale=False)])

    waiting = await store.waiting([7], 10)

    assert [each.call for each in waiting] == ["o/b", "o/a"]
    assert [each.call for each in await store.waiting([7], 1)] == ["o/b"]
    assert {each.partition for each in waiting} == {7}


async def test_a_claimed_call_waits_again_when_its_claim_has_run_out(store: Store) -> None:
    await claimed(store)
    at_once = await store.waiting([7], 10)

    await asyncio.sleep(1.5 * CLAIM_MS / 1000)
    later = await store.waiting([7], 10)

    assert at_once == []
    assert [each.call for each in later] == [CALL]


# Storing


async def test_a_stored_record_is_found(store: Store) -> None:
    claim, stored = await claimed(store), result(final=True)

    lost = await store.replace([(claim, stored)])

    found = await store.find(CALL)
    assert lost == set()
    assert found is not None
    assert (found.state, found.body, found.etag, found.opted_out) == (State.FINAL, stored.body, stored.etag, False)


async def test_a_record_of_a_call_that_goes_on_is_live(store: Store) -> None:
    claim = await claimed(store)

    await store.replace([(claim, result(final=False))])

    assert (await store.look([CALL]))[CALL] == Sighting(State.LIVE, False, 1_000, 3)


async def test_a_mark_in_between_makes_the_result_lost(store: Store) -> None:
    claim = await claimed(store)

    await store.mark([mark()])

    assert await store.replace([(claim, result())]) == {CALL}
    assert await state_of(store) is State.STALE


async def test_the_result_of_a_claim_that_was_taken_over_is_lost(store: Store) -> None:
    slow = await claimed(store)
    await asyncio.sleep(1.5 * CLAIM_MS / 1000)
    (quick,) = await store.claim([CALL], next(tokens))

    assert await store.replace([(slow, result())]) == {CALL}
    assert await store.replace([(quick, result())]) == set()


async def test_of_several_results_only_the_lost_ones_are_named(store: Store) -> None:
    held, lost = await claimed(store, "o/held"), await claimed(store, "o/lost")
    await store.mark([mark("o/lost")])

    assert await store.replace([(held, result()), (lost, result())]) == {"o/lost"}


async def test_storing_resets_the_attempts(store: Store) -> None:
    claim = await claimed(store)
    await store.replace([(claim, result())])

    assert (await claimed(store)).attempts == 1


async def test_a_record_that_would_not_fit_is_final_without_a_body(store: Store) -> None:
    claim = await claimed(store)
    none = Result(None, None, '"e"', True, False, 100_000, 0, RULES_VERSION, "test")

    await store.replace([(claim, none)])

    found = await store.find(CALL)
    assert found is not None
    assert (found.state, found.body) == (State.FINAL, None)


@pytest.mark.parametrize(
    "metadata", [{"a.b": 1, "$set": {"$x": "$27"}}, {"": ""}, {"$ref": "x", "$id": 1}, {"n": 2**63 - 1}, {"f": 1e300}]
)
async def test_keys_and_values_that_mean_something_to_a_database_are_kept(
    store: Store, metadata: dict[str, Any]
) -> None:
    claim, stored = await claimed(store), result(metadata={"outer": metadata})

    await store.replace([(claim, stored)])

    found = await store.find(CALL)
    assert found is not None
    assert found.body == stored.body


async def test_a_broken_call_has_no_record_and_gets_one_attempt_with_the_next_mark(store: Store) -> None:
    claim = await claimed(store)

    await store.break_off([claim])

    found = await store.find(CALL)
    assert found is not None
    assert (found.state, found.body) == (State.BROKEN, None)
    assert (await claimed(store)).attempts == MAX_ATTEMPTS


async def test_a_call_that_was_marked_meanwhile_is_not_broken_off(store: Store) -> None:
    claim = await claimed(store)
    await store.mark([mark()])

    await store.break_off([claim])

    assert await state_of(store) is State.STALE


async def test_a_call_never_seen_is_not_found(store: Store) -> None:
    assert await store.find(CALL) is None


async def test_the_store_answers(store: Store) -> None:
    await store.ping()
