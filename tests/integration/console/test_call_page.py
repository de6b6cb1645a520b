"""One call's page, from a real database: calls of every kind, hostile ones, and what is not there."""

from html import unescape
from typing import Any

import pytest
from structlog.testing import capture_logs

from services.console.access.accounts import Accounts, Role
from services.console.addresses import call_address
from services.console.app import ConsoleDependencies, create_app
from services.console.watching.monitor import Monitor
from shared.config.mongo_access import MongoAccess
from shared.fold_pool.in_process import InProcessFolds
from shared.store.mongo.calls import MongoStore
from shared.store.mongo.client import Connection
from tests.integration.console.conftest import LogIn
from tests.support.api.client import break_call, put
from tests.support.console.browser import Browser, Page, console_settings
from tests.support.events.makers import STARTED, Json, book, event
from tests.support.events.seed_call import seed_call
from tests.support.store.makers import leased, result

SEED = "/calls/org-789/call-456"
HOSTILE = (
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "{{7*7}}",
    "javascript:alert(1)",
    "</pre></details><iframe src=//evil>",
    "' autofocus onfocus=alert(1) '",
)
TAGS = {"script": 1, "img": 0, "iframe": 0, "style": 0}


@pytest.fixture
async def store(connection: Connection) -> MongoStore:
    store = MongoStore(connection)
    await store.prepare()
    return store


def ended_seed() -> list[Json]:
    return [*seed_call(), event("call.ended", at=STARTED + 300_000, id="end", source="/twilio/AC0001")]


def anchors(page: Page) -> set[str]:
    return {attributes["id"] or "" for _, attributes in page.elements if "id" in attributes}


def links(page: Page) -> list[str]:
    return [attributes.get("href") or "" for tag, attributes in page.elements if tag == "a"]


async def test_the_page_of_a_call_has_all_its_parts(store: MongoStore, log_in: LogIn) -> None:
    await put(store, ended_seed(), final=True)

    page = await log_in(Role.SUPPORT).open(SEED)

    assert page.status == 200
    assert "ENDED because call.ended came from /twilio/AC0001 at 05:00 with the reason “user_hangup”." in page.text
    for part in ("+1234567890", "+0987654321", "Hello, thank you for calling.", "300 s ÷ 60 \u00d7 0.02 per minute"):
        assert part in page.text
    assert {"timeline", "transcript", "cost", "latency", "ends", "happened"} <= anchors(page)
    assert "data-refresh" not in page.source


async def test_every_link_within_the_page_leads_to_a_part_of_it_and_back(store: MongoStore, log_in: LogIn) -> None:
    await put(store, ended_seed(), final=True)

    page = await log_in(Role.SUPPORT).open(SEED)

    targets = {link[1:] for link in links(page) if link.startswith("#")}
    spans = {name for name in anchors(page) if name.startswith("span-")}
    assert targets <= anchors(page)
    assert spans
    assert spans <= targets


async def test_a_value_is_explained_by_its_events_on_the_same_page(store: MongoStore, log_in: LogIn) -> None:
    await put(store, [*ended_seed(), event("call.ended", at=STARTED + 300_500, disconnection_reason="completed")])

    page = await log_in(Role.SUPPORT).open(f"{SEED}?explain=disconnection_reason")

    assert "explain" in anchors(page)
    assert "This event alone gives the value." in page.text
    assert "a specific reason comes before a general one" in page.text
    assert '"disconnection_reason": "completed"' in unescape(page.source)


@pytest.mark.parametrize(
    "wanted", ["nothing", "metadata.", "latency.e2e.x", "turn-000", "__class__", "<b>", "x" * 5_000]
)
async def test_what_cannot_be_explained_is_said_to_be_unknown(store: MongoStore, log_in: LogIn, wanted: str) -> None:
    await put(store, ended_seed(), final=True)

    page = await log_in(Role.SUPPORT).open(f"{SEED}?explain={wanted}")

    assert page.status == 200
    assert "There is no such value or entry." in page.text or "No event states it." in page.text


async def test_who_opened_a_call_is_logged(store: MongoStore, log_in: LogIn) -> None:
    await put(store, ended_seed(), final=True)

    with capture_logs() as logged:
        await log_in(Role.SUPPORT).open(SEED)

    opened = [(line["account"], line["call"]) for line in logged if line["event"] == "call_opened"]
    assert opened == [("ann", "org-789/call-456")]


async def test_an_error_says_by_which_event(store: MongoStore, log_in: LogIn) -> None:
    ends = [event("call.failed", at=STARTED + 9_000, disconnection_reason="no_answer", message="486 Busy Here")]
    await put(store, [event("call.created", direction="outbound"), event("call.ringing"), *ends], final=True)

    page = await log_in(Role.SUPPORT).open(SEED)

    assert "ERROR because call.failed came from /twilio/AC0001" in page.text
    assert "486 Busy Here" in page.text


async def test_a_live_call_is_refreshed_and_a_final_one_is_not(store: MongoStore, log_in: LogIn) -> None:
    await put(store, seed_call())

    page = await log_in(Role.SUPPORT).open(SEED)

    assert 'data-refresh="1"' in page.source
    assert "ONGOING because no end counts" in page.text


