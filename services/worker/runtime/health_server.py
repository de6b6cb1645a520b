"""/metrics, /healthz and /readyz of the worker."""

import logging
import socket
from collections.abc import Awaitable, Callable

from aiohttp import web
from mode import Service
from prometheus_client import CONTENT_TYPE_LATEST

from shared.process import metrics


class HealthServer(Service):  # type: ignore[misc]
    """Serves as long as the worker runs; `readiness` returns what is missing, None if nothing is."""

    logger = logging.getLogger("faust")

    def __init__(
        self, listening: socket.socket, readiness: Callable[[], Awaitable[str | None]], **kwargs: object
    ) -> None:
        self._listening = listening
        self._readiness = readiness
        self._runner: web.AppRunner | None = None
        super().__init__(**kwargs)

    async def on_start(self) -> None:
        application = web.Application()
        application.add_routes(
            [
                web.get("/metrics", self._metrics),
                web.get("/healthz", self._healthz),
                web.get("/readyz", self._readyz),
            ]
        )
        self._runner = web.AppRunner(application, access_log=None)
        await self._runner.setup()
        await web.SockSite(self._runner, self._listening).start()

    async def on_stop(self) -> None:
        if self._runner is not None:
            await self._runner.cleanup()

    async def _metrics(self, _request: web.Request) -> web.Response:
        return web.Response(body=metrics.worker(), headers={"Content-Type": CONTENT_TYPE_LATEST})

    async def _healthz(self, _request: web.Request) -> web.Response:
        return web.json_response({"status": "ok"})

    async def _readyz(self, _request: web.Request) -> web.Response:
        missing = await self._readiness()
        if missing is None:
            return web.json_response({"status": "ready"})
        return web.json_response({"status": "not ready", "missing": missing}, status=503)
