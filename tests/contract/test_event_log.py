"""Every store: the log, and updates of calls."""

import asyncio

import pytest

from shared.contract.strict.vouching import AS_SENT, CONTRACT_VERSION, WITH_CARE
from shared.store.ids import documents
from shared.store.models import CallArrival, CallSnapshot, LogDocument, SourcePartition
from shared.store.ports import Store
from shared.store.states import State
from tests.support.events.makers import event, raw
from tests.support.store.makers import CALL, LOG_ID_HMAC_KEY, document, leased, logged, result, state_of, update

OTHER = "org-789/call-45"  # whose key is the beginning of the other's


# The log


async def test_an_inserted_document_is_read_back(store: Store) -> None:
    mine = document(content=raw(event("call.note", event="$27 äöü \u0000 said")))

    await store.insert([mine])

    assert await store.read([CALL]) == {CALL: [mine]}


async def test_a_document_inserted_twice_is_there_once_and_the_others_of_the_batch_too(store: Store) -> None:
    first, second = document(offset=1), document(offset=2)
    await store.insert([first])

    await store.insert([first, second])

    assert len((await store.read([CALL]))[CALL]) == 2


async def test_documents_that_differ_in_anything_do_not_collide(store: Store) -> None:
    different = [
        document(),
        document(offset=1),
        document(topic="u"),
        document(content=b'{"a":2}'),
        next(documents(CALL, SourcePartition("t", 1), logged([b'{"a":1}']), LOG_ID_HMAC_KEY)),
    ]

    await store.insert(different)

    assert len((await store.read([CALL]))[CALL]) == len(different)


async def test_a_call_whose_key_is_a_prefix_of_anothers_is_not_read_with_it(store: Store) -> None:
    mine, others = document(CALL), document(OTHER)

    await store.insert([mine, others])

    assert await store.read([CALL, OTHER]) == {CALL: [mine], OTHER: [others]}


async def test_a_call_without_events_is_read_as_empty(store: Store) -> None:
    assert await store.read([CALL]) == {CALL: []}


async def test_the_ids_of_a_calls_documents_are_those_that_are_read(store: Store) -> None:
    mine = [document(offset=1), document()]
    await store.insert([*mine, document(OTHER)])

    ids = await store.ids(CALL)

    assert sorted(ids) == sorted(each.id for each in mine)
    assert await store.ids("org-789/none") == []


async def test_documents_are_read_by_their_ids_if_they_are_there(store: Store) -> None:
    first, second = document(), document(offset=1, content=b"secret")
    await store.insert([first, second])
    await store.redact([LogDocument(second.id, (b"{}",))])

    found = {each.id: each for each in await store.documents([second.id, first.id, document(OTHER).id])}

    assert found.keys() == {first.id, second.id}
    assert found[first.id] == first
    assert found[second.id].events == (b"{}",)
    assert found[second.id].redacted_at
    assert await store.documents([]) == []


async def test_a_document_keeps_what_it_vouches_for_until_it_is_redacted(store: Store) -> None:
    as_sent, cared = raw(event("call.note")), raw(event("call.note", leg_id=7))
    mixed = next(documents(CALL, SourcePartition("t", 0), logged([as_sent, cared]), LOG_ID_HMAC_KEY))
    await store.insert([mixed])

    (found,) = (await store.read([CALL]))[CALL]
    await store.redact([found])
    (redacted,) = (await store.read([CALL]))[CALL]

    assert found == mixed
    assert (found.contract, found.vouched) == (CONTRACT_VERSION, bytes([AS_SENT, WITH_CARE]))
    assert (redacted.contract, redacted.vouched, redacted.events) == (0, b"", mixed.events)


async def test_events_that_are_no_json_are_read_back_to_the_byte(store: Store) -> None:
    odd = [b"\xef\xbb\xbf{}", b"NaN", b'{"a": "\\ud800"}', b"", b"\xff\x00],["]
    mine = next(documents(CALL, SourcePartition("t", 0), logged(odd), LOG_ID_HMAC_KEY))

    await store.insert([mine])

    assert (await store.read([CALL]))[CALL][0].events == tuple(odd)


