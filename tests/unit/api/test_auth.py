"""Who may read, and how much that costs the store."""

import asyncio
from dataclasses import dataclass, field

import pytest
from starlette.datastructures import Headers

from services.api import auth
from services.api.auth import Authentication
from services.api.errors import Refused
from shared.store.api_keys import new_key
from shared.store.memory.api_keys import MemoryApiKeys
from shared.store.models import ApiKey
from shared.store.ports import StoreUnavailable
from tests.support.api.client import PEPPER, Reader, put, reader
from tests.support.events.seed_call import seed_call

CALL = "/api/calls/call-456"
REFUSED = (
    b'{"message":"Unauthorized","status":"error",'
    b'"error":"X-API-KEY and X-API-SECRET must be a valid API key and its secret"}'
)


class CountingKeys(MemoryApiKeys):
    """Counts what it is asked, and answers a moment later, or not at all."""

    def __init__(self) -> None:
        super().__init__()
        self.reads = 0
        self.away = False

    async def get(self, api_key: str) -> ApiKey | None:
        self.reads += 1
        await asyncio.sleep(0)
        if self.away:
            raise StoreUnavailable("away")
        return await super().get(api_key)


@dataclass
class Desk:
    """An authentication whose clock stands still until it is moved."""

    keys: CountingKeys = field(default_factory=CountingKeys)
    now: float = 100.0

    def __post_init__(self) -> None:
        self.authentication = Authentication(self.keys, PEPPER.encode(), patience=1, timer=lambda: self.now)

    async def add(self) -> tuple[str, str]:
        key, secret = new_key("org-789", PEPPER.encode())
        await self.keys.add(key)
        return key.api_key, secret

    async def ask(self, api_key: str, secret: str) -> str:
        headers = Headers({"x-api-key": api_key, "x-api-secret": secret})
        try:
            return await self.authentication.organization(headers)
        except Refused as refused:
            return refused.envelope["message"]


@pytest.fixture
async def api() -> Reader:
    api = await reader()
    await put(api.store, seed_call())
    return api


@pytest.fixture
def desk() -> Desk:
    return Desk()


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
async def test_whatever_is_wrong_is_refused_in_the_same_words(api: Reader, wrong: dict[str, str]) -> None:
    answer = await api.get(CALL, wrong)

    assert (answer.status_code, answer.content) == (401, REFUSED)
    assert answer.headers["WWW-Authenticate"] == "APIKey"
    assert answer.headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize("missing", [["X-API-KEY"], ["X-API-SECRET"], ["X-API-KEY", "X-API-SECRET"]])
async def test_what_is_missing_is_refused_in_the_words_for_what_is_wrong(api: Reader, missing: list[str]) -> None:
    for name in missing:
        del api.headers[name]

    answer = await api.get(CALL)

    assert (answer.status_code, answer.content) == (401, REFUSED)


async def test_a_revoked_key_is_refused(api: Reader) -> None:
    await api.keys.revoke(api.headers["X-API-KEY"])

    answer = await api.get(CALL)

    assert (answer.status_code, answer.content) == (401, REFUSED)


async def test_the_key_comes_before_the_id(api: Reader) -> None:
    answer = await api.get("/api/calls/%00", {"X-API-SECRET": "wrong"})

    assert answer.status_code == 401


async def test_a_key_that_is_not_there_costs_the_store_what_a_wrong_secret_does(desk: Desk) -> None:
    real, _ = await desk.add()
    costs = []

    for api_key in (real, "cf_none"):
        before = desk.keys.reads
        for seconds in (0, 1, 1, 1.5, 1):
            desk.now += seconds
            assert await desk.ask(api_key, "wrong") == "Unauthorized"
        costs.append(desk.keys.reads - before)

    assert costs == [2, 2]


async def test_a_revoked_key_stops_within_five_seconds(desk: Desk) -> None:
    api_key, secret = await desk.add()
    first = await desk.ask(api_key, secret)
    await desk.keys.revoke(api_key)
    desk.now += auth.REMEMBERED_SECONDS

    then = await desk.ask(api_key, secret)

    assert (first, then) == ("org-789", "Unauthorized")
    assert auth.REMEMBERED_SECONDS < 5


async def test_a_new_key_works_within_five_seconds_even_if_it_was_tried_before(desk: Desk) -> None:
    key, secret = new_key("org-789", PEPPER.encode())
    first = await desk.ask(key.api_key, secret)
    await desk.keys.add(key)
    desk.now += auth.REMEMBERED_SECONDS

    then = await desk.ask(key.api_key, secret)

    assert (first, then) == ("Unauthorized", "org-789")


async def test_many_requests_at_once_cost_one_read(desk: Desk) -> None:
    api_key, secret = await desk.add()

    answers = await asyncio.gather(*(desk.ask(api_key, secret) for _ in range(100)))

    assert answers == ["org-789"] * 100
    assert desk.keys.reads == 1


async def test_a_flood_of_keys_that_are_not_there_pushes_no_real_key_out(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(auth, "REMEMBERED_KEYS", 10)
    desk = Desk()
    api_key, secret = await desk.add()
    await desk.ask(api_key, secret)
    for number in range(100):
        await desk.ask(f"cf_{number}", "x")
    reads = desk.keys.reads

    assert await desk.ask(api_key, secret) == "org-789"
    assert desk.keys.reads == reads


async def test_what_the_store_did_not_say_is_not_remembered(desk: Desk) -> None:
    api_key, secret = await desk.add()
    desk.keys.away = True
    with pytest.raises(StoreUnavailable):
        await desk.ask(api_key, secret)
    desk.keys.away = False

    assert await desk.ask(api_key, secret) == "org-789"


async def test_one_who_leaves_takes_the_answer_from_nobody(desk: Desk) -> None:
    api_key, secret = await desk.add()
    leaving = asyncio.create_task(desk.ask(api_key, secret))
    staying = asyncio.create_task(desk.ask(api_key, secret))
    await asyncio.sleep(0)

    leaving.cancel()

    assert await staying == "org-789"
    assert desk.keys.reads == 1
