"""Who may read calls, and how many reads of the store that costs."""

import asyncio

import pytest

from services.api.errors import ApiError, different_keys, unauthorized
from services.api.keys import authentication as auth
from shared.store.api_keys import new_key
from shared.store.ports import StoreUnavailable
from tests.support.api.client import PEPPER, Reader, put, reader
from tests.support.api.key_client import Client
from tests.support.events.seed_call import seed_call

CALL = "/api/calls/call-456"
REJECTED = (401, unauthorized().envelope)


@pytest.fixture
async def api() -> Reader:
    api = await reader()
    await put(api.store, seed_call())
    return api


@pytest.fixture
def client() -> Client:
    return Client()


@pytest.mark.parametrize(
    "wrong",
    [
        {"X-API-KEY": ""},
        {"X-API-SECRET": ""},
        {"X-API-KEY": "cf_000000000000000000000000"},
        {"X-API-SECRET": "wrong"},
        {"X-API-KEY": "cf_\u00e9"},
        {"X-API-SECRET": "\u00e9"},
        {"X-API-KEY": "", "X-API-SECRET": ""},
    ],
)
async def test_any_wrong_key_or_secret_gets_the_same_response(api: Reader, wrong: dict[str, str]) -> None:
    response = await api.get(CALL, wrong)

    assert (response.status_code, response.json()) == REJECTED
    assert response.headers["WWW-Authenticate"] == "APIKey"
    assert response.headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize("missing", [["X-API-KEY"], ["X-API-SECRET"], ["X-API-KEY", "X-API-SECRET"]])
async def test_a_missing_key_or_secret_gets_the_same_response(api: Reader, missing: list[str]) -> None:
    for name in missing:
        del api.headers[name]

    response = await api.get(CALL)

    assert (response.status_code, response.json()) == REJECTED


async def test_a_revoked_key_is_rejected(api: Reader) -> None:
    await api.keys.revoke(api.headers["X-API-KEY"])

    response = await api.get(CALL)

    assert (response.status_code, response.json()) == REJECTED


async def test_the_key_is_checked_before_the_call_id(api: Reader) -> None:
    response = await api.get("/api/calls/%00", {"X-API-SECRET": "wrong"})

    assert response.status_code == 401


async def test_an_unknown_key_costs_as_many_reads_as_a_wrong_secret_of_a_busy_key(client: Client) -> None:
    real, secret = await client.add()
    costs = []

    for api_key in (real, "cf_none"):
        await client.ask(real, secret)
        before = client.keys.reads
        for wrong in ("wrong", "wrong", "another"):
            assert await client.ask(api_key, wrong) == "Unauthorized"
        costs.append(client.keys.reads - before)

    assert costs == [3, 3]


@pytest.mark.parametrize("blanks", [" {}", "{} ", "\t{} \t"])
async def test_blanks_around_a_key_or_a_secret_do_not_count(api: Reader, blanks: str) -> None:
    sent = {name: blanks.format(value) for name, value in api.headers.items()}

    response = await api.get(CALL, sent)

    assert response.status_code == 200


@pytest.mark.parametrize("twice", [b"x-api-key", b"x-api-secret"])
async def test_two_different_keys_or_secrets_are_rejected_and_the_same_one_twice_is_not(
    client: Client, twice: bytes
) -> None:
    api_key, secret = await client.add()
    sent = {b"x-api-key": api_key.encode(), b"x-api-secret": secret.encode()}

    same = await client.authentication.caller([*sent.items(), (twice, sent[twice] + b" ")], "")
    with pytest.raises(ApiError) as different:
        await client.authentication.caller([*sent.items(), (twice, b"another")], "")

    assert same.organization_id == "org-789"
    assert (different.value.status, different.value.envelope) == (400, different_keys().envelope)


async def test_a_revoked_key_stops_within_five_seconds(client: Client) -> None:
    api_key, secret = await client.add()
    first = await client.ask(api_key, secret)
    await client.keys.revoke(api_key)
    client.now += auth.CACHE_SECONDS

    then = await client.ask(api_key, secret)

    assert (first, then) == ("org-789", "Unauthorized")
    assert auth.CACHE_SECONDS < 5


async def test_a_new_key_works_at_once_even_if_it_was_tried_before(client: Client) -> None:
    key, secret = new_key("org-789", PEPPER.encode())
    first = await client.ask(key.api_key, secret)
    await client.keys.add(key)

    then = await client.ask(key.api_key, secret)

    assert (first, then) == ("Unauthorized", "org-789")


async def test_concurrent_requests_cost_one_read(client: Client) -> None:
    api_key, secret = await client.add()

    organizations = await asyncio.gather(*(client.ask(api_key, secret) for _ in range(100)))

    assert organizations == ["org-789"] * 100
    assert client.keys.reads == 1


async def test_many_unknown_keys_evict_no_real_key(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(auth, "CACHED_PAIRS", 10)
    client = Client()
    api_key, secret = await client.add()
    await client.ask(api_key, secret)
    for number in range(100):
        await client.ask(f"cf_{number}", "x")
    reads = client.keys.reads

    assert await client.ask(api_key, secret) == "org-789"
    assert client.keys.reads == reads


async def test_a_failed_look_up_is_not_cached(client: Client) -> None:
    api_key, secret = await client.add()
    client.keys.unavailable = True
    with pytest.raises(StoreUnavailable):
        await client.ask(api_key, secret)
    client.keys.unavailable = False

    assert await client.ask(api_key, secret) == "org-789"


async def test_a_cancelled_request_does_not_cancel_the_look_up_of_others(client: Client) -> None:
    api_key, secret = await client.add()
    cancelled = asyncio.create_task(client.ask(api_key, secret))
    waiting = asyncio.create_task(client.ask(api_key, secret))
    await asyncio.sleep(0)

    cancelled.cancel()

    assert await waiting == "org-789"
    assert client.keys.reads == 1
