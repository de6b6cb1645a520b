"""What a viewer sees of ids, which may hold a phone number."""

import pytest

from services.console.access.accounts import Role
from services.console.access.ids import id_for, unchecked_id_for
from services.console.calls.cursors import Cursors
from shared.store.memory.calls import MemoryStore
from shared.store.models import CallUpdate, RecentCall
from tests.support.console.client import logged_in
from tests.support.store.makers import tokens


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("canary-034ce89b71ee4fae", "canary-034ce89b71ee4fae"),
        ("+4312345678-2", "+…-2"),
        ("call-123456", "call-123456"),
        ("a1234567b12345678", "a…b…"),
        ("\uff11\uff12\uff13\uff14\uff15\uff16\uff17", "…"),
    ],
)
def test_a_viewer_sees_ids_without_long_numbers(value: str, shown: str) -> None:
    assert [id_for(role, value) for role in Role] == [shown, value, value]


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("org-789", "org-789"),
        ("/twilio/AC0001:a@b.test", "/twilio/AC0001:a@b.test"),
        ("x" * 100, "x" * 100),
        ("x" * 101, "hidden"),
        ("hello there", "hidden"),
        ("org-1\n", "hidden"),
        ("4312345678", "hidden"),
        ("órg", "hidden"),
        ("", "hidden"),
        (None, None),
    ],
)
def test_a_viewer_sees_what_was_not_checked_only_where_it_looks_like_an_id(
    value: str | None, shown: str | None
) -> None:
    assert [unchecked_id_for(role, value) for role in Role] == [shown, value, value]


def test_an_address_names_a_call_with_a_number_by_a_token() -> None:
    cursors, after = Cursors(), RecentCall("org-1/4312345678", 7)

    shown = cursors.shown(Role.VIEWER, after)

    assert shown is not None
    assert (shown.last_arrival, "12345678" in shown.call) == (7, False)
    assert cursors.known(shown) == after
    assert cursors.shown(Role.VIEWER, after) == shown
    assert cursors.shown(Role.SUPPORT, after) == after
    assert Cursors().known(shown) == shown
    assert cursors.shown(Role.VIEWER, RecentCall("org-1/call-1", 7)) == RecentCall("org-1/call-1", 7)
    assert (cursors.shown(Role.VIEWER, None), cursors.known(None)) == (None, None)


@pytest.mark.parametrize("path", ["/calls", "/calls/broken"])
async def test_lists_of_calls_show_a_viewer_no_number_and_all_pages(path: str) -> None:
    store = MemoryStore()
    await store.put_watermarks({0: 1}, 1)
    calls = [f"431234567/4312345678-{number:03}" for number in range(60)]
    await store.mark_stale([CallUpdate(call, 0, number, stale=True) for number, call in enumerate(calls)])
    if path == "/calls/broken":
        await store.mark_broken(await store.lease(calls, next(tokens)))
    viewer, support = await logged_in("viewer", store), await logged_in("support", store)

    first = (await viewer.get(path)).text
    second = (await viewer.get(_next(first))).text

    assert not [page for page in (first, second) if "1234567" in page]
    assert ("…-010" in first, "…-009" in second, "…-010" in second) == (True, True, False)
    assert "4312345678-010" in (await support.get(path)).text


def _next(page: str) -> str:
    return page.partition('" rel="next"')[0].rpartition('href="')[2].replace("&amp;", "&")
