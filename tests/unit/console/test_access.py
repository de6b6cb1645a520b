"""Who may see the pages; what they show is asked elsewhere, of real servers."""

import re
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from services.console.settings import ConsoleSettings
from tests.support.console.client import PASSWORD, Client, logged_in

PAGES = ["/", "/lag", "/calls", "/calls/broken", "/calls/org-789/call-456", "/find?organization=org-789&call=call-456"]


@pytest.mark.parametrize("path", PAGES)
async def test_nobody_sees_a_page_without_an_account(path: str) -> None:
    answer = await Client.of().get(path)

    assert answer.status_code == httpx.codes.SEE_OTHER
    assert answer.headers["location"].startswith("/login")
    assert "Overview" not in answer.text


@pytest.mark.parametrize("name", ["viewer", "support", "operator"])
async def test_an_account_sees_the_overview_until_it_logs_out(name: str) -> None:
    client = await logged_in(name)
    seen = await client.get("/")

    await client.post("/logout", csrf=await client.csrf())

    assert f"{name}, {name}" in seen.text
    assert (await client.get("/")).headers["location"] == "/login"


async def test_a_wrong_password_gives_no_session() -> None:
    client = Client.of()

    answer = await client.log_in("operator", "wrong")

    assert answer.status_code == httpx.codes.UNAUTHORIZED
    assert "Name or password is wrong." in answer.text
    assert "set-cookie" not in answer.headers
    assert PASSWORD not in answer.text


async def test_a_login_leads_to_the_page_that_was_wanted() -> None:
    client = Client.of()
    wanted = "/calls/org-789/a%2Fb?page=2"
    asked = await client.get(wanted)
    form = await client.get(asked.headers["location"])
    assert 'name="next" value="/calls/org-789/a%2Fb?page=2"' in form.text

    answer = await client.log_in("support", next=wanted)

    assert answer.headers["location"] == wanted


@pytest.mark.parametrize("elsewhere", ["https://evil.test/", "//evil.test/", "/\\evil.test", "evil", "/a\nb", ""])
async def test_a_login_leads_nowhere_else(elsewhere: str) -> None:
    answer = await Client.of().log_in("support", next=elsewhere)

    assert answer.headers["location"] == "/"


async def test_a_viewer_sees_no_call_and_is_told_why() -> None:
    client = await logged_in("viewer")

    answer = await client.get("/calls/org-789/call-456")

    assert answer.status_code == httpx.codes.FORBIDDEN
    assert "This page is for the role support; yours is viewer." in answer.text


async def test_a_form_without_the_token_of_its_session_has_no_effect() -> None:
    client, other = await logged_in("operator"), await logged_in("operator")

    answers = [await client.post("/logout", csrf=""), await client.post("/logout", csrf=await other.csrf())]

    assert [answer.status_code for answer in answers] == [httpx.codes.FORBIDDEN] * 2
    assert (await client.get("/")).status_code == httpx.codes.OK


async def test_a_login_from_another_site_is_refused() -> None:
    answer = await Client.of().post("/login", {"Sec-Fetch-Site": "cross-site"}, name="operator", password=PASSWORD)

    assert answer.status_code == httpx.codes.FORBIDDEN
    assert "set-cookie" not in answer.headers


@pytest.mark.parametrize("kind", ["multipart/form-data; boundary=x; charset=punycode", "text/plain", ""])
async def test_a_form_of_another_kind_is_refused_unread(kind: str) -> None:
    sent = b'--x\r\nContent-Disposition: form-data; name="name"\r\n\r\nann\r\n--x--\r\n'

    answer = await Client.of().client.post("/login", content=sent, headers={"content-type": kind})

    assert answer.status_code == httpx.codes.UNSUPPORTED_MEDIA_TYPE


async def test_a_form_that_is_too_large_is_refused_before_all_of_it_has_come() -> None:
    async def endless() -> AsyncIterator[bytes]:
        yield b"name="
        while True:
            yield b"a" * 65_536

    sent = {"content-type": "application/x-www-form-urlencoded"}
    answer = await Client.of().client.post("/login", content=endless(), headers=sent)

    assert answer.status_code == httpx.codes.REQUEST_ENTITY_TOO_LARGE


async def test_guesses_are_limited_and_right_logins_are_not() -> None:
    client = Client.of(console_logins_per_minute=3)

    right = [(await client.log_in("operator")).status_code for _ in range(5)]
    wrong = [(await client.log_in("operator", "wrong")).status_code for _ in range(5)]
    late = await client.log_in("operator")
    of_another = await client.log_in("support")

    assert right == [303] * 5
    assert wrong == [401, 401, 401, 429, 429]
    assert late.status_code == httpx.codes.TOO_MANY_REQUESTS
    assert 1 <= int(late.headers["retry-after"]) <= 21
    assert of_another.status_code == httpx.codes.SEE_OTHER


