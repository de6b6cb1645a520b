"""Dead letters in the console, on a real broker."""

import asyncio
from contextlib import closing

import pytest
from structlog.testing import capture_logs

from services.console.access.accounts import Role
from shared.contract.topics import Topics
from shared.dead_letters import reader
from shared.kafka.access import KafkaAccess
from tests.integration.console.conftest import LogIn
from tests.support.console.browser import Page
from tests.support.events.dead_letters import SAID
from tests.support.events.makers import event, raw
from tests.support.eventually import scaled
from tests.support.servers.kafka import Message, send

HOSTILE = ("<script>alert(1)</script>", '"><img src=x onerror=alert(1)>', "{{7*7}}")
UNREACHABLE = {"kafka_bootstrap": "127.0.0.1:1", "console_timeout_ms": 1_000}


def dead_letter(topics: Topics, value: bytes | None, *headers: tuple[str, bytes], key: bytes = b"call-1") -> Message:
    return {"topic": topics.dead_letter, "key": key, "value": value, "headers": [*SAID, *headers]}


def of(organization: str, source: str, reason: str) -> tuple[tuple[str, bytes], ...]:
    fields = {"ce_organizationid": organization, "ce_source": source, "reason": reason}
    return tuple((name, value.encode()) for name, value in fields.items())


def rows(page: Page) -> list[str]:
    """Return the numbers of the dead letters that the page lists, in its order."""
    boxes = [attributes for tag, attributes in page.elements if tag == "input" and attributes.get("name") == "number"]
    return [str(each["value"]) for each in boxes]


async def test_the_page_answers_which_sender_sends_what(kafka_bootstrap: str, topics: Topics, log_in: LogIn) -> None:
    sent = [dead_letter(topics, b"{", *of("org-1", "/pbx", "not_json")) for _ in range(3)]
    await send(kafka_bootstrap, [*sent, dead_letter(topics, b"{}", *of("org-2", "/voice", "missing"))])

    page = await log_in(Role.OPERATOR).open("/dead-letters")

    assert page.status == 200
    assert "4 dead letters." in page.text
    assert "not_json 3 The value is not JSON in UTF-8." in page.text
    assert "org-1 /pbx not_json 3 " in page.text
    assert "org-2 /voice missing 1 " in page.text
    assert rows(page) == ["3", "2", "1", "0"]
    assert len([tag for tag, attributes in page.elements if tag == "rect" and "x" in attributes]) >= 2


async def test_a_filter_is_an_address_and_the_list_has_pages(
    kafka_bootstrap: str, topics: Topics, log_in: LogIn
) -> None:
    many = [dead_letter(topics, b"{", *of("org-1", "/pbx", "not_json")) for _ in range(60)]
    await send(kafka_bootstrap, [*many, dead_letter(topics, b"[]", ("reason", b"not_an_object"))])
    browser = log_in(Role.OPERATOR)

    one = await browser.open("/dead-letters?reason=not_an_object&without=source")
    second = await browser.open("/dead-letters?organization=org-1&page=2")

    assert rows(one) == ["60"]
    assert "1 of this filter, among 61 dead letters." in one.text
    assert rows(second) == [str(number) for number in range(9, -1, -1)]
    assert "Page 2 of 2" in second.text


async def test_a_viewer_sees_counts_and_the_list_but_no_content(
    kafka_bootstrap: str, topics: Topics, log_in: LogIn
) -> None:
    headers = (*of("+43123456", "/4312345678", "missing"), ("detail", b"told +431234"))
    await send(kafka_bootstrap, [dead_letter(topics, b'{"said": "secret"}', *headers, key=b"+4399")])
    viewer = log_in(Role.VIEWER)

    page = await viewer.open("/dead-letters")
    opened = await viewer.open("/dead-letters/0")

    assert page.status == 200
    assert "missing" in page.text
    assert not [secret for secret in ("+431234", "12345678", "+4399", "secret") if secret in page.source]
    assert rows(page) == []
    assert (opened.status, "secret" in opened.source) == (403, False)


async def test_support_opens_a_dead_letter_but_cannot_replay_it(
    kafka_bootstrap: str, topics: Topics, log_in: LogIn
) -> None:
    body = event("call.dtmf", call="call-7", organization="org-7")
    headers = (("topic", topics.telephony.encode()), ("ce_note", b"\xff"))
    await send(kafka_bootstrap, [dead_letter(topics, raw(body), *headers)])

    with capture_logs() as logged:
        page = await log_in(Role.SUPPORT).open("/dead-letters/0")

    assert page.status == 200
    assert f"{topics.telephony}, partition 7, offset 1042" in page.text
    assert '"type": "call.dtmf"' in page.source.replace("&#34;", '"')
    assert ("a", {"href": "/calls/org-7/call-7"}) in page.elements
    assert [form.action for form in page.forms if "replay" in form.action] == []
    assert {"event": "dead_letter_opened", "account": "ann", "number": "0", "log_level": "info"} in logged


async def test_what_is_no_text_is_shown_in_hexadecimal(kafka_bootstrap: str, topics: Topics, log_in: LogIn) -> None:
    await send(kafka_bootstrap, [dead_letter(topics, b"\xff\x00pcm"), dead_letter(topics, None)])
    browser = log_in(Role.SUPPORT)

    binary, nothing = await browser.open("/dead-letters/0"), await browser.open("/dead-letters/1")

    assert "00000000 ff 00 70 63 6d ..pcm" in binary.text
    assert "Value None." in nothing.text


