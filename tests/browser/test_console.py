"""The console as people use it, in a real browser on a real stack."""

from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import quote

import pytest
from playwright.async_api import Browser, Page, expect

from deploy.demo.story import Script
from deploy.screenshots.browser import HOW_TO_GET, find_chromium
from services.console.addresses import call_address
from shared.contract.topics import Topics
from tests.browser.accessibility import violations
from tests.browser.calls import (
    HOSTILE,
    HOSTILE_ORGANIZATION,
    IMAGE,
    ORGANIZATION,
    REFUND,
    begun,
    conversation,
    hostile,
    invalid,
)
from tests.browser.conftest import visiting
from tests.browser.pages import CALL, HOSTILE_CALL, LATE, OVER, PAGES, REPLAYED, WATCHED
from tests.browser.site import Site
from tests.browser.visit import DESK, PHONE, Visit
from tests.support.events.dead_letters import SAID
from tests.support.events.makers import binary
from tests.support.eventually import eventually, scaled

pytestmark = [
    pytest.mark.timeout(300),
    pytest.mark.skipif(find_chromium() is None, reason=HOW_TO_GET),
]

TOPICS = Topics()
MOST_BYTES = 300_000


@pytest.fixture(scope="module", autouse=True)
async def _published(site: Site, browser: Browser, cookies: Any) -> None:
    """Publish what the pages show, and wait until they can."""
    await site.publish([*conversation(OVER).events, *hostile(HOSTILE_CALL)])
    await site.send(TOPICS.telephony, invalid())
    async with visiting(site, browser, cookies) as visit:
        for path in ("/dead-letters/0", CALL):
            await visit.open_when_there(path)
    value, attributes = binary(begun(REPLAYED).events[0])
    await site.send(TOPICS.dead_letter, value, [*SAID, *attributes])


async def test_somebody_logs_in_is_where_they_wanted_to_be_and_logs_out(stranger: Visit) -> None:
    page = stranger.page
    await stranger.open("/lag")
    assert stranger.path == "/login?next=%2Flag"

    await page.get_by_label("Name").fill("operator")
    await page.get_by_label("Password").fill("wrong")
    await page.get_by_role("button", name="Log in").click()
    await expect(page.get_by_role("alert")).to_have_text("Name or password is wrong.")
    await stranger.log_in()
    assert stranger.path == "/lag"

    await page.get_by_role("button", name="Log out").click()
    await page.wait_for_url("**/login")
    await stranger.open("/lag")
    assert stranger.path == "/login?next=%2Flag"


def _go_on(call: Script, step: int) -> None:
    match step:
        case 1:
            call.start()
        case 2:
            call.say("user", REFUND)
        case _:
            call.end()


async def test_a_call_is_watched_from_ringing_to_its_final_record_without_a_reload(site: Site, visit: Visit) -> None:
    page, call = visit.page, begun(WATCHED)
    await site.publish(call.events)
    await visit.open_when_there(call_address(ORGANIZATION, WATCHED))
    shown = page.locator("#call")
    await expect(shown).to_contain_text("REGISTERED")
    await expect(shown).to_contain_text("Call ringing")
    await page.evaluate("window.loaded = 'once'")
    line = page.get_by_role("listitem").filter(has_text=REFUND).get_by_title("Show on the timeline")

    published = len(call.events)
    for step, seen in ((1, "ONGOING"), (2, REFUND), (3, "ENDED")):
        _go_on(call, step)
        await site.publish(call.events[published:])
        published = len(call.events)
        await expect(shown).to_contain_text(seen)
        if seen == REFUND:
            await line.focus()
    await expect(page.locator("#call:not([data-refresh])")).to_contain_text("final", timeout=scaled(30_000))

    await expect(line).to_be_focused()
    assert await page.evaluate("window.loaded") == "once"


async def test_the_login_and_an_overview_without_an_alarm_are_accessible(stranger: Visit) -> None:
    await stranger.open("/login")
    found = await _violations_by_light_and_dark(stranger.page)
    await stranger.log_in()
    await expect(stranger.page.locator(".verdict")).to_contain_text("Nothing is late", timeout=scaled(60_000))

    assert [*found, *await _violations_by_light_and_dark(stranger.page)] == []


