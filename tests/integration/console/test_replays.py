"""Replays in the console: a preview, a confirmation, and one effect."""

import asyncio

import pytest
from structlog.testing import capture_logs

from services.console.access.accounts import Role
from shared.contract.topics import Topics
from shared.store.mongo.calls import MongoStore
from shared.store.mongo.client import Connection
from tests.integration.console.conftest import LogIn, MakeConsole
from tests.support.console.browser import Browser, Form, Page
from tests.support.events.dead_letters import SAID
from tests.support.events.makers import STARTED, event, raw
from tests.support.events.records import expected, wait_for
from tests.support.eventually import eventually
from tests.support.servers.kafka import Message, records, send
from tests.support.store.makers import document

PREVIEW = "/dead-letters/replay"
BAD = b'{"hello": "world"}'


def dead_letter(topics: Topics, value: bytes | None, *headers: tuple[str, bytes]) -> Message:
    own = [*SAID, ("topic", topics.telephony.encode()), *headers]
    return {"topic": topics.dead_letter, "key": b"k", "value": value, "headers": own}


async def previewed(browser: Browser, *fields: tuple[str, str], query: str = "") -> Page:
    """Return the preview of a replay that the list's form asks for."""
    page = await browser.open(f"/dead-letters{query}")
    return await browser.send(page.form(PREVIEW), *fields)


def confirmation(preview: Page) -> Form:
    return next(form for form in preview.forms if form.action.startswith(f"{PREVIEW}/"))


async def confirmed(browser: Browser, form: Form) -> Page:
    """Send a confirmation, and return the page when its replay has ended."""
    address = (await browser.send(form)).address

    async def ended() -> Page | None:
        page = await browser.open(address)
        return None if "data-refresh" in page.source else page

    found: Page = await eventually(ended)
    return found


async def sent(bootstrap: str, topics: Topics) -> list[bytes | None]:
    return [record.value for record in await records(bootstrap, topics.telephony)]


async def test_selected_dead_letters_are_sent_back_once_after_a_preview(
    kafka_bootstrap: str, topics: Topics, log_in: LogIn
) -> None:
    await send(kafka_bootstrap, [dead_letter(topics, BAD + bytes([number])) for number in range(3)])
    browser = log_in(Role.OPERATOR)

    preview = await previewed(browser, ("number", "0"), ("number", "2"))
    before = await sent(kafka_bootstrap, topics)
    with capture_logs() as logged:
        done = await confirmed(browser, confirmation(preview))
    twice = await confirmed(browser, confirmation(preview))
    seen = await browser.open(preview.address)

    assert "Would be sent back 2 Left out 0 Refused 0" in preview.text
    assert before == []
    assert "Selected: 0 , 2 (2)." in preview.text
    assert "Sent back 2 Left out 0 Refused 0" in done.text
    assert [twice.text, seen.text] == [done.text] * 2
    found = await sent(kafka_bootstrap, topics)
    assert (len(found), set(found)) == (2, {BAD + b"\0", BAD + b"\2"})
    (line,) = [each for each in logged if each["event"] == "dead_letters_replayed"]
    assert (line["account"], line["numbers"], line["sent"], line["failed"]) == ("ann", ("0", "2"), 2, False)


async def test_a_confirmation_that_is_sent_at_the_same_moment_has_one_effect(
    kafka_bootstrap: str, topics: Topics, log_in: LogIn
) -> None:
    await send(kafka_bootstrap, [dead_letter(topics, BAD)])
    browser = log_in(Role.OPERATOR)
    form = confirmation(await previewed(browser, ("all", "1")))

    await asyncio.gather(*[confirmed(browser, form) for _ in range(5)])

    assert await sent(kafka_bootstrap, topics) == [BAD]


