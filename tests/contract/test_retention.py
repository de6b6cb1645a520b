"""Every store: calls past retention, and their tombstones."""

import asyncio
import time

from shared.store.models import CallUpdate
from shared.store.ports import Store
from shared.store.states import State
from tests.support.store.makers import CALL, body_of, document, leased, result, state_of, update

PARTITION = 7
ARRIVED = 1_000  # as in `update`
EVER = 2**42
OTHER = "org-789/call-45"  # a prefix of the other key


async def settled(store: Store, call: str = CALL, *, opted_out: bool = False) -> None:
    """Store a call with one document in its log and a final record."""
    await store.insert([document(call)])
    await store.mark_stale([update(call, opted_out=opted_out)])
    (lease,) = await store.lease([call], f"token-of-{call}")
    await store.store_results([(lease, result(opted_out=opted_out))])


async def make_tombstone(store: Store, call: str = CALL, *, opted_out: bool = False) -> None:
    await settled(store, call, opted_out=opted_out)
    assert await store.tombstone([call], ARRIVED) == 1


async def make_purged_tombstone(store: Store, call: str = CALL) -> None:
    await make_tombstone(store, call)
    await store.delete_log([call])
    await store.mark_purged([call])


def now() -> int:
    return int(time.time() * 1000) + 60_000


# Which calls


async def test_the_organizations_are_those_of_all_folded_calls_each_once(store: Store) -> None:
    for call in ("a/1", "a/2", "b/1", "$set/1"):
        await settled(store, call)

    assert await store.organizations() == ["$set", "a", "b"]


async def test_past_retention_are_the_settled_calls_of_an_organization_and_these_partitions(store: Store) -> None:
    await settled(store)
    await settled(store, "another/call")
    await store.mark_broken([await leased(store, OTHER)])

    assert set(await store.past_retention("org-789", [6, PARTITION], ARRIVED, 10)) == {CALL, OTHER}
    assert len(await store.past_retention("org-789", [PARTITION], ARRIVED, 1)) == 1
    assert await store.past_retention("org-789", [6], ARRIVED, 10) == []
    assert await store.past_retention("org-789", [PARTITION], ARRIVED - 1, 10) == []


async def test_a_live_or_stale_or_folding_call_is_neither_past_retention_nor_deleted(store: Store) -> None:
    await store.store_results([(await leased(store, "o/live"), result(final=False))])
    await settled(store, "o/stale")
    await store.mark_stale([update("o/stale")])
    await settled(store, "o/folding")
    await leased(store, "o/folding")
    calls = ["o/live", "o/stale", "o/folding", "o/none"]

    assert await store.past_retention("o", [PARTITION], EVER, 10) == []
    assert await store.tombstone(calls, EVER) == 0
    assert State.DELETED not in {seen.state for seen in (await store.read_states(calls)).values()}


# Tombstones


async def test_a_tombstone_keeps_the_opt_out_and_nothing_of_the_record(store: Store) -> None:
    await make_tombstone(store, opted_out=True)

    found = await store.find(CALL)
    assert found is not None
    assert (found.state, found.opted_out, body_of(found), found.etag) == (State.DELETED, True, None, None)


async def test_a_call_with_an_arrival_meanwhile_is_not_deleted(store: Store) -> None:
    await settled(store)
    await store.mark_stale([update(arrival=ARRIVED + 1, stale=False)])

    assert await store.tombstone([CALL], ARRIVED) == 0
    assert await state_of(store) is State.FINAL


async def test_a_deleted_call_is_listed_until_it_is_purged(store: Store) -> None:
    await make_tombstone(store)
    await settled(store, OTHER)
    first = await store.tombstoned([PARTITION], 10)
    await store.delete_log([CALL])
    still = await store.tombstoned([PARTITION], 10)

    await store.mark_purged([CALL])

    assert (first, still, await store.tombstoned([6], 10), await store.tombstoned([PARTITION], 10)) == (
        [CALL],
        [CALL],
        [],
        [],
    )
    assert await store.read([CALL, OTHER]) == {CALL: [], OTHER: [document(OTHER)]}


