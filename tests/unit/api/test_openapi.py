"""The OpenAPI document describes what the API does."""

import re
from typing import Any

import httpx
import pytest
from jsonschema import Draft202012Validator

from tests.support.api.client import Reader, break_call, put, reader
from tests.support.events.makers import STARTED, event
from tests.support.events.seed_call import seed_call, seed_response

CALL = "/api/calls/call-456"
ROUTE = "/api/calls/{callId}"
EVERYTHING = [
    *seed_call(),
    event("tool.called", at=STARTED + 20_000, arguments={"order": 27}),
    event("tool.returned", at=STARTED + 21_000, successful=True),
    event("call.analyzed", at=STARTED + 310_000),
    event("call.ended", at=STARTED + 300_000, ended_by="user"),
]


@pytest.fixture
async def api() -> Reader:
    return await reader()


@pytest.fixture
async def document(api: Reader) -> dict[str, Any]:
    answer = await api.get("/openapi.json")
    found: dict[str, Any] = answer.json()
    return found


def described(document: dict[str, Any], answer: httpx.Response, path: str = ROUTE) -> dict[str, Any]:
    response: dict[str, Any] = document["paths"][path]["get"]["responses"][str(answer.status_code)]
    return response


def check(document: dict[str, Any], schema: dict[str, Any], body: Any) -> None:
    """Raise if the body does not match the schema."""
    Draft202012Validator({**schema, "components": document["components"]}).validate(body)


@pytest.mark.parametrize("call", [seed_call(), EVERYTHING, [event("call.note", call="call-456")]])
async def test_records_match_the_schema(api: Reader, document: dict[str, Any], call: list[dict[str, Any]]) -> None:
    await put(api.store, call)

    answer = await api.get(CALL)

    check(document, described(document, answer)["content"]["application/json"]["schema"], answer.json())


async def test_the_schema_rejects_an_invalid_record(document: dict[str, Any]) -> None:
    schema = document["paths"][ROUTE]["get"]["responses"]["200"]["content"]["application/json"]["schema"]
    wrong = seed_response()
    wrong["data"]["call_status"] = "LOST"

    validator = Draft202012Validator({**schema, "components": document["components"]})

    assert not validator.is_valid(wrong)


async def test_the_example_is_the_seed_with_its_nulls(document: dict[str, Any]) -> None:
    content = document["paths"][ROUTE]["get"]["responses"]["200"]["content"]["application/json"]

    assert content["example"] == seed_response()
    check(document, content["schema"], content["example"])


async def test_every_error_has_a_valid_example(document: dict[str, Any]) -> None:
    responses = document["paths"][ROUTE]["get"]["responses"]

    assert set(responses) == {"200", "304", "400", "401", "404", "405", "500", "503"}
    for status in set(responses) - {"200", "304"}:
        content = responses[status]["content"]["application/json"]
        for example in content["examples"].values():
            check(document, content["schema"], example["value"])


async def test_every_response_has_the_documented_headers(api: Reader, document: dict[str, Any]) -> None:
    await put(api.store, seed_call())
    await break_call(api.store, "org-789/broken")
    answers = [
        await api.get(CALL),
        await api.get(CALL, {"If-None-Match": "*"}),
        await api.get("/api/calls/%00"),
        await api.get(CALL, {"X-API-KEY": "wrong"}),
        await api.get("/api/calls/none"),
        await api.get(CALL, method="POST"),
        await api.get("/api/calls/broken"),
    ]

    assert [answer.status_code for answer in answers] == [200, 304, 400, 401, 404, 405, 500]
    for answer in answers:
        documented = {name.lower() for name in described(document, answer)["headers"]}
        assert set(answer.headers) - {"content-type", "content-length"} == documented


async def test_both_headers_are_required(document: dict[str, Any]) -> None:
    schemes = document["components"]["securitySchemes"]

    assert document["paths"][ROUTE]["get"]["security"] == [{"X-API-KEY": [], "X-API-SECRET": []}]
    for name in ("X-API-KEY", "X-API-SECRET"):
        assert (schemes[name]["type"], schemes[name]["in"], schemes[name]["name"]) == ("apiKey", "header", name)


async def test_the_docs_page_loads_nothing_from_other_hosts(api: Reader) -> None:
    page = await api.get("/docs")
    files = re.findall(r'(?:src|href)="([^"]+)"', page.text)

    answers = [await api.get(f"/{file}") for file in files]

    assert page.status_code == 200
    assert "default-src 'self'" in page.headers["Content-Security-Policy"]
    assert len(files) == 4
    assert [answer.status_code for answer in answers] == [200] * 4
    assert not any("//" in file for file in files)
    assert 'fetch("openapi.json")' in answers[-1].text
