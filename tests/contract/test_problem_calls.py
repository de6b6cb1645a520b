"""Every store: calls whose events contradict themselves."""

from collections.abc import Mapping
from dataclasses import replace

from shared.store.models import CallUpdate, FoldResult, ProblemCall
from shared.store.ports import Store
from shared.store.states import State
from tests.support.store.makers import CALL, leased, result, state_of, tokens, too_large, update

ARRIVED = 1_000  # as in `update`
TWO = {"end_undone": 1, "turn_not_final": 2}


async def fold(store: Store, call: str, arrival: int, found: FoldResult | Mapping[str, int]) -> None:
    """Store the result of a fold, or one with these problems."""
    await store.mark_stale([CallUpdate(call, 7, arrival, stale=True)])
    (lease,) = await store.lease([call], next(tokens))
    await store.store_results([(lease, found if isinstance(found, FoldResult) else result(problems=found))])


async def listed(store: Store, organization: str | None = None, since: int = 0) -> list[str]:
    return [each.call for each in await store.problem_calls(organization, since, None, 10)]


async def test_calls_with_problems_are_listed_with_their_kinds(store: Store) -> None:
    await fold(store, CALL, ARRIVED, TWO)
    await fold(store, "org-789/right", ARRIVED, {})
    await store.mark_stale([update("org-789/new")])

    assert await store.problem_calls(None, 0, None, 10) == [ProblemCall(CALL, ARRIVED, TWO)]


async def test_the_call_with_the_latest_arrival_is_first(store: Store) -> None:
    for call, arrival in (("o/a", 2_000), ("o/b", 3_000), ("o/d", 1_000), ("o/c", 2_000)):
        await fold(store, call, arrival, TWO)

    assert await listed(store) == ["o/b", "o/a", "o/c", "o/d"]
    assert await listed(store, since=2_000) == ["o/b", "o/a", "o/c"]
    assert await listed(store, since=3_001) == []


async def test_problems_of_one_organization(store: Store) -> None:
    for call in ("org/1", "org-789/2", "org.x/3"):
        await fold(store, call, ARRIVED, TWO)

    assert await listed(store, "org") == ["org/1"]
    assert await listed(store, "org", since=ARRIVED + 1) == []
    assert await listed(store, "or") == []


async def test_page_by_page_each_call_is_returned_once_also_those_of_the_same_time(store: Store) -> None:
    for call, arrival in (("o/a", 2), ("o/b", 2), ("o/c", 2), ("o/d", 3), ("p/e", 2), ("o/f", 1)):
        await fold(store, call, arrival, TWO)

    for organization, expected in ((None, ["o/d", "o/a", "o/b", "o/c", "p/e", "o/f"]), ("p", ["p/e"])):
        pages: list[list[str]] = []
        after = None
        while page := await store.problem_calls(organization, 1, after, 2):
            pages.append([each.call for each in page])
            after = page[-1]

        assert [call for page in pages for call in page] == expected


async def test_a_large_call_without_a_stored_record_is_listed(store: Store) -> None:
    await fold(store, CALL, ARRIVED, replace(too_large(), problems=TWO))

    assert await store.problem_calls("org-789", 0, None, 10) == [ProblemCall(CALL, ARRIVED, TWO)]


async def test_a_live_call_whose_record_was_stored_is_listed(store: Store) -> None:
    await fold(store, CALL, ARRIVED, result(final=False, problems=TWO))

    assert await listed(store) == [CALL]


async def test_a_new_arrival_moves_a_call_to_the_front_with_the_problems_of_its_last_fold(store: Store) -> None:
    await fold(store, CALL, ARRIVED, TWO)

    await store.mark_stale([update(arrival=5_000)])

    assert await store.problem_calls(None, 5_000, None, 10) == [ProblemCall(CALL, 5_000, TWO)]


async def test_a_fold_without_problems_takes_a_call_off_the_list(store: Store) -> None:
    await fold(store, CALL, ARRIVED, TWO)

    await fold(store, CALL, ARRIVED, {})

    assert await listed(store) == []


async def test_a_broken_and_a_deleted_call_are_not_listed(store: Store) -> None:
    for call in ("o/broken", "o/deleted"):
        await fold(store, call, ARRIVED, TWO)
    await store.mark_broken([await leased(store, "o/broken")])
    await store.tombstone(["o/deleted"], ARRIVED)

    assert await state_of(store, "o/deleted") is State.DELETED
    assert await listed(store) == []
