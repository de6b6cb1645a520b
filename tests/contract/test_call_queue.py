"""Every store: leases and their results."""

import asyncio
from typing import Any

import pytest

from shared.fold.fold import RULES_VERSION
from shared.store.models import CallHeader, CallSnapshot, CallUpdate, Lease
from shared.store.ports import Store
from shared.store.states import MAX_ATTEMPTS, State
from shared.store.zstd_frame import Frame
from tests.support.eventually import eventually
from tests.support.store.makers import CALL, body_of, document, leased, result, state_of, tokens, too_large, update

leases_run_out = pytest.mark.parametrize("lease_ms", [100])

# Leasing


async def test_a_stale_call_is_leased_once(store: Store) -> None:
    await store.mark_stale([update()])

    first = await store.lease([CALL], next(tokens))
    second = await store.lease([CALL], next(tokens))

    assert [(lease.call, lease.partition, lease.attempts, lease.last_arrival) for lease in first] == [
        (CALL, 7, 1, 1_000)
    ]
    assert second == []
    assert await state_of(store) is State.FOLDING


async def test_of_two_concurrent_leases_one_is_given(store: Store) -> None:
    await store.mark_stale([update()])

    both = await asyncio.gather(*(store.lease([CALL], next(tokens)) for _ in range(2)))

    assert sorted(map(len, both)) == [0, 1]


async def test_a_call_that_is_not_stale_is_not_leased(store: Store) -> None:
    await store.mark_stale([update(stale=False)])

    assert await store.lease([CALL, "org-789/none"], next(tokens)) == []


@leases_run_out
async def test_an_expired_lease_is_taken_over(store: Store) -> None:
    await leased(store)

    (again,) = await eventually(lambda: store.lease([CALL], next(tokens)))

    assert again.attempts == 2


@pytest.mark.parametrize("lease_ms", [1_000])
async def test_a_renewed_lease_holds_when_one_of_the_same_age_has_run_out(store: Store) -> None:
    lease, _ = await leased(store), await leased(store, "o/not-renewed")

    async def other_ran_out() -> list[Lease]:
        await store.renew([CALL], lease.token)
        return await store.lease(["o/not-renewed"], next(tokens))

    await eventually(other_ran_out)
    others = await store.lease([CALL], next(tokens))

    assert others == []
    assert await store.store_results([(lease, result())]) == set()


async def test_a_released_lease_leaves_the_call_stale_and_counts_no_attempt(store: Store) -> None:
    lease = await leased(store)

    await store.release([CALL], lease.token)
    (again,) = await store.lease([CALL], next(tokens))

    assert again.attempts == 1


async def test_releasing_a_lease_again_changes_nothing(store: Store) -> None:
    lease = await leased(store)

    for _ in range(2):
        await store.release([CALL], lease.token)
    (again,) = await store.lease([CALL], next(tokens))

    assert again.attempts == 1


async def test_releasing_the_lease_of_a_call_marked_stale_meanwhile_counts_no_attempt_either(store: Store) -> None:
    lease = await leased(store)
    await store.mark_stale([update()])

    for _ in range(2):
        await store.release([CALL], lease.token)

    assert (await leased(store)).attempts == 1


async def test_releasing_a_call_that_was_stored_and_marked_stale_takes_no_attempt_away(store: Store) -> None:
    lease = await leased(store)
    await store.store_results([(lease, result())])
    await store.mark_stale([update()])

    await store.release([CALL], lease.token)

    assert (await leased(store)).attempts == 1


async def test_releasing_a_call_that_was_broken_and_marked_stale_takes_no_attempt_away(store: Store) -> None:
    lease = await leased(store)
    await store.mark_broken([lease])
    await store.mark_stale([update()])

    await store.release([CALL], lease.token)

    assert (await leased(store)).attempts == MAX_ATTEMPTS


async def test_stale_calls_are_those_of_the_partitions_the_longest_waiting_first(store: Store) -> None:
    await store.mark_stale([update("o/b")])
    await asyncio.sleep(0.01)
    await store.mark_stale([update("o/a")])
    await store.mark_stale([CallUpdate("o/elsewhere", 8, 1, stale=True), CallUpdate("o/live", 7, 1, stale=False)])

    waiting = await store.stale_calls([7], 10)

    assert [each.call for each in waiting] == ["o/b", "o/a"]
    assert [each.call for each in await store.stale_calls([7], 1)] == ["o/b"]
    assert {each.partition for each in waiting} == {7}


async def test_a_leased_call_is_not_stale(store: Store) -> None:
    await leased(store)

    assert await store.stale_calls([7], 10) == []


@leases_run_out
async def test_a_leased_call_is_stale_again_when_its_lease_has_expired(store: Store) -> None:
    await leased(store)

    later = await eventually(lambda: store.stale_calls([7], 10))

    assert [each.call for each in later] == [CALL]


# Storing


async def test_a_stored_record_is_found(store: Store) -> None:
    lease, stored = await leased(store), result(final=True)

    lost = await store.store_results([(lease, stored)])

    found = await store.find(CALL)
    assert lost == set()
    assert found is not None
    assert (found.state, body_of(found), found.etag, found.opted_out) == (State.FINAL, stored.body, stored.etag, False)
    assert isinstance(found.content, Frame)


