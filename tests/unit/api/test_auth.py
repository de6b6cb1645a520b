"""Who may read calls, and how many reads of the store that costs."""

import asyncio
from dataclasses import dataclass, field

import pytest

from services.api.errors import ApiError, different_keys, unauthorized
from services.api.keys import authentication as auth
from services.api.keys.authentication import Authentication, Limits
from services.api.keys.rate_limits import RateLimit
from shared.store.api_keys import new_key
from shared.store.memory.api_keys import MemoryApiKeys
from shared.store.models import ApiKey
from shared.store.ports import StoreUnavailable
from tests.support.api.client import PEPPER, Reader, put, reader
from tests.support.events.seed_call import seed_call

CALL = "/api/calls/call-456"
REJECTED = (401, unauthorized().envelope)


class CountingKeys(MemoryApiKeys):
    """Counts its reads; answers a moment later, or fails while it is `unavailable`."""

    def __init__(self) -> None:
        super().__init__()
        self.reads = 0
        self.unavailable = False

    async def get(self, api_key: str) -> ApiKey | None:
        self.reads += 1
        await asyncio.sleep(0)
        if self.unavailable:
            raise StoreUnavailable
        return await super().get(api_key)


@dataclass
class Client:
    """A client of an authentication whose clock stands still until the test moves it."""

    keys: CountingKeys = field(default_factory=CountingKeys)
    now: float = 100.0
    rejections: int = 0
    requests: int = 0

    def __post_init__(self) -> None:
        limits = Limits(
            RateLimit(self.rejections / 60, self.rejections, self.timer) if self.rejections else None,
            RateLimit(self.requests, self.requests, self.timer) if self.requests else None,
        )
        self.authentication = Authentication(self.keys, PEPPER.encode(), 1, limits, self.timer)

    def timer(self) -> float:
        return self.now

    async def add(self) -> tuple[str, str]:
        key, secret = new_key("org-789", PEPPER.encode())
        await self.keys.add(key)
        return key.api_key, secret

    async def ask(self, api_key: str, secret: str, address: str = "192.0.2.1") -> str:
        headers = [(b"x-api-key", api_key.encode()), (b"x-api-secret", secret.encode())]
        try:
            caller = await self.authentication.caller(headers, address)
        except ApiError as error:
            return str(error.envelope["message"])
        return caller.organization_id


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


# Limits


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


async def test_an_address_is_refused_by_default(api: Reader) -> None:
    responses = [await api.get(CALL, {"X-API-SECRET": "wrong"}) for _ in range(70)]

    assert {response.status_code for response in responses} == {401, 429}
    assert responses[-1].json()["status"] == "error"
    assert int(responses[-1].headers["Retry-After"]) >= 1