async def _violations_by_light_and_dark(page: Page) -> list[str]:
    found = []
    for scheme in ("light", "dark"):
        await page.emulate_media(color_scheme=scheme)
        found += await violations(page)
    return found


async def test_a_table_stays_where_it_is_scrolled_to_when_its_page_is_renewed(visit: Visit) -> None:
    page, table = visit.page, visit.page.locator(".wide").first
    await page.set_viewport_size(PHONE)
    await visit.open("/lag")
    await table.evaluate("table => { table.scrollLeft = 200; table.dataset.old = ''; }")

    await expect(page.locator("[data-old]")).to_have_count(0)  # what the server does not send is removed

    assert await table.evaluate("table => table.scrollLeft") == 200


async def test_what_callers_sent_is_text(visit: Visit) -> None:
    page = visit.page
    await visit.open(call_address(HOSTILE_ORGANIZATION, HOSTILE_CALL))

    for text in (*HOSTILE, HOSTILE_CALL):
        await expect(page.locator("#call")).to_contain_text(text)
    assert await visit.markup_of_others() == []


@pytest.mark.parametrize("path", ["/dead-letters", "/dead-letters/0", "/calls"])
async def test_what_providers_sent_is_text(visit: Visit, path: str) -> None:
    await visit.open(path)

    await expect(visit.page.get_by_role("main")).to_contain_text(IMAGE)
    assert await visit.markup_of_others() == []


async def test_a_dead_letter_is_opened_and_replayed_and_its_call_is_there(visit: Visit) -> None:
    page = visit.page
    letter = page.get_by_role("row").filter(has_text=REPLAYED).get_by_role("link").first
    await visit.open_until("/dead-letters", letter.is_visible)

    await letter.click()
    await page.get_by_role("button", name="Preview its replay").click()
    assert await violations(page) == []
    await page.get_by_role("button", name="Send 1 back").click()
    await expect(page.get_by_role("heading", name="Replayed")).to_be_visible()

    await visit.open_when_there(call_address(ORGANIZATION, REPLAYED))
    await expect(page.locator("#call")).to_contain_text("Call created")


async def test_a_search_for_markup_is_answered_with_text(visit: Visit) -> None:
    await visit.open("/")
    await visit.page.get_by_label("Organization").fill(HOSTILE[0])
    await visit.page.get_by_label("Call id").fill(IMAGE)
    await visit.page.get_by_role("button", name="Find call").click()

    await expect(visit.page.get_by_role("alert")).to_have_text("There is no such call.")
    assert visit.path == f"/calls/{quote(HOSTILE[0], safe='')}/{quote(IMAGE, safe='')}"
    assert await visit.markup_of_others() == []


async def test_a_page_that_loads_from_elsewhere_styles_itself_or_asks_is_found(visit: Visit) -> None:
    await visit.open("/")

    await visit.page.evaluate("document.body.insertAdjacentHTML('beforeend', '<p style=\"color: red\"></p>')")
    await visit.page.evaluate("document.body.insertAdjacentHTML('beforeend', '<img src=\"http://127.0.0.1:9/\">')")
    await visit.page.evaluate("alert('asked')")
    await eventually(lambda: len(visit.wrong) >= 3)

    assert {report.split(":")[0] for report in visit.wrong} >= {"error", "dialog"}
    assert await visit.markup_of_others() == ["img", "p style"]
    visit.wrong.clear()


async def test_the_first_page_is_light(stranger: Visit) -> None:
    await stranger.open("/login")
    await stranger.log_in()
    assert await stranger.weight() > 0

    await stranger.open("/")

    assert 1_000 < await stranger.weight() < MOST_BYTES


async def test_a_page_says_that_it_may_be_old_while_the_server_does_not_answer(visit: Visit) -> None:
    note = visit.page.get_by_role("status").filter(has_text="may be old")
    await visit.open("/")
    await expect(note).to_be_hidden()

    await visit.page.context.set_offline(True)
    await expect(note).to_be_visible()

    await visit.page.context.set_offline(False)
    await expect(note).to_be_hidden()