async def test_a_dead_letter_says_whether_it_can_be_replayed(
    kafka_bootstrap: str, topics: Topics, log_in: LogIn
) -> None:
    own = ("topic", topics.telephony.encode())
    valid = raw(event("call.started"))
    await send(
        kafka_bootstrap,
        [
            dead_letter(topics, valid, own),
            dead_letter(topics, b"{", own),
            dead_letter(topics, valid, ("topic", b"payroll")),
            dead_letter(topics, b"{", own, ("callfold-replays", b"1"), ("callfold-replayed-from", b"0:1")),
        ],
    )
    browser = log_in(Role.SUPPORT)

    pages = [await browser.open(f"/dead-letters/{number}") for number in range(4)]

    assert "Yes: it is a valid event by the rules of this version." in pages[0].text
    assert "It would be refused again: not_json ," in pages[1].text
    assert "It was replayed and refused again: 3 is its later dead letter." in pages[1].text
    assert "No: the topic that it names is neither" in pages[2].text
    assert "It was refused again after a replay" in pages[3].text


@pytest.mark.parametrize("hostile", HOSTILE)
async def test_what_senders_wrote_is_text_and_never_markup(
    hostile: str, kafka_bootstrap: str, topics: Topics, log_in: LogIn
) -> None:
    said = hostile.encode()
    body = f'{{"said": "{hostile.replace(chr(34), chr(92) + chr(34))}"}}'.encode()
    names = ("reason", "detail", "topic", "ce_organizationid", "ce_source", "ce_subject", hostile)
    await send(kafka_bootstrap, [dead_letter(topics, body, *[(name, said) for name in names], key=said)])
    browser = log_in(Role.OPERATOR)

    pages = [await browser.open("/dead-letters"), await browser.open("/dead-letters/0")]
    filtered = next(
        str(attributes["href"])
        for tag, attributes in pages[0].elements
        if tag == "a" and "organization=" in str(attributes.get("href"))
    )
    pages.append(await browser.open(filtered))
    pages.append(await browser.send(pages[2].form("/dead-letters/replay"), ("all", "1")))

    assert [page.status for page in pages] == [200] * 4
    for page in pages:
        scripts = [attributes.get("src") for tag, attributes in page.elements if tag in {"script", "img", "iframe"}]
        assert scripts == ["/static/console.js"]
        assert not [name for _, attributes in page.elements for name in attributes if name.startswith("on")]
        assert "49" not in page.text.split()
    assert all(hostile in page.text for page in pages[:3])
    assert rows(pages[2]) == ["0"]


@pytest.mark.parametrize("number", ["1", "0:1", "9:0", "x", "-1", "%3Cscript%3E", "9" * 30])
async def test_a_number_that_does_not_exist_is_a_plain_page(
    number: str, kafka_bootstrap: str, topics: Topics, log_in: LogIn
) -> None:
    await send(kafka_bootstrap, [dead_letter(topics, b"{}")])

    page = await log_in(Role.SUPPORT).open(f"/dead-letters/{number}")

    assert page.status == 404
    assert "There is no such dead letter" in page.text


async def test_without_kafka_the_page_says_so_in_place_of_the_list(log_in: LogIn) -> None:
    browser = log_in(Role.OPERATOR, **UNREACHABLE)

    page, one = await browser.open("/dead-letters"), await browser.open("/dead-letters/0")

    assert (page.status, one.status) == (200, 503)
    assert "The dead letters cannot be read: Kafka cannot be reached at 127.0.0.1:1" in page.text
    assert "Kafka does not answer." in one.text
    assert rows(page) == []


async def test_a_kafka_that_accepts_connections_and_never_answers_does_not_hold_a_page_for_long(log_in: LogIn) -> None:
    async def silence(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with closing(writer):
            await reader.read()

    async with await asyncio.start_server(silence, "127.0.0.1") as server:
        host, port = server.sockets[0].getsockname()
        browser = log_in(Role.OPERATOR, kafka_bootstrap=f"{host}:{port}", console_timeout_ms=500)
        async with asyncio.timeout(scaled(5)):
            page, one = await browser.open("/dead-letters"), await browser.open("/dead-letters/0")

    assert "does not answer in time" in page.text
    assert one.status == 503


async def test_the_list_reads_no_field_of_a_large_value(kafka_bootstrap: str, topics: Topics, log_in: LogIn) -> None:
    large, small = (raw(event("call.dtmf", organization="org-7", note="x" * size)) for size in (65_536, 65_000))
    await send(kafka_bootstrap, [dead_letter(topics, large), dead_letter(topics, small)])

    page = await log_in(Role.SUPPORT).open("/dead-letters")
    one = await log_in(Role.SUPPORT).open("/dead-letters/0")

    assert "2 dead letters." in page.text
    assert page.text.count("org-7") == 3  # by sender, in the form, and in the list
    assert "Organization org-7 " in one.text


async def test_other_tasks_run_between_the_dead_letters_of_a_fetch(kafka_bootstrap: str, topics: Topics) -> None:
    await send(kafka_bootstrap, [dead_letter(topics, b"{") for _ in range(50)])
    turns = 0

    async def count_turns() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    counting = asyncio.create_task(count_turns())
    async with reader.opened(KafkaAccess(bootstrap=kafka_bootstrap), topics.dead_letter) as topic:
        seen = [turns async for _ in topic.all(lambda _: None)]
    counting.cancel()

    assert len(set(seen)) == 50


async def test_of_very_many_the_newest_are_read_and_the_page_says_so(
    kafka_bootstrap: str, topics: Topics, log_in: LogIn
) -> None:
    await send(kafka_bootstrap, [dead_letter(topics, b"{") for _ in range(5_200)])

    page = await log_in(Role.OPERATOR).open("/dead-letters")

    assert "5,000 dead letters: the newest 5,000 of 5,200 in the topic." in page.text
    assert rows(page)[0] == "5199"
