"""The lists of calls in the console, on a real database."""

from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
from structlog.testing import capture_logs

from services.console.access.accounts import Accounts, Role
from services.console.app import ConsoleDependencies, create_app
from services.console.watching.monitor import Monitor
from shared.config.mongo_access import MongoAccess
from shared.contract.ids import call_key
from shared.fold_pool.in_process import InProcessFolds
from shared.store.models import CallUpdate
from shared.store.mongo.calls import MongoStore
from shared.store.mongo.client import Connection
from shared.store.states import State
from tests.support.api.client import put
from tests.support.console.browser import Browser, Page, console_settings
from tests.support.events.makers import STARTED, book, event
from tests.support.store.makers import state_of, tokens

HOSTILE = ("<script>alert(1)</script>", '"><img src=x onerror=alert(1)>', "{{7*7}}", "a/b%2F?c#d&e", "$where")
SAID = "the number is +431234567"

LogIn = Callable[[Role], Browser]


@pytest.fixture
async def store(connection: Connection) -> MongoStore:
    store = MongoStore(connection)
    await store.prepare()
    await store.put_watermarks({0: STARTED}, 12)
    return store


def opened(store: MongoStore, role: Role) -> Browser:
    settings = console_settings(role)
    folds = InProcessFolds(store, book())
    dependencies = ConsoleDependencies(store, book(), Accounts({}), Monitor(settings.console_monitor), folds)
    return Browser(create_app(settings, dependencies))


@pytest.fixture
async def log_in(store: MongoStore) -> LogIn:
    return lambda role: opened(store, role)


@pytest.fixture
async def absent(name: str) -> AsyncIterator[MongoStore]:
    """A store whose server is not there."""
    connection = Connection(MongoAccess("mongodb://127.0.0.1:1/?replicaSet=rs"), name, timeout_ms=300)
    yield MongoStore(connection)
    await connection.close()


async def finish(store: MongoStore, call: str, organization: str = "org-1", arrival: int = 1_000) -> None:
    """Store a call that has ended, with a number, something said, and a late duplicate of its end."""
    names: dict[str, Any] = {"call": call, "organization": organization}
    await put(
        store,
        [
            event("call.started", **names, from_number="+431234567"),
            event("transcript.turn", **names, role="user", content=SAID, timestamp=STARTED + 1_000, final=True),
            event("call.ended", **names, at=STARTED + 60_000, reason="hangup"),
        ],
        final=True,
    )
    await store._calls.update_one(  # noqa: SLF001 - `put` has no arrival of its own
        {"_id": call_key(organization, call)}, {"$set": {"last_arrival": arrival}}
    )


async def mark(store: MongoStore, *calls: str, stale: bool = False, arrival: int = 2_000) -> None:
    await store.mark_stale([CallUpdate(call, 3, arrival, stale=stale) for call in calls])


async def break_calls(store: MongoStore, *calls: str) -> None:
    await mark(store, *calls, stale=True)
    await store.mark_broken(await store.lease(calls, next(tokens)))


def rows(page: Page) -> list[str]:
    """Return the call ids that the page links to, in its order."""
    return [str(attributes["href"]) for tag, attributes in page.elements if tag == "a" and _is_call(attributes)]


def _is_call(attributes: dict[str, Any]) -> bool:
    return str(attributes.get("href")).startswith("/calls/") and attributes["href"] != "/calls/broken"


def attributes(page: Page, tag: str, **wanted: str) -> list[dict[str, str | None]]:
    return [found for name, found in page.elements if name == tag and wanted.items() <= found.items()]


async def test_the_list_has_each_call_with_what_is_stored_of_it(store: MongoStore, log_in: LogIn) -> None:
    await finish(store, "ended")
    await mark(store, "org-1/live")
    await break_calls(store, "org-2/broken")

    page = await log_in(Role.SUPPORT).open("/calls")

    assert page.status == 200
    assert rows(page) == ["/calls/org-1/live", "/calls/org-2/broken", "/calls/org-1/ended"]
    assert "org-1 ended ENDED final 2023" in page.text
    assert "1 min 00 s" in page.text
    assert "org-1 live \u2013 live \u2013" in page.text
    assert attributes(page, "div", id="calls")[0]["data-refresh"] == "2"


@pytest.mark.parametrize(
    ("query", "shown"),
    [
        ("organization=org-1", ["org-1/live", "org-1/ended"]),
        ("status=ENDED", ["org-1/ended", "org-2/ended"]),
        ("status=ERROR", []),
        ("finality=live", ["org-1/live"]),
        ("finality=settling", ["org-2/stale"]),
        ("finality=final&organization=org-2", ["org-2/ended"]),
        ("finality=broken", ["org-2/broken"]),
        ("age=hour", []),
        ("organization=org", []),
        ("organization=%24where", []),
        ("organization=org-1%00", []),
    ],
)
async def test_filters(store: MongoStore, log_in: LogIn, query: str, shown: list[str]) -> None:
    await finish(store, "ended")
    await finish(store, "ended", "org-2", arrival=900)
    await mark(store, "org-1/live")
    await mark(store, "org-2/stale", stale=True)
    await break_calls(store, "org-2/broken")

    page = await log_in(Role.SUPPORT).open(f"/calls?{query}")

    assert page.status == 200
    assert rows(page) == [f"/calls/{call}" for call in shown]