async def test_without_its_script_each_page_shows_what_is_true_when_it_is_loaded(site: Site, browser: Browser) -> None:
    async with visiting(site, browser, script=False) as visit:
        await visit.open("/login")
        await visit.log_in()

        for path, shown in (("/", "Nothing is late"), ("/dead-letters", "out_of_bounds"), (CALL, REFUND)):
            await visit.open(path)
            await expect(visit.page.get_by_role("main")).to_contain_text(shown)


async def test_by_keyboard_alone_somebody_logs_in_and_finds_a_call(stranger: Visit) -> None:
    page = stranger.page
    await stranger.open("/login")
    await expect(page.locator('[name="name"]')).to_be_focused()
    await page.keyboard.type(stranger.site.name)
    await stranger.tab_to('[type="password"]')
    await page.keyboard.type(stranger.site.password)
    await page.keyboard.press("Enter")
    await page.wait_for_url(f"{stranger.site.address}/")

    await stranger.tab_to(".skip")
    await expect(page.locator(".skip")).to_be_in_viewport()
    await page.keyboard.press("Enter")
    await expect(page.locator("main")).to_be_focused()

    await stranger.open("/")
    await stranger.tab_to('[name="organization"]')
    await page.keyboard.type(ORGANIZATION)
    await page.keyboard.press("Tab")
    await page.keyboard.type(OVER)
    await page.keyboard.press("Enter")
    await page.wait_for_url(f"**{CALL}")


async def test_by_keyboard_alone_somebody_follows_the_timeline_to_the_transcript_and_back(visit: Visit) -> None:
    page = visit.page
    await visit.open(CALL)
    turn = page.get_by_role("listitem").filter(has_text=REFUND)

    await visit.tab_to(".timeline a[href^='#']")
    await page.keyboard.press("Tab")
    span = await page.evaluate("document.activeElement.id")
    await page.keyboard.press("Enter")
    await expect(turn).to_be_focused()

    await page.keyboard.press("Tab")
    await page.keyboard.press("Enter")
    await expect(page.locator(f"#{span}")).to_be_focused()


@pytest.fixture(scope="class")
async def no_worker(site: Site) -> AsyncIterator[None]:
    site.stop_worker()
    await site.publish(conversation(LATE).events)
    yield
    site.start_worker()


@pytest.fixture(scope="class")
async def tour(site: Site, browser: Browser, cookies: Any) -> AsyncIterator[Visit]:
    """An operator who looks at one page after the other."""
    async with visiting(site, browser, cookies) as visit:
        yield visit


@pytest.mark.usefixtures("no_worker")
class TestWhileNoWorkerRuns:
    """The pages are looked at until the monitor is sure, which takes it some twelve seconds."""

    @pytest.mark.parametrize("path", PAGES.values(), ids=PAGES)
    async def test_each_is_accessible_fits_a_phone_and_prints_without_its_header(self, tour: Visit, path: str) -> None:
        page = tour.page
        await page.emulate_media(color_scheme="light", media="screen")
        await page.set_viewport_size(DESK)
        await tour.open(path)

        by_light = await violations(page)
        await page.emulate_media(color_scheme="dark")
        await page.set_viewport_size(PHONE)
        by_dark = await violations(page)

        assert tour.wrong == []
        assert by_light == []
        assert by_dark == []
        assert await page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]

        await page.emulate_media(media="print")
        await expect(page.get_by_role("banner")).to_be_hidden()
        await expect(page.get_by_role("heading", level=1)).to_be_visible()

    async def test_the_cause_is_shown_and_that_it_is_over(self, site: Site, tour: Visit) -> None:
        verdict = tour.page.locator(".verdict")
        await tour.open("/")
        await expect(verdict).to_contain_text("Cause: no_worker", timeout=scaled(60_000))
        await expect(verdict).to_contain_text("partitions have no worker")

        site.start_worker()
        await expect(verdict).to_contain_text("Nothing is late", timeout=scaled(90_000))
