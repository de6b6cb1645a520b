"""Liveness, readiness and public pages."""

import asyncio

import pytest
from structlog.testing import capture_logs

from services.api.errors import unavailable
from services.api.routes import health
from shared.store.memory.calls import MemoryStore
from shared.store.ports import StoreUnavailable
from tests.support.api.client import beside_requests, reader


class UnavailableStore(MemoryStore):
    """Fails at once, or never answers while it `hangs`."""

    def __init__(self, *, hangs: bool = False) -> None:
        super().__init__()
        self.hangs = hangs

    async def ping(self) -> None:
        if self.hangs:
            await asyncio.Event().wait()
        raise StoreUnavailable


async def test_it_is_alive_and_ready_while_the_store_answers() -> None:
    api = await reader()

    alive, ready = await api.get("/healthz"), await api.get("/readyz")

    assert (alive.status_code, ready.status_code) == (200, 200)
    assert alive.json() == {"message": "Alive", "status": "success", "error": None}
    assert ready.json() == {"message": "Ready", "status": "success", "error": None}


@pytest.mark.parametrize("hangs", [False, True])
async def test_it_is_alive_but_not_ready_while_the_store_does_not_answer(
    hangs: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(health, "READY_SECONDS", 0.05)
    api = await reader(UnavailableStore(hangs=hangs))

    with capture_logs() as lines:
        alive, ready, again = [await api.get(path) for path in ("/healthz", "/readyz", "/readyz")]

    assert (alive.status_code, ready.status_code, again.status_code) == (200, 503, 503)
    assert ready.json() == unavailable().envelope
    assert ready.headers["Retry-After"] == "1"
    assert [line["event"] for line in beside_requests(lines)] == ["dependency_unavailable"]


async def test_health_metrics_and_docs_need_no_key() -> None:
    api = await reader()
    api.headers.clear()

    responses = [await api.get(path) for path in ("/healthz", "/readyz", "/metrics", "/docs", "/openapi.json")]

    assert [response.status_code for response in responses] == [200] * 5
