"""What every store does with calls that are old."""

import asyncio
import time

from shared.store.ports import Mark, Store
from shared.store.states import State
from tests.support.store.makers import CALL, claimed, document, mark, result, state_of

PARTITION = 7
ARRIVED = 1_000  # as `mark` has it
EVER = 2**42
OTHER = "org-789/call-45"  # whose key is the beginning of the other's


async def settled(store: Store, call: str = CALL, *, opted_out: bool = False) -> None:
    """Have a call with one document in its log and a final record."""
    await store.insert([document(call)])
    await store.mark([mark(call, opted_out=opted_out)])
    (claim,) = await store.claim([call], f"token-of-{call}")
    await store.replace([(claim, result(opted_out=opted_out))])


async def buried(store: Store, call: str = CALL, *, opted_out: bool = False) -> None:
    await settled(store, call, opted_out=opted_out)
    assert await store.bury([call], ARRIVED) == 1


async def emptied(store: Store, call: str = CALL) -> None:
    await buried(store, call)
    await store.delete([call])
    await store.emptied([call])


def now() -> int:
    return int(time.time() * 1000) + 60_000


# Which calls


async def test_the_organizations_are_those_of_all_folded_calls_each_once(store: Store) -> None:
    for call in ("a/1", "a/2", "b/1", "$set/1"):
        await settled(store, call)

    assert await store.organizations() == ["$set", "a", "b"]


async def test_outdated_are_the_settled_calls_of_an_organization_and_these_partitions(store: Store) -> None:
    await settled(store)
    await settled(store, "another/call")
    await store.break_off([await claimed(store, OTHER)])

    assert set(await store.outdated("org-789", [6, PARTITION], ARRIVED, 10)) == {CALL, OTHER}
    assert len(await store.outdated("org-789", [PARTITION], ARRIVED, 1)) == 1
    assert await store.outdated("org-789", [6], ARRIVED, 10) == []
    assert await store.outdated("org-789", [PARTITION], ARRIVED - 1, 10) == []


async def test_a_call_that_goes_on_or_is_to_be_folded_is_neither_outdated_nor_buried(store: Store) -> None:
    await store.replace([(await claimed(store, "o/live"), result(final=False))])
    await settled(store, "o/stale")
    await store.mark([mark("o/stale")])
    await settled(store, "o/folding")
    await claimed(store, "o/folding")
    calls = ["o/live", "o/stale", "o/folding", "o/none"]

    assert await store.outdated("o", [PARTITION], EVER, 10) == []
    assert await store.bury(calls, EVER) == 0
    assert State.DELETED not in {seen.state for seen in (await store.look(calls)).values()}


# Burying


async def test_a_tombstone_keeps_the_flag_and_nothing_of_the_record(store: Store) -> None:
    await buried(store, opted_out=True)

    found = await store.find(CALL)
    assert found is not None
    assert (found.state, found.opted_out, found.body, found.etag) == (State.DELETED, True, None, None)


async def test_a_call_that_something_has_arrived_for_meanwhile_is_not_buried(store: Store) -> None:
    await settled(store)
    await store.mark([mark(arrival=ARRIVED + 1, stale=False)])

    assert await store.bury([CALL], ARRIVED) == 0
    assert await state_of(store) is State.FINAL


async def test_a_buried_call_is_named_until_its_log_is_gone(store: Store) -> None:
    await buried(store)
    await settled(store, OTHER)
    first = await store.buried([PARTITION], 10)
    await store.delete([CALL])
    still = await store.buried([PARTITION], 10)

    await store.emptied([CALL])

    assert (first, still, await store.buried([6], 10), await store.buried([PARTITION], 10)) == ([CALL], [CALL], [], [])
    assert await store.read([CALL, OTHER]) == {CALL: [], OTHER: [document(OTHER)]}


async def test_what_was_never_buried_is_not_emptied(store: Store) -> None:
    await settled(store)

    await store.emptied([CALL, "org-789/none"])

    assert await state_of(store) is State.FINAL


# What comes after


async def test_a_mark_leaves_a_deleted_call_deleted_and_says_so(store: Store) -> None:
    await buried(store)

    deleted = await store.mark([mark(), mark("o/new"), mark("o/other", stale=False)])

    assert deleted == {CALL}
    assert await state_of(store) is State.DELETED
    assert await state_of(store, "o/new") is State.STALE
    assert await state_of(store, "o/other") is State.LIVE


async def test_a_sight_leaves_a_deleted_call_deleted(store: Store) -> None:
    await buried(store)

    deleted = await store.mark([mark(stale=False)])

    assert deleted == set()
    assert await state_of(store) is State.DELETED


async def test_of_first_sights_at_once_every_mark_is_written(store: Store) -> None:
    calls = [f"o/{number}" for number in range(50)]
    both = [[Mark(call, PARTITION, arrival, stale=bool(arrival)) for call in calls] for arrival in (0, 1, 2)]

    deleted = await asyncio.gather(*map(store.mark, both))

    seen = await store.look(calls)
    assert deleted == [set(), set(), set()]
    assert {(each.state, each.last_arrival) for each in seen.values()} == {(State.STALE, 2)}


async def test_a_deleted_call_is_neither_waiting_nor_claimed(store: Store) -> None:
    await buried(store)
    await store.mark([mark()])

    assert await store.waiting([PARTITION], 10) == []
    assert await store.claim([CALL], "token") == []


async def test_a_folder_whose_claim_was_taken_over_long_ago_stores_nothing_over_a_tombstone(store: Store) -> None:
    slow = await claimed(store)
    await settled(store)
    await store.bury([CALL], ARRIVED)

    assert await store.replace([(slow, result())]) == {CALL}
    await store.break_off([slow])
    await store.release([CALL], slow.token)
    await store.redact([document()])

    assert await state_of(store) is State.DELETED


# The tombstones' end


async def test_a_tombstone_is_outlived_when_its_log_is_gone_and_nothing_came_since(store: Store) -> None:
    await emptied(store)
    await buried(store, OTHER)

    assert await store.outlived([PARTITION], now(), 10) == [CALL]
    assert await store.outlived([6], now(), 10) == []
    assert await store.outlived([PARTITION], now() - 3_600_000, 10) == []


async def test_a_forgotten_call_was_never_seen(store: Store) -> None:
    await emptied(store)
    early, kept = await store.forget([CALL], now() - 3_600_000), await state_of(store)

    forgotten = await store.forget([CALL, OTHER], now())

    assert (early, kept, forgotten) == (0, State.DELETED, 1)
    assert await store.find(CALL) is None
    assert await store.mark([mark()]) == set()
    assert await state_of(store) is State.STALE


async def test_a_late_event_lets_a_tombstone_last_from_then_on(store: Store) -> None:
    await emptied(store)
    await asyncio.sleep(0.01)
    before = now() - 60_000
    await asyncio.sleep(0.01)

    await store.mark([mark()])

    assert await store.outlived([PARTITION], before, 10) == []
    assert await store.forget([CALL], before) == 0


async def test_a_call_buried_again_has_a_log_again(store: Store) -> None:
    await emptied(store)

    await store.bury_again([CALL, OTHER], now())

    assert await store.buried([PARTITION], 10) == [CALL]
    assert await store.outlived([PARTITION], now(), 10) == []
    assert await store.forget([CALL], now()) == 0


async def test_no_calls_are_no_trouble(store: Store) -> None:
    assert await store.bury([], EVER) == 0
    await store.delete([])
    await store.emptied([])
    await store.bury_again([], EVER)
    assert await store.forget([], EVER) == 0