async def test_a_call_that_is_not_deleted_is_not_marked_purged(store: Store) -> None:
    await settled(store)

    await store.mark_purged([CALL, "org-789/none"])

    assert await state_of(store) is State.FINAL


# Late events


async def test_marking_a_deleted_call_stale_leaves_it_deleted_and_returns_it(store: Store) -> None:
    await make_tombstone(store)

    deleted = await store.mark_stale([update(), update("o/new"), update("o/other", stale=False)])

    assert deleted == {CALL}
    assert await state_of(store) is State.DELETED
    assert await state_of(store, "o/new") is State.STALE
    assert await state_of(store, "o/other") is State.LIVE


async def test_an_update_that_is_not_stale_leaves_a_deleted_call_deleted(store: Store) -> None:
    await make_tombstone(store)

    deleted = await store.mark_stale([update(stale=False)])

    assert deleted == set()
    assert await state_of(store) is State.DELETED


async def test_of_concurrent_updates_of_new_calls_each_is_written(store: Store) -> None:
    calls = [f"o/{number}" for number in range(50)]
    both = [[CallUpdate(call, PARTITION, arrival, stale=bool(arrival)) for call in calls] for arrival in (0, 1, 2)]

    deleted = await asyncio.gather(*map(store.mark_stale, both))

    seen = await store.read_states(calls)
    assert deleted == [set(), set(), set()]
    assert {(each.state, each.last_arrival) for each in seen.values()} == {(State.STALE, 2)}


async def test_a_deleted_call_is_neither_stale_nor_leased(store: Store) -> None:
    await make_tombstone(store)
    await store.mark_stale([update()])

    assert await store.stale_calls([PARTITION], 10) == []
    assert await store.lease([CALL], "token") == []


async def test_the_result_of_a_lost_lease_does_not_replace_a_tombstone(store: Store) -> None:
    slow = await leased(store)
    await settled(store)
    await store.tombstone([CALL], ARRIVED)

    assert await store.store_results([(slow, result())]) == {CALL}
    await store.mark_broken([slow])
    await store.release([CALL], slow.token)
    await store.redact([document()])

    assert await state_of(store) is State.DELETED


# Expired tombstones


async def test_a_tombstone_expires_when_it_is_purged_and_nothing_arrived_since(store: Store) -> None:
    await make_purged_tombstone(store)
    await make_tombstone(store, OTHER)

    assert await store.expired_tombstones([PARTITION], now(), 10) == [CALL]
    assert await store.expired_tombstones([6], now(), 10) == []
    assert await store.expired_tombstones([PARTITION], now() - 3_600_000, 10) == []


async def test_a_call_whose_tombstone_expired_is_as_never_seen(store: Store) -> None:
    await make_purged_tombstone(store)
    early, kept = await store.expire_tombstones([CALL], now() - 3_600_000), await state_of(store)

    expired = await store.expire_tombstones([CALL, OTHER], now())

    assert (early, kept, expired) == (0, State.DELETED, 1)
    assert await store.find(CALL) is None
    assert await store.mark_stale([update()]) == set()
    assert await state_of(store) is State.STALE


async def test_a_late_event_lets_a_tombstone_age_anew(store: Store) -> None:
    await make_purged_tombstone(store)
    await asyncio.sleep(0.01)
    before = now() - 60_000
    await asyncio.sleep(0.01)

    await store.mark_stale([update()])

    assert await store.expired_tombstones([PARTITION], before, 10) == []
    assert await store.expire_tombstones([CALL], before) == 0


async def test_a_renewed_tombstone_may_have_a_log_again(store: Store) -> None:
    await make_purged_tombstone(store)

    await store.renew_tombstones([CALL, OTHER], now())

    assert await store.tombstoned([PARTITION], 10) == [CALL]
    assert await store.expired_tombstones([PARTITION], now(), 10) == []
    assert await store.expire_tombstones([CALL], now()) == 0


async def test_empty_writes_do_nothing(store: Store) -> None:
    assert await store.tombstone([], EVER) == 0
    await store.delete_log([])
    await store.mark_purged([])
    await store.renew_tombstones([], EVER)
    assert await store.expire_tombstones([], EVER) == 0