@pytest.mark.parametrize("again", [(), (("again", "1"),)])
async def test_of_two_previews_of_a_dead_letter_one_sends_it(
    again: tuple[tuple[str, str], ...], kafka_bootstrap: str, topics: Topics, log_in: LogIn
) -> None:
    await send(kafka_bootstrap, [dead_letter(topics, BAD)])
    browser = log_in(Role.OPERATOR)
    forms = [confirmation(await previewed(browser, ("number", "0"), *again)) for _ in range(2)]

    done = await asyncio.gather(*[confirmed(browser, form) for form in forms])

    assert await sent(kafka_bootstrap, topics) == [BAD]
    assert sorted(page.text.partition("Sent back ")[2][:12] for page in done) == ["0 Left out 1", "1 Left out 0"]


@pytest.mark.usefixtures("worker")
async def test_a_confirmed_replay_leaves_out_what_was_refused_again_since_its_preview(
    kafka_bootstrap: str, topics: Topics, log_in: LogIn
) -> None:
    await send(kafka_bootstrap, [dead_letter(topics, BAD)])
    one, other = log_in(Role.OPERATOR), log_in(Role.OPERATOR)
    first, second = [confirmation(await previewed(each, ("all", "1"))) for each in (one, other)]

    async def refused() -> bool:
        return len(await records(kafka_bootstrap, topics.dead_letter)) > 1

    await confirmed(one, first)
    await eventually(refused)
    done = await confirmed(other, second)

    assert "Sent back 0 Left out 1 " in done.text
    assert await sent(kafka_bootstrap, topics) == [BAD]


@pytest.mark.usefixtures("worker")
async def test_a_call_whose_events_are_valid_now_is_folded_after_a_replay(
    kafka_bootstrap: str, topics: Topics, log_in: LogIn, connection: Connection
) -> None:
    call = [event("call.started"), event("call.ended", at=STARTED + 9_000)]
    await send(kafka_bootstrap, [dead_letter(topics, raw(body)) for body in call])
    browser = log_in(Role.OPERATOR)

    await confirmed(browser, confirmation(await previewed(browser, ("all", "1"))))
    await wait_for(connection, expected(call))
    next_one = await previewed(browser, ("all", "1"))

    assert "Would be sent back 0 Left out 2 " in next_one.text
    assert "its event is already in the log" in next_one.text


async def test_all_of_a_filter_are_replayed_and_no_others(kafka_bootstrap: str, topics: Topics, log_in: LogIn) -> None:
    mine = [dead_letter(topics, BAD, ("ce_organizationid", b"org-1")) for _ in range(55)]
    await send(kafka_bootstrap, [*mine, dead_letter(topics, b"other", ("ce_organizationid", b"org-2"))])
    browser = log_in(Role.OPERATOR)

    preview = await previewed(browser, ("all", "1"), query="?organization=org-1&without=source")
    done = await confirmed(browser, confirmation(preview))

    assert "Selected: all with organization org-1 and source unknown that came from " in preview.text
    assert "Would be sent back 55 " in preview.text
    assert "Sent back 55 " in done.text
    assert await sent(kafka_bootstrap, topics) == [BAD] * 55


async def test_a_preview_names_what_is_left_out_and_what_is_refused_and_why(
    kafka_bootstrap: str, topics: Topics, log_in: LogIn, connection: Connection
) -> None:
    ingested = raw(event("call.started"))
    await MongoStore(connection).insert([document(content=ingested)])
    tried = (("callfold-replays", b"1"), ("callfold-replayed-from", b"0:0"))
    foreign = dead_letter(topics, BAD, ("topic", b"payroll"))
    await send(
        kafka_bootstrap,
        [dead_letter(topics, BAD), dead_letter(topics, BAD, *tried), dead_letter(topics, ingested), foreign],
    )
    browser = log_in(Role.OPERATOR)

    preview = await previewed(browser, ("all", "1"))
    again = await previewed(browser, ("all", "1"), ("again", "1"))

    assert "Would be sent back 0 Left out 3 Refused 1" in preview.text
    assert "There is nothing to be sent." in preview.text
    assert "its later dead letter is replayed instead 1 0" in preview.text
    assert "refused again after an earlier replay (unless the replay includes such dead letters) 1 1" in preview.text
    assert "its event is already in the log (unless the replay includes such dead letters) 1 2" in preview.text
    assert "the topic that it names is neither" in preview.text
    assert "Would be sent back 2 Left out 1 Refused 1" in again.text