async def test_a_record_that_is_not_final_leaves_the_call_live(store: Store) -> None:
    lease = await leased(store)

    await store.store_results([(lease, result(final=False))])

    assert (await store.read_states([CALL]))[CALL] == CallSnapshot(State.LIVE, False, 1_000, 3)


async def test_the_result_of_a_call_marked_stale_meanwhile_is_lost(store: Store) -> None:
    lease = await leased(store)

    await store.mark_stale([update()])

    assert await store.store_results([(lease, result())]) == {CALL}
    assert await state_of(store) is State.STALE


async def test_a_fold_overtaken_by_an_update_is_no_failed_attempt(store: Store) -> None:
    for _ in range(2 * MAX_ATTEMPTS):
        lease = await leased(store)
        await store.mark_stale([update()])
        assert await store.store_results([(lease, result())]) == {CALL}

    assert (await leased(store)).attempts == 1


async def test_folds_that_keep_overtaking_each_other_are_no_failed_attempts(store: Store) -> None:
    one = await leased(store)

    for _ in range(2 * MAX_ATTEMPTS):
        other = await leased(store)
        assert await store.store_results([(one, result())]) == {CALL}
        one = other

    assert one.attempts == 2
    assert (await leased(store)).attempts == 2


@leases_run_out
async def test_the_result_of_a_lease_that_was_taken_over_is_lost(store: Store) -> None:
    slow = await leased(store)
    (quick,) = await eventually(lambda: store.lease([CALL], next(tokens)))

    assert await store.store_results([(slow, result())]) == {CALL}
    assert await store.store_results([(quick, result())]) == set()


async def test_of_several_results_only_the_lost_ones_are_returned(store: Store) -> None:
    held, lost = await leased(store, "o/held"), await leased(store, "o/lost")
    await store.mark_stale([update("o/lost")])

    assert await store.store_results([(held, result()), (lost, result())]) == {"o/lost"}


async def test_storing_resets_the_attempts(store: Store) -> None:
    lease = await leased(store)
    await store.store_results([(lease, result())])

    assert (await leased(store)).attempts == 1


async def test_a_record_that_would_not_fit_is_final_without_a_body(store: Store) -> None:
    lease = await leased(store)

    await store.store_results([(lease, too_large())])

    found = await store.find(CALL)
    assert found is not None
    assert (found.state, body_of(found), found.etag) == (State.FINAL, None, too_large().etag)


@pytest.mark.parametrize(
    "metadata", [{"a.b": 1, "$set": {"$x": "$27"}}, {"": ""}, {"$ref": "x", "$id": 1}, {"n": 2**63 - 1}, {"f": 1e300}]
)
async def test_keys_and_values_with_a_meaning_in_mongodb_are_kept(store: Store, metadata: dict[str, Any]) -> None:
    lease, stored = await leased(store), result(metadata={"outer": metadata})

    await store.store_results([(lease, stored)])

    found = await store.find(CALL)
    assert found is not None
    assert body_of(found) == stored.body


async def test_a_broken_call_has_no_record_and_gets_one_attempt_when_it_is_marked_stale(store: Store) -> None:
    lease = await leased(store)

    await store.mark_broken([lease])

    found = await store.find(CALL)
    assert found is not None
    assert (found.state, body_of(found)) == (State.BROKEN, None)
    assert (await leased(store)).attempts == MAX_ATTEMPTS


async def test_a_call_marked_stale_meanwhile_is_not_marked_broken(store: Store) -> None:
    lease = await leased(store)
    await store.mark_stale([update()])

    await store.mark_broken([lease])

    assert await state_of(store) is State.STALE


async def test_a_call_never_seen_is_not_found(store: Store) -> None:
    assert await store.find(CALL) is None


async def test_the_store_answers(store: Store) -> None:
    await store.ping()


# Headers and the calls of the log


async def test_the_calls_of_the_log_are_listed_in_order_from_any_of_them_on(store: Store) -> None:
    calls = ["a/1", "a/1-b", "a/2", "ab/1", "b/1"]
    await store.insert([document(call, offset=offset) for call in calls for offset in range(3)])

    everything = await store.logged_calls(10)

    assert sorted(everything) == calls
    assert await store.logged_calls(2) == everything[:2]
    assert await store.logged_calls(10, everything[1]) == everything[2:]
    assert await store.logged_calls(10, None, "a") == [call for call in everything if call.startswith("a/")]
    assert await store.logged_calls(10, everything[-1]) == []


async def test_a_call_with_more_documents_than_a_page_is_listed_once(store: Store) -> None:
    await store.insert([document("a/1", offset=offset) for offset in range(2_100)])
    await store.insert([document("a/2")])

    assert await store.logged_calls(10) == ["a/1", "a/2"]


async def test_a_header_has_the_versions_by_which_the_record_was_folded(store: Store) -> None:
    lease = await leased(store)
    await store.mark_stale([update("a/1", stale=False)])
    await store.store_results([(lease, result())])

    assert await store.headers([CALL, "a/1", "a/2"]) == {
        CALL: CallHeader(State.FINAL, 7, 1_000, RULES_VERSION, "test"),
        "a/1": CallHeader(State.LIVE, 7, 1_000, None, None),
    }