async def test_guesses_for_many_accounts_are_limited_too() -> None:
    client = Client.of(console_logins_per_minute=1)

    statuses = [(await client.log_in(f"guess-{number}", "wrong")).status_code for number in range(7)]

    assert statuses == [401] * 5 + [429] * 2


async def test_the_cookie_is_for_the_console_alone() -> None:
    plain, secure = Client.of(), Client.of(console_secure_cookie=True)

    cookies = [(await client.log_in("viewer")).headers["set-cookie"].lower() for client in (plain, secure)]

    assert all("httponly" in cookie and "samesite=lax" in cookie and "path=/" in cookie for cookie in cookies)
    assert ["secure" in cookie for cookie in cookies] == [False, True]


@pytest.mark.parametrize("path", ["/", "/login", "/lag", "/nowhere", "/static/console.css", "/static/../app.py"])
async def test_every_answer_forbids_what_no_page_needs(path: str) -> None:
    client = await logged_in("operator")

    headers = (await client.get(path)).headers

    policy = headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy
    assert headers["x-frame-options"] == "DENY"
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "no-referrer"


@pytest.mark.parametrize("path", ["/nowhere", "/calls/org-789/none", "/calls/x"])
async def test_what_is_not_there_is_a_plain_page(path: str) -> None:
    client = await logged_in("operator")

    answer = await client.get(path)

    assert answer.status_code == httpx.codes.NOT_FOUND
    assert answer.headers["content-type"].startswith("text/html")
    assert "Not found" in answer.text


async def test_finding_a_call_needs_both_ids_and_takes_any_characters() -> None:
    client = await logged_in("support")

    found = await client.client.get("/find", params={"organization": "org-789", "call": " a/b?c#d%2F "})
    refused = await client.get("/find?organization=org-789&call=")

    assert found.headers["location"] == "/calls/org-789/a%2Fb%3Fc%23d%252F"
    assert refused.status_code == httpx.codes.BAD_REQUEST


PROXY: dict[str, Any] = {
    "console_proxy_header": "X-Forwarded-User",
    "console_proxy_networks": "10.1.0.0/16,10.2.0.1/32",
}


async def test_a_trusted_proxy_names_the_account() -> None:
    client = Client.of(address="10.1.2.3", **PROXY)

    listed = await client.get("/", **{"X-Forwarded-User": "support"})
    unknown = await client.get("/", **{"X-Forwarded-User": "ann@x.org"})

    assert "support, support" in listed.text
    assert "ann@x.org, viewer" in unknown.text


async def test_anybody_else_who_sends_the_header_has_no_account() -> None:
    client = Client.of(address="10.2.0.2", **PROXY)

    answer = await client.get("/", **{"X-Forwarded-User": "operator"})

    assert answer.headers["location"] == "/login"


async def test_a_session_of_a_proxy_ends_with_its_header() -> None:
    client = Client.of(address="10.1.2.3", **PROXY)
    await client.get("/", **{"X-Forwarded-User": "operator"})

    answer = await client.get("/")

    assert answer.headers["location"] == "/login"


async def test_the_requests_of_an_account_that_a_proxy_names_share_a_session() -> None:
    client = Client.of(address="::ffff:10.1.2.3", **PROXY)

    answers = [await client.client.get("/", headers={"X-Forwarded-User": "support", "Cookie": ""}) for _ in range(3)]
    tokens = {re.sub(";.*", "", answer.headers["set-cookie"]) for answer in answers}

    assert [answer.status_code for answer in answers] == [httpx.codes.OK] * 3
    assert len(tokens) == 1


@pytest.mark.parametrize(
    ("peer", "statuses"), [("10.1.2.3", [401, 401, 303]), ("192.0.2.1", [401, 429, 429])], ids=["trusted", "not"]
)
async def test_behind_a_trusted_proxy_each_client_has_guesses_of_its_own(peer: str, statuses: list[int]) -> None:
    client = Client.of(address=peer, console_logins_per_minute=1, **PROXY)
    tries = [("198.51.100.1", "wrong"), ("1.1.1.1, 198.51.100.2, 10.1.9.9", "wrong"), ("198.51.100.3", PASSWORD)]

    answers = [
        await client.post("/login", {"X-Forwarded-For": address}, name="operator", password=password)
        for address, password in tries
    ]

    assert [answer.status_code for answer in answers] == statuses


async def test_two_names_of_a_proxy_are_none() -> None:
    client = Client.of(address="10.1.2.3", **PROXY)

    headers = [("X-Forwarded-User", "viewer"), ("X-Forwarded-User", "operator")]
    answer = await client.client.get("/", headers=headers)

    assert answer.headers["location"] == "/login"


def test_a_header_that_anybody_could_send_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        ConsoleSettings.load(console_proxy_header="X-Forwarded-User")

    assert "needs console_proxy_networks" in capsys.readouterr().err
