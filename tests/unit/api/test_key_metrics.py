"""What the metrics of the API tell of rejected keys, and what they do not tell."""

import pytest

from services.api.errors import ApiError
from services.api.keys.authentication import Authentication, Limits
from services.api.metrics import API, text
from shared.process.rate_limits import RateLimit
from shared.store.memory.api_keys import MemoryApiKeys
from tests.support.api.client import PEPPER, Reader, put, reader
from tests.support.events.seed_call import seed_call

CALL = "/api/calls/call-456"


@pytest.fixture
async def api() -> Reader:
    api = await reader()
    await put(api.store, seed_call())
    return api


def rejected(reason: str) -> float:
    return API.registry.get_sample_value("callfold_api_rejected_keys_total", {"reason": reason}) or 0.0


@pytest.mark.parametrize(
    ("headers", "reason"),
    [({"X-API-SECRET": ""}, "missing"), ({"X-API-SECRET": "wrong"}, "wrong"), ({"X-API-KEY": "cf_no"}, "wrong")],
)
async def test_a_rejected_key_is_counted_by_its_reason(api: Reader, headers: dict[str, str], reason: str) -> None:
    before = rejected(reason)

    await api.get(CALL, headers)

    assert rejected(reason) == before + 1


async def test_two_different_keys_are_counted_as_ambiguous(api: Reader) -> None:
    before = rejected("ambiguous")

    response = await api.get(CALL, {"x-api-key": "cf_another"})

    assert response.status_code == 400
    assert rejected("ambiguous") == before + 1


async def test_keys_that_are_not_looked_up_any_more_are_counted_for_themselves() -> None:
    limits = Limits(rejections=RateLimit(1 / 60, burst=1))
    keys = Authentication(MemoryApiKeys(), PEPPER.encode(), 1.0, limits, timer=lambda: 0.0)
    before = (rejected("wrong"), rejected("too_many_rejections"))

    for number in range(3):
        with pytest.raises(ApiError):
            await keys.caller([(b"x-api-key", b"cf_%d" % number), (b"x-api-secret", b"s")], "192.0.2.1")

    assert (rejected("wrong") - before[0], rejected("too_many_rejections") - before[1]) == (1, 2)


async def test_a_right_key_is_not_counted_and_no_call_organization_or_key_is_in_the_metrics(api: Reader) -> None:
    before = {reason: rejected(reason) for reason in ("missing", "wrong", "ambiguous", "too_many_rejections")}

    first = await api.get(CALL)
    again = await api.get(CALL, {"If-None-Match": first.headers["ETag"]})
    await api.get("/api/calls/call-private")
    await api.get("/no/such/call-private")

    shown = text().decode()
    assert (first.status_code, again.status_code) == (200, 304)
    assert {reason: rejected(reason) for reason in before} == before
    assert 'status="304"' in shown
    assert [word for word in ("call-456", "call-private", "org-789", api.headers["X-API-KEY"]) if word in shown] == []