async def test_the_next_page_goes_on_with_the_filter(store: MongoStore, log_in: LogIn) -> None:
    await mark(store, *(f"org-1/{number:03}" for number in range(70)))
    await mark(store, "org-2/other")
    browser = log_in(Role.SUPPORT)

    first = await browser.open("/calls?organization=org-1")
    [link] = attributes(first, "a", rel="next")
    second = await browser.open(str(link["href"]))

    assert rows(first) == [f"/calls/org-1/{number:03}" for number in range(50)]
    assert rows(second) == [f"/calls/org-1/{number:03}" for number in range(50, 70)]
    assert attributes(second, "a", rel="next") == []
    assert attributes(second, "a", href="/calls?organization=org-1") != []


async def test_a_page_of_older_calls_loads_again_while_one_of_them_changes(store: MongoStore, log_in: LogIn) -> None:
    await finish(store, "ended")
    browser = log_in(Role.VIEWER)

    final = await browser.open("/calls?arrival=3000&after=o/c")
    await mark(store, "org-1/live")
    live = await browser.open("/calls?arrival=3000&after=o/c")

    assert "data-refresh" not in attributes(final, "div", id="calls")[0]
    assert attributes(live, "div", id="calls")[0]["data-refresh"] == "2"


@pytest.mark.parametrize(
    "query", ["arrival=x&after=y", "arrival=99999999999999999999&after=o/c", "after=", "status=%FF"]
)
async def test_an_address_that_somebody_typed_is_the_first_page(store: MongoStore, log_in: LogIn, query: str) -> None:
    await mark(store, "org-1/live")

    assert rows(await log_in(Role.SUPPORT).open(f"/calls?{query}")) == ["/calls/org-1/live"]


@pytest.mark.parametrize("path", ["/calls", "/calls/broken"])
async def test_ids_are_text_whatever_they_hold(store: MongoStore, log_in: LogIn, path: str) -> None:
    await break_calls(store, *(call_key(each.replace("/", "-"), each) for each in HOSTILE))
    browser = log_in(Role.OPERATOR)

    page = await browser.open(path)

    assert [each for each in HOSTILE if each not in page.text] == []
    assert not [tag for tag, _ in page.elements if tag == "img"]
    assert [found.get("src") for found in attributes(page, "script")] == ["/static/console.js"]
    for link in rows(page):
        opened_page = await browser.open(link)
        assert (opened_page.status, "cannot be folded" in opened_page.text) == (500, True)


async def test_a_filter_is_shown_as_text(log_in: LogIn) -> None:
    page = await log_in(Role.VIEWER).open("/calls?organization=%22%3E%3Cscript%3Ealert(1)%3C/script%3E")

    assert attributes(page, "input", name="organization", value='"><script>alert(1)</script>') != []
    assert len(attributes(page, "script")) == 1


async def test_a_viewer_sees_no_link_no_number_and_nothing_that_was_said(store: MongoStore, log_in: LogIn) -> None:
    await finish(store, "ended")
    await break_calls(store, "org-1/broken")
    viewer = log_in(Role.VIEWER)

    for page in (await viewer.open("/calls"), await viewer.open("/calls/broken")):
        assert "broken" in page.text
        assert rows(page) == []
        assert "+43" not in page.source
        assert attributes(page, "button", name="only") == []
    assert (await viewer.open("/calls/org-1/ended")).status == 403


async def test_the_page_of_broken_calls_has_what_to_do_and_what_waits(store: MongoStore, log_in: LogIn) -> None:
    await break_calls(store, "org-1/broken")
    await mark(store, "org-1/live")
    await mark(store, "org-1/stale", "org-1/folding", stale=True)
    await store.lease(["org-1/folding"], next(tokens))

    page = await log_in(Role.SUPPORT).open("/calls/broken")

    assert "Broken 1 Waiting for a fold 2 Live 1 " in page.text
    assert "callfold rebuild --broken" in page.text
    assert rows(page) == ["/calls/org-1/broken", "/calls/org-1/stale"]
    assert attributes(page, "button", name="only") == []


