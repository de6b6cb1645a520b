"""For those who run the API: whether it is alive, whether it is ready, what it counts."""

from dataclasses import dataclass

import orjson
from prometheus_client import CONTENT_TYPE_LATEST
from starlette.requests import Request
from starlette.responses import Response

from services.api.store_health import Availability
from shared.process import metrics
from shared.store.ports import Store

READY_SECONDS = 1.0
"""The store has so long to answer before the API counts as not ready."""

ALIVE = {"message": "Alive", "status": "success", "error": None}
READY = {"message": "Ready", "status": "success", "error": None}


@dataclass(frozen=True, slots=True)
class Health:
    """The routes and what they need."""

    store: Store
    availability: Availability

    async def alive(self, _request: Request) -> Response:
        """Say that the process answers: whether the store does is not its fault."""
        return _unstored(orjson.dumps(ALIVE), "application/json")

    async def ready(self, _request: Request) -> Response:
        """Say whether calls can be read."""
        async with self.availability.within(READY_SECONDS):
            await self.store.ping()
        return _unstored(orjson.dumps(READY), "application/json")

    async def metrics(self, _request: Request) -> Response:
        """Return the metrics in Prometheus' format."""
        return _unstored(metrics.api(), CONTENT_TYPE_LATEST)


def _unstored(content: bytes, media_type: str) -> Response:
    return Response(content, headers={"Cache-Control": "no-store"}, media_type=media_type)
