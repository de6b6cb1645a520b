"""/metrics, /healthz and /readyz of the worker, from its start to its end."""

import socket
from collections.abc import Awaitable, Callable

from aiohttp import web
from prometheus_client import CONTENT_TYPE_LATEST

from services.worker import metrics

Readiness = Callable[[], Awaitable[str | None]]
"""Returns what is missing before events can be ingested, None if nothing is."""

Liveness = Callable[[], str | None]
"""Returns a loop that stands still by itself, None if none does."""


class HealthServer:
    """Answers also while the worker waits for Kafka or MongoDB at its start, and while it stops."""

    def __init__(self, listening: socket.socket) -> None:
        self._listening = listening
        self._readiness: Readiness | None = None
        self._standing_still: Liveness = lambda: None
        self._missing = ""

    async def start(self) -> None:
        """Serve until the process ends."""
        application = web.Application()
        application.add_routes(
            [
                web.get("/metrics", self._metrics),
                web.get("/healthz", self._healthz),
                web.get("/readyz", self._readyz),
            ]
        )
        runner = web.AppRunner(application, access_log=None)
        await runner.setup()
        await web.SockSite(runner, self._listening).start()

    def starts(self, missing: str) -> None:
        """Record what the start waits for."""
        self._missing = missing

    def started(self, readiness: Readiness, standing_still: Liveness) -> None:
        """Record that nothing is missing any more but what `readiness` returns."""
        self._readiness, self._standing_still = readiness, standing_still

    async def _metrics(self, _request: web.Request) -> web.Response:
        return web.Response(body=metrics.text(), headers={"Content-Type": CONTENT_TYPE_LATEST})

    async def _healthz(self, _request: web.Request) -> web.Response:
        # By the worker's own event loop: where that is blocked there is no answer, which is one too.
        loop = self._standing_still()
        if loop is None:
            return web.json_response({"status": "ok"})
        return web.json_response({"status": "stands still", "loop": loop}, status=503)

    async def _readyz(self, _request: web.Request) -> web.Response:
        missing = self._missing if self._readiness is None else await self._readiness()
        if missing is None:
            return web.json_response({"status": "ready"})
        return web.json_response({"status": "not ready", "missing": missing}, status=503)