async def test_only_operators_replay(kafka_bootstrap: str, topics: Topics, log_in: LogIn) -> None:
    await send(kafka_bootstrap, [dead_letter(topics, BAD)])
    for role in (Role.VIEWER, Role.SUPPORT):
        browser = log_in(role)
        token = next(field for form in (await browser.open("/dead-letters")).forms for field in form.fields)

        refused = await browser.send(Form(PREVIEW, [token]), ("number", "0"))
        not_confirmed = await browser.send(Form(f"{PREVIEW}/x", [token]))

        assert (refused.status, not_confirmed.status) == (403, 403)
    assert await sent(kafka_bootstrap, topics) == []


async def test_a_form_without_the_token_of_the_session_does_nothing(
    kafka_bootstrap: str, topics: Topics, log_in: LogIn
) -> None:
    await send(kafka_bootstrap, [dead_letter(topics, BAD)])
    browser = log_in(Role.OPERATOR)
    address = confirmation(await previewed(browser, ("number", "0"))).action

    answers = [
        await browser.send(Form(PREVIEW), ("number", "0")),
        await browser.send(Form(address, [("again", "1")])),
        await browser.send(Form(address, [("csrf", "guessed")])),
    ]

    assert [answer.status for answer in answers] == [403] * 3
    assert await sent(kafka_bootstrap, topics) == []


async def test_a_replay_is_its_account_s_alone(kafka_bootstrap: str, topics: Topics, make_console: MakeConsole) -> None:
    await send(kafka_bootstrap, [dead_letter(topics, BAD)])
    app = make_console(Role.OPERATOR)
    async with Browser(app, "ann") as ann, Browser(app, "bob") as bob:
        action = confirmation(await previewed(ann, ("number", "0"))).action
        token = (await bob.open("/dead-letters")).form(PREVIEW).fields[0]

        answers = [await bob.open(action), await bob.send(Form(action, [token]))]

    assert [answer.status for answer in answers] == [404, 404]
    assert await sent(kafka_bootstrap, topics) == []


async def test_a_selection_that_names_nothing_is_refused_with_the_reason(
    kafka_bootstrap: str, topics: Topics, log_in: LogIn
) -> None:
    await send(kafka_bootstrap, [dead_letter(topics, BAD)])
    browser = log_in(Role.OPERATOR)

    nothing = await previewed(browser)
    unknown = await previewed(browser, ("number", "0"), ("number", "17"))
    other = await previewed(browser, ("all", "1"), ("reason", "not_json"))

    assert (nothing.status, unknown.status, other.status) == (400, 404, 400)
    assert "Select the dead letters to be replayed first." in nothing.text
    assert "Nothing was sent: there is no dead letter 17." in unknown.text


async def test_without_mongodb_a_preview_says_so(
    kafka_bootstrap: str, topics: Topics, log_in: LogIn, connection: Connection
) -> None:
    await send(kafka_bootstrap, [dead_letter(topics, raw(event("call.started")))])
    browser = log_in(Role.OPERATOR)
    await connection.close()

    answer = await previewed(browser, ("number", "0"))

    assert answer.status == 503
    assert "MongoDB does not answer. Nothing was sent." in answer.text
    assert await sent(kafka_bootstrap, topics) == []


async def test_a_replay_that_fails_says_so_and_is_not_begun_again(
    kafka_bootstrap: str, topics: Topics, log_in: LogIn, connection: Connection
) -> None:
    await send(kafka_bootstrap, [dead_letter(topics, raw(event("call.started")))])
    browser = log_in(Role.OPERATOR)
    preview = await previewed(browser, ("number", "0"))
    await connection.close()

    with capture_logs() as logged:
        failed = await confirmed(browser, confirmation(preview))
        twice = await confirmed(browser, confirmation(preview))

    assert "MongoDB does not answer. Those counted here were sent back, perhaps more." in failed.text
    assert "Sent back 0 " in failed.text
    assert twice.text == failed.text
    (line,) = [each for each in logged if each["event"] == "dead_letters_replayed"]
    assert (line["sent"], line["failed"]) == (0, True)