async def test_an_operator_rebuilds_the_selected_calls(store: MongoStore, log_in: LogIn) -> None:
    await break_calls(store, "org-1/a", "org-1/b%2F\r\n", "org-1/c")
    operator = log_in(Role.OPERATOR)
    page = await operator.open("/calls/broken")
    boxes = [str(found["value"]) for found in attributes(page, "input", type="checkbox")]

    with capture_logs() as logged:
        answer = await operator.send(page.form("/calls/broken"), *(("call", box) for box in boxes[:2]))

    assert "2 calls are to be folded again." in answer.text
    assert [await state_of(store, call) for call in ("org-1/a", "org-1/b%2F\r\n")] == [State.STALE, State.STALE]
    assert await state_of(store, "org-1/c") is State.BROKEN
    [line] = [each for each in logged if each["event"] == "calls_rebuilt"]
    assert (line["account"], line["calls"]) == ("ann", ["org-1/a", "org-1/b%2F\r\n"])


async def test_the_button_of_a_call_rebuilds_it_alone(store: MongoStore, log_in: LogIn) -> None:
    await break_calls(store, "org-1/a", "org-1/b")
    operator = log_in(Role.OPERATOR)
    page = await operator.open("/calls/broken")
    first, second = (str(found["value"]) for found in attributes(page, "button", name="only"))

    answer = await operator.send(page.form("/calls/broken"), ("call", first), ("only", second))

    assert "1 call is to be folded again." in answer.text
    assert [await state_of(store, call) for call in ("org-1/a", "org-1/b")] == [State.BROKEN, State.STALE]


async def test_a_form_that_is_sent_twice_rebuilds_once(store: MongoStore, log_in: LogIn) -> None:
    await break_calls(store, "org-1/a")
    operator = log_in(Role.OPERATOR)
    form = (await operator.open("/calls/broken")).form("/calls/broken")

    first = await operator.send(form, ("only", "org-1%2Fa"))
    await store.mark_broken(await store.lease(["org-1/a"], next(tokens)))
    with capture_logs() as logged:
        second = await operator.send(form, ("only", "org-1%2Fa"))

    assert "1 call is to be folded again." in first.text
    assert "1 call is to be folded again." in second.text
    assert await state_of(store, "org-1/a") is State.BROKEN
    assert [each for each in logged if each["event"] == "calls_rebuilt"] == []


async def test_a_call_that_is_not_broken_any_more_stays_as_it_is(store: MongoStore, log_in: LogIn) -> None:
    await break_calls(store, "org-1/a")
    operator = log_in(Role.OPERATOR)
    form = (await operator.open("/calls/broken")).form("/calls/broken")
    await mark(store, "org-1/a", stale=True)
    await finish(store, "final")

    answer = await operator.send(form, ("call", "org-1%2Fa"), ("call", "org-1%2Ffinal"), ("call", "no/such"))

    assert "0 calls are to be folded again." in answer.text
    assert await state_of(store, "org-1/final") is State.FINAL


@pytest.mark.parametrize(
    ("role", "changed", "status"),
    [
        (Role.OPERATOR, {"csrf": "another"}, 403),
        (Role.OPERATOR, {"csrf": ""}, 403),
        (Role.OPERATOR, {"once": ""}, 400),
        (Role.OPERATOR, {"once": "x&y=<b>" * 5}, 400),
        (Role.OPERATOR, {"only": ""}, 400),
        (Role.SUPPORT, {}, 403),
    ],
)
async def test_what_is_no_form_of_an_operator_rebuilds_nothing(
    store: MongoStore, log_in: LogIn, role: Role, changed: dict[str, str], status: int
) -> None:
    await break_calls(store, "org-1/a")
    browser = log_in(role)
    form = (await browser.open("/calls/broken")).form("/calls/broken")
    form.fields = list({**dict(form.fields), "only": "org-1%2Fa", **changed}.items())

    answer = await browser.send(form)

    assert answer.status == status
    assert await state_of(store, "org-1/a") is State.BROKEN


@pytest.mark.parametrize("path", ["/calls", "/calls?status=ENDED", "/calls?problems=1", "/calls/broken"])
async def test_without_mongodb_the_page_says_so_in_place_of_the_calls(absent: MongoStore, path: str) -> None:
    page = await opened(absent, Role.OPERATOR).open(path)

    assert page.status == 200
    assert "MongoDB does not answer." in page.text
    assert "Broken calls" in page.text


async def test_a_rebuild_without_mongodb_can_be_sent_again(
    store: MongoStore, absent: MongoStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    await break_calls(store, "org-1/a")
    operator = opened(store, Role.OPERATOR)
    form = (await operator.open("/calls/broken")).form("/calls/broken")

    with monkeypatch.context() as away:
        away.setattr(store, "_calls", absent._calls)  # noqa: SLF001
        failed = await operator.send(form, ("only", "org-1%2Fa"))
    answer = await operator.send(form, ("only", "org-1%2Fa"))

    assert failed.status == 503
    assert "1 call is to be folded again." in answer.text
    assert await state_of(store, "org-1/a") is State.STALE


async def test_before_the_first_worker_there_is_nothing_to_list(connection: Connection) -> None:
    page = await opened(MongoStore(connection), Role.VIEWER).open("/calls")

    assert "No worker has written anything yet." in page.text
