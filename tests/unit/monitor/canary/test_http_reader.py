"""What the canary makes of answers that the API itself never gives, but something in front of it may."""

from collections.abc import AsyncIterator

import pytest
from aiohttp import web
from prometheus_client import REGISTRY

from services.monitor.canary.http_reader import HttpReader
from services.monitor.canary.ports import Answer, ApiUnavailable
from shared.process.metrics import DEPENDENCY_UNAVAILABLE

HOST = "127.0.0.1"
SECRET = "a secret"  # noqa: S105 - of no key
LARGE = b'{"data":"%b"}' % (b"x" * 300_000)
BODIES = {"page": b"<html>Sign in</html>", "list": b"[]", "large": LARGE}

asked: list[str] = []


async def answer(request: web.Request) -> web.Response:
    name = request.match_info["call"]
    asked.append(name)
    if name == "moved":
        raise web.HTTPFound("/api/calls/elsewhere")
    if name == "busy":
        raise web.HTTPServiceUnavailable
    return web.Response(body=BODIES[name], headers={"X-Call-Finality": "final"})


@pytest.fixture
async def reader() -> AsyncIterator[HttpReader]:
    application = web.Application()
    application.add_routes([web.get("/api/calls/{call}", answer)])
    runner = web.AppRunner(application, access_log=None)
    await runner.setup()
    site = web.TCPSite(runner, HOST, 0)
    await site.start()
    port = runner.addresses[0][1]
    async with HttpReader(f"http://{HOST}:{port}/", "cf_1", SECRET) as reader:
        yield reader
    await runner.cleanup()


@pytest.mark.parametrize("call", ["page", "list", "large"])
async def test_an_answer_that_is_no_record_is_one_that_will_differ(reader: HttpReader, call: str) -> None:
    found = await reader.read(call, Answer())

    assert (found.record, found.finality) == (None, "final")


async def test_an_api_that_was_not_asked_yet_is_shown_and_not_as_unavailable() -> None:
    DEPENDENCY_UNAVAILABLE.labels("api")
    DEPENDENCY_UNAVAILABLE.remove("api")

    async with HttpReader(f"http://{HOST}:1", "cf_1", SECRET):
        shown = REGISTRY.get_sample_value("callfold_dependency_unavailable", {"dependency": "api"})

    assert shown == 0


@pytest.mark.parametrize(("call", "status"), [("moved", 302), ("busy", 503)])
async def test_a_refusal_is_named_by_its_status_and_no_redirect_is_followed(
    reader: HttpReader, call: str, status: int
) -> None:
    with pytest.raises(ApiUnavailable) as refused:
        await reader.read(call, Answer())

    assert str(refused.value) == f"the API returned {status}"
    assert "elsewhere" not in asked