@pytest.mark.parametrize("text", HOSTILE)
async def test_what_callers_send_is_text(store: MongoStore, log_in: LogIn, text: str) -> None:
    owner: dict[str, Any] = {"call": f"call {text}", "source": text}
    bodies = [
        event(
            "call.started", id=text, from_number=text, metadata={text: text}, leg_id=text, recording_url=text, **owner
        ),
        event("transcript.turn", at=STARTED + 1_000, role=text, content=text, speaker=text, turn_id=text, **owner),
        event("tool.called", at=STARTED + 2_000, name=text, arguments={text: text}, tool_call_id=text, **owner),
        event("tool.returned", at=STARTED + 3_000, content=text, error=text, tool_call_id=text, **owner),
        event("call.note", at=STARTED + 4_000, event=text, data={text: text}, **owner),
        event("usage.reported", product=text, quantity=1, unit=text, **owner),
        event("cost.reported", product=text, cost="1", **owner),
        event("recording.available", at=STARTED + 5_000, recording_url=text, channel=text, **owner),
        event("call.analyzed", analysis={text: text}, **owner),
        event("call.failed", at=STARTED + 9_000, disconnection_reason=text, message=text, **owner),
    ]
    await put(store, bodies)
    browser, address = log_in(Role.SUPPORT), call_address("org-789", f"call {text}")

    pages = [await browser.open(address)]
    explained = [link for link in links(pages[0]) if link.startswith("?explain=")]
    pages += [await browser.open(f"{address}{link}") for link in dict.fromkeys(explained)]

    assert len(pages) > 20
    for page in pages:
        assert page.status == 200
        assert text in unescape(page.source)
        counts = {tag: sum(each == tag for each, _ in page.elements) for tag in TAGS}
        assert counts == TAGS
        names = {name for _, attributes in page.elements for name in attributes}
        assert not {name for name in names if name.startswith("on") or name == "style"}
        assert not [link for link in links(page) if link.lower().startswith("javascript:")]


async def test_only_an_address_of_the_web_is_a_link(store: MongoStore, log_in: LogIn) -> None:
    addresses = ("https://storage.example.com/1.mp4", "JavaScript:alert(1)", "data:text/html,x", "//evil.example.com")
    bodies = [event("recording.available", recording_url=address) for address in addresses]
    await put(store, [event("call.started"), *bodies])

    page = await log_in(Role.SUPPORT).open(SEED)

    assert all(address in page.text for address in addresses)
    outside = {link for link in links(page) if not link.startswith(("#", "?", "/"))}
    assert outside == {"https://storage.example.com/1.mp4"}


async def test_a_call_that_opted_out_shows_nothing_of_what_was_said(store: MongoStore, log_in: LogIn) -> None:
    opts_out = event("call.updated", at=STARTED + 60_000, opt_out_sensitive_data_storage=True)
    await put(store, [*ended_seed(), opts_out])

    browser = log_in(Role.SUPPORT)
    pages = [await browser.open(SEED)]
    pages += [await browser.open(f"{SEED}{link}") for link in links(pages[0]) if link.startswith("?explain=")]

    assert "opted out: what was said is not kept" in pages[0].text
    for page in pages:
        assert "Hello, thank you" not in page.source
        assert "1234567890\n" not in page.source
        assert "+1234567890" not in page.source


@pytest.mark.parametrize("path", ["/calls/org-789/nobody", "/calls/org-1/call-456", "/calls/org-789/call-456/details"])
async def test_an_unknown_call_is_a_plain_page(store: MongoStore, log_in: LogIn, path: str) -> None:
    await put(store, ended_seed(), final=True)

    page = await log_in(Role.SUPPORT).open(path)

    assert (page.status, "There is no such call." in page.text) == (404, True)


async def test_a_broken_call_says_so(store: MongoStore, log_in: LogIn) -> None:
    await break_call(store, "org-789/call-456")

    page = await log_in(Role.SUPPORT).open(SEED)

    assert (page.status, "cannot be folded" in page.text) == (500, True)


async def test_a_viewer_does_not_see_it(store: MongoStore, log_in: LogIn) -> None:
    await put(store, ended_seed(), final=True)

    page = await log_in(Role.VIEWER).open(SEED)

    assert page.status == 403
    assert "+1234567890" not in page.source


@pytest.mark.parametrize("number", ["0", "-1", "999999999999", "x", "²", "1e3"])
async def test_an_unusable_number_of_a_page_is_the_nearest(store: MongoStore, log_in: LogIn, number: str) -> None:
    await put(store, ended_seed(), final=True)

    page = await log_in(Role.SUPPORT).open(f"{SEED}?page={number}")

    assert page.status == 200
    assert "Hello, thank you for calling." in page.text


async def test_without_mongodb_the_page_says_so_and_keeps_its_links(name: str) -> None:
    connection = Connection(MongoAccess("mongodb://127.0.0.1:1/?replicaSet=rs"), name, timeout_ms=300)
    store = MongoStore(connection)
    settings = console_settings(Role.SUPPORT)
    app = create_app(
        settings,
        ConsoleDependencies(
            store, book(), Accounts({}), Monitor(settings.console_monitor), InProcessFolds(store, book())
        ),
    )

    async with Browser(app) as browser:
        await browser.open("/")
        page = await browser.open(SEED)
    await connection.close()

    assert (page.status, "MongoDB does not answer." in page.text) == (503, True)
    assert "/calls" in links(page)


async def test_a_final_record_that_the_log_no_longer_gives_is_named(store: MongoStore, log_in: LogIn) -> None:
    await put(store, ended_seed(), final=True)
    await store.store_results([(await leased(store, "org-789/call-456"), result())])

    page = await log_in(Role.SUPPORT).open(SEED)

    assert "The record that the API serves is stored, and older" in page.text
    assert "cust-001" in page.text
