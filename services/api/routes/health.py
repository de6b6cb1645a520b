"""Liveness, readiness and metrics of the API."""

from dataclasses import dataclass

import orjson
from prometheus_client import CONTENT_TYPE_LATEST
from starlette.requests import Request
from starlette.responses import Response

from services.api import metrics
from services.api.store_health import StoreHealth
from shared.store.ports import Store

READY_SECONDS = 1.0
"""The API is not ready if the store does not answer within this time."""

ALIVE = {"message": "Alive", "status": "success", "error": None}
READY = {"message": "Ready", "status": "success", "error": None}


@dataclass(frozen=True, slots=True)
class Health:
    """The routes and their dependencies."""

    store: Store
    health: StoreHealth

    async def alive(self, _request: Request) -> Response:
        """Answer whether or not the store does: a restart would not help."""
        return _response(orjson.dumps(ALIVE), "application/json")

    async def ready(self, _request: Request) -> Response:
        """Answer with 200 while calls can be read."""
        async with self.health.time_limit(READY_SECONDS):
            await self.store.ping()
        return _response(orjson.dumps(READY), "application/json")

    async def metrics(self, _request: Request) -> Response:
        """Return the metrics in Prometheus' text format."""
        return _response(metrics.text(), CONTENT_TYPE_LATEST)


def _response(content: bytes, media_type: str) -> Response:
    return Response(content, headers={"Cache-Control": "no-store"}, media_type=media_type)
