"""How often a key or an address may ask."""

import asyncio

import pytest
from structlog.testing import capture_logs

from services.api.errors import ApiError
from services.api.keys import authentication as auth
from shared.store.ports import StoreUnavailable
from tests.support.api.client import reader
from tests.support.api.key_client import Client
from tests.support.eventually import eventually

CALL = "/api/calls/call-456"


async def test_an_address_with_too_many_wrong_keys_is_refused_before_the_store_is_asked() -> None:
    client = Client(rejections=3)
    answers = [await client.ask(f"cf_{number}", "x") for number in range(5)]

    reads, other = client.keys.reads, await client.ask("cf_5", "x", address="192.0.2.2")

    assert answers == ["Unauthorized"] * 3 + ["Too many requests"] * 2
    assert (reads, other) == (3, "Unauthorized")


async def test_concurrent_requests_with_wrong_keys_are_limited_too() -> None:
    client = Client(rejections=3)

    answers = await asyncio.gather(*(client.ask(f"cf_{number}", "x") for number in range(50)))

    assert sorted(answers) == ["Too many requests"] * 47 + ["Unauthorized"] * 3
    assert client.keys.reads == 3


async def test_a_refused_address_is_told_when_to_try_again_and_then_it_may() -> None:
    client = Client(rejections=3)  # one in 20 seconds
    for number in range(3):
        await client.ask(f"cf_{number}", "x")
    client.now += 4.5

    with pytest.raises(ApiError) as refused:
        await client.authentication.caller([(b"x-api-key", b"cf_4"), (b"x-api-secret", b"x")], "192.0.2.1")
    client.now += 15.5

    assert (refused.value.status, refused.value.headers["Retry-After"]) == (429, "16")
    assert [await client.ask(f"cf_{number}", "x") for number in (5, 6)] == ["Unauthorized", "Too many requests"]


async def test_a_reader_whose_key_worked_lately_goes_on_at_an_address_that_is_refused() -> None:
    client = Client(rejections=3)
    working, idle = await client.add(), await client.add()
    await client.ask(*working)
    client.now += auth.PROVEN_SECONDS - 1
    for number in range(4):
        await client.ask(f"cf_{number}", "x")

    assert await client.ask(*working) == "org-789"
    assert await client.ask(*idle) == "Too many requests"
    assert await client.ask(working[0], "wrong") == "Too many requests"


async def test_a_revoked_key_no_longer_passes_the_limit() -> None:
    client = Client(rejections=3)
    api_key, secret = await client.add()
    await client.ask(api_key, secret)
    await client.keys.revoke(api_key)
    client.now += auth.CACHE_SECONDS
    for number in range(3):
        await client.ask(f"cf_{number}", "x")

    answers = [await client.ask(api_key, secret) for _ in range(2)]

    assert answers == ["Unauthorized", "Too many requests"]


async def test_right_keys_and_outages_do_not_count_as_rejections() -> None:
    client = Client(rejections=1)
    for _ in range(3):
        assert await client.ask(*await client.add()) == "org-789"
    client.keys.unavailable = True
    for number in range(3):
        with pytest.raises(StoreUnavailable):
            await client.ask(f"cf_{number}", "x")
    client.keys.unavailable = False

    assert await client.ask("cf_3", "x") == "Unauthorized"


@pytest.mark.parametrize("unavailable", [False, True])
async def test_many_requests_at_once_with_one_right_key_are_not_limited_when_nothing_is_known_of_it(
    *, unavailable: bool
) -> None:
    client = Client(rejections=3)
    api_key, secret = await client.add()
    client.keys.unavailable = unavailable

    answers = await asyncio.gather(*(client.ask(api_key, secret) for _ in range(50)), return_exceptions=True)

    assert {answer if isinstance(answer, str) else type(answer) for answer in answers} == {
        StoreUnavailable if unavailable else "org-789"
    }


async def test_requests_that_come_during_a_look_up_share_the_next_one_and_its_token() -> None:
    client = Client(rejections=3)
    client.keys.answers.clear()
    first = asyncio.create_task(client.ask("cf_none", "x"))
    await eventually(lambda: client.keys.reads)

    others = [asyncio.create_task(client.ask("cf_none", "x")) for _ in range(50)]
    await asyncio.sleep(0)
    client.keys.answers.set()

    assert set(await asyncio.gather(first, *others)) == {"Unauthorized"}
    assert client.keys.reads == 2
    assert [await client.ask("cf_none", "x") for _ in range(2)] == ["Unauthorized", "Too many requests"]


async def test_addresses_with_the_same_wrong_key_are_limited_each_alone() -> None:
    client = Client(rejections=1)

    answers = await asyncio.gather(*(client.ask("cf_none", "x", f"192.0.2.{number}") for number in range(9)))

    assert answers == ["Unauthorized"] * 9
    assert await client.ask("cf_none", "x", "192.0.2.1") == "Too many requests"


async def test_a_key_is_limited_alone_and_only_by_the_setting() -> None:
    client, unlimited = Client(requests=2), Client()
    one, other = await client.add(), await client.add()
    free = await unlimited.add()

    answers = [await client.ask(*one) for _ in range(3)]
    client.now += 0.5

    assert answers == ["org-789", "org-789", "Too many requests"]
    assert [await client.ask(*one), await client.ask(*one)] == ["org-789", "Too many requests"]
    assert await client.ask(*other) == "org-789"
    assert {await unlimited.ask(*free) for _ in range(100)} == {"org-789"}


async def test_an_address_is_refused_by_default() -> None:
    api = await reader()

    responses = [await api.get(CALL, {"X-API-SECRET": "wrong"}) for _ in range(70)]

    assert {response.status_code for response in responses} == {401, 429}
    assert responses[-1].json()["status"] == "error"
    assert int(responses[-1].headers["Retry-After"]) >= 1


@pytest.mark.parametrize(
    ("proxies", "sent", "logged"),
    [(None, ["10.0.0.1", "10.0.0.2"], 1), (None, [None], 0), ("10.0.0.0/8", ["10.0.0.1"], 0)],
)
async def test_a_proxy_that_is_not_trusted_is_logged_once(
    proxies: str | None, sent: list[str | None], logged: int
) -> None:
    api = await reader(api_trusted_proxies=proxies)

    with capture_logs() as lines:
        for each in sent:
            await api.get(CALL, {"X-Forwarded-For": each} if each else {})

    warnings = [line for line in lines if line["event"] == "forwarded_for_not_trusted"]
    assert [line["setting"] for line in warnings] == ["CALLFOLD_API_TRUSTED_PROXIES"] * logged