async def test_concurrent_readers_each_find_their_own_call(store: Store) -> None:
    for number in range(40):
        await store.mark_stale([update(f"org-789/call-{number}", opted_out=number % 2 == 0)])

    found = await asyncio.gather(*(store.find(f"org-789/call-{number}") for number in range(60)))

    assert [each and each.opted_out for each in found] == [number % 2 == 0 for number in range(40)] + [None] * 20


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


# States and updates


async def test_a_call_never_seen_has_no_state(store: Store) -> None:
    assert await store.read_states([CALL]) == {}


async def test_a_call_first_seen_is_live(store: Store) -> None:
    await store.mark_stale([update(stale=False)])

    assert await store.read_states([CALL]) == {
        CALL: CallSnapshot(State.LIVE, opted_out=False, last_arrival=1_000, stored_events=0)
    }


async def test_marking_a_new_call_stale_creates_its_header(store: Store) -> None:
    await store.mark_stale([update()])

    assert await state_of(store) is State.STALE


async def test_an_update_that_is_not_stale_changes_no_state(store: Store) -> None:
    await store.mark_stale([update()])

    await store.mark_stale([update(stale=False)])

    assert await state_of(store) is State.STALE


async def test_the_last_arrival_only_grows(store: Store) -> None:
    await store.mark_stale([update(arrival=5_000, stale=False)])

    await store.mark_stale([update(arrival=4_000, stale=False)])

    assert (await store.read_states([CALL]))[CALL].last_arrival == 5_000


async def test_a_call_that_opted_out_stays_so(store: Store) -> None:
    await store.mark_stale([update(opted_out=True)])

    await store.mark_stale([update(opted_out=False)])

    assert (await store.read_states([CALL]))[CALL].opted_out


@pytest.mark.parametrize("final", [True, False])
async def test_marking_a_call_stale_makes_its_stored_record_stale(store: Store, final: bool) -> None:
    lease = await leased(store)
    await store.store_results([(lease, result(final=final))])

    await store.mark_stale([update()])

    assert await state_of(store) is State.STALE


async def test_empty_writes_do_nothing(store: Store) -> None:
    await store.mark_stale([])
    await store.redact([])
    await store.renew([], "token")
    await store.release([], "token")
    await store.mark_broken([])


# Opting out


async def test_opted_out_calls_are_listed_by_last_arrival_a_page_at_a_time(store: Store) -> None:
    for call, arrival in (("o/b", 2_000), ("o/a", 2_000), ("o/c", 2_000), ("o/first", 1_000), ("o/last", 9_000)):
        await store.mark_stale([update(call, arrival=arrival, opted_out=True)])
    await store.mark_stale([update("o/not", arrival=2_000)])

    page = await store.opted_out_calls([6, 7], (1_000, "o/first"), 9_000, 2)
    rest = await store.opted_out_calls([6, 7], (page[-1].last_arrival, page[-1].call), 9_000, 2)

    assert page == [CallArrival("o/a", 7, 2_000), CallArrival("o/b", 7, 2_000)]
    assert [each.call for each in rest] == ["o/c"]
    assert [each.call for each in await store.opted_out_calls([7], (0, ""), 9_000, 9)] == [
        "o/first",
        "o/a",
        "o/b",
        "o/c",
    ]
    assert await store.opted_out_calls([6], (0, ""), 9_000, 9) == []


async def test_unredacted_are_the_calls_with_a_document_that_is_not_redacted(store: Store) -> None:
    redacted, half = document(OTHER), document("o/half", offset=1)
    await store.insert([document(CALL), redacted, half, document("o/half", offset=2)])
    await store.redact([redacted, half])

    assert await store.unredacted([CALL, OTHER, "o/half", "o/none"]) == {CALL, "o/half"}
    assert await store.unredacted([]) == set()
