"""Whether the API is alive and ready."""

import asyncio

import pytest
from structlog.testing import capture_logs

from services.api.routes import health
from shared.store.memory.calls import MemoryStore
from shared.store.ports import StoreUnavailable
from tests.support.api.client import reader


class AwayStore(MemoryStore):
    """Does not answer: at once, or never."""

    def __init__(self, *, silent: bool = False) -> None:
        super().__init__()
        self.silent = silent

    async def ping(self) -> None:
        if self.silent:
            await asyncio.Event().wait()
        raise StoreUnavailable("away")


async def test_it_is_alive_and_ready_while_the_store_answers() -> None:
    api = await reader()

    alive, ready = await api.get("/healthz"), await api.get("/readyz")

    assert (alive.status_code, ready.status_code) == (200, 200)
    assert alive.json() == {"message": "Alive", "status": "success", "error": None}
    assert ready.json() == {"message": "Ready", "status": "success", "error": None}


@pytest.mark.parametrize("silent", [False, True])
async def test_it_is_alive_but_not_ready_while_the_store_is_away(silent: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(health, "READY_SECONDS", 0.05)
    api = await reader(AwayStore(silent=silent))

    with capture_logs() as lines:
        alive, ready, again = [await api.get(path) for path in ("/healthz", "/readyz", "/readyz")]

    assert (alive.status_code, ready.status_code, again.status_code) == (200, 503, 503)
    assert ready.json() == {
        "message": "Service unavailable",
        "status": "error",
        "error": "The store does not answer at the moment; try again",
    }
    assert ready.headers["Retry-After"] == "1"
    assert [line["event"] for line in lines] == ["dependency_unavailable"]


async def test_nobody_needs_a_key_to_ask() -> None:
    api = await reader()
    api.headers.clear()

    answers = [await api.get(path) for path in ("/healthz", "/readyz", "/metrics", "/docs", "/openapi.json")]

    assert [answer.status_code for answer in answers] == [200] * 5
