"""The OpenAPI document describes what the API does."""

import re
from typing import Any

import httpx
import orjson
import pytest
from jsonschema import Draft202012Validator

from services.api.openapi import EXAMPLE_EVENTS
from tests.support.api.client import Reader, break_call, put, reader
from tests.support.events.makers import STARTED, event
from tests.support.events.seed_call import seed_call, seed_response
from tests.support.eventually import eventually

CALL = "/api/calls/call-456"
ROUTE = "/api/calls/{callId}"
DETAILS_ROUTE = f"{ROUTE}/details"
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


async def knows_as_of(api: Reader) -> bool:
    return "X-Callfold-As-Of" in (await api.get(CALL)).headers


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


@pytest.mark.parametrize("call", [seed_call(), EVERYTHING, [event("call.note", call="call-456")]])
async def test_details_match_the_schema(api: Reader, document: dict[str, Any], call: list[dict[str, Any]]) -> None:
    await put(api.store, call)

    answer = await api.get(f"{CALL}/details")

    schema = described(document, answer, DETAILS_ROUTE)["content"]["application/json"]["schema"]
    check(document, schema, answer.json())


async def test_the_example_of_the_details_has_an_entry_in_every_list(document: dict[str, Any]) -> None:
    content = document["paths"][DETAILS_ROUTE]["get"]["responses"]["200"]["content"]["application/json"]
    data = content["example"]["data"]

    check(document, content["schema"], content["example"])
    assert document["paths"][DETAILS_ROUTE]["get"]["operationId"] == "getCallDetailsById"
    assert (data["finality"], data["event_count"]) == ("final", len(orjson.loads(EXAMPLE_EVENTS.read_bytes())))
    assert all(value for value in data.values() if isinstance(value, list))


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


@pytest.mark.parametrize("route", [ROUTE, DETAILS_ROUTE])
async def test_every_error_has_a_valid_example(document: dict[str, Any], route: str) -> None:
    responses = document["paths"][route]["get"]["responses"]

    assert set(responses) == {
        *("200", "304", "400", "401", "404", "405", "408", "414", "429", "431", "500", "503"),
    }
    for status in set(responses) - {"200", "304"}:
        content = responses[status]["content"]["application/json"]
        for example in content["examples"].values():
            check(document, content["schema"], example["value"])


@pytest.mark.parametrize(("route", "view"), [(ROUTE, ""), (DETAILS_ROUTE, "/details")])
async def test_every_response_has_the_documented_headers(
    api: Reader, document: dict[str, Any], route: str, view: str
) -> None:
    await put(api.store, seed_call())
    await break_call(api.store, "org-789/broken")
    await api.store.put_watermarks({0: STARTED}, 1)
    async with api.app.router.lifespan_context(api.app):
        await eventually(lambda: knows_as_of(api))
        answers = [
            await api.get(f"{CALL}{view}"),
            await api.get(f"{CALL}{view}", {"If-None-Match": "*"}),
            await api.get(f"/api/calls/%00{view}"),
            await api.get(f"{CALL}{view}", {"X-API-KEY": "wrong"}),
            await api.get(f"/api/calls/none{view}"),
            await api.get(f"{CALL}{view}", method="POST"),
            await api.get(f"/api/calls/broken{view}"),
        ]
        while (answer := await api.get(f"{CALL}{view}", {"X-API-KEY": "wrong"})).status_code == 401:
            pass
        answers.append(answer)

    assert [answer.status_code for answer in answers] == [200, 304, 400, 401, 404, 405, 500, 429]
    for answer in answers:
        documented = {name.lower() for name in described(document, answer, route)["headers"]}
        assert set(answer.headers) - {"content-type", "content-length"} == documented


async def test_both_headers_are_required(document: dict[str, Any]) -> None:
    schemes = document["components"]["securitySchemes"]

    for route in (ROUTE, DETAILS_ROUTE):
        assert document["paths"][route]["get"]["security"] == [{"X-API-KEY": [], "X-API-SECRET": []}]
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
