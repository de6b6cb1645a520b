"""/lag, /canary, /metrics, /healthz and /readyz of the monitor."""

import socket

import orjson
from aiohttp import web
from prometheus_client import CONTENT_TYPE_LATEST

from services.monitor import metrics
from services.monitor.canary.canary import Canary
from services.monitor.monitor import Monitor
from shared.lag.document import document

_SHUTDOWN_SECONDS = 1.0


class MonitorServer:
    """Answers from the start of the monitor to its end, also while Kafka and MongoDB do not."""

    def __init__(self, monitor: Monitor, listening: socket.socket, canary: Canary | None = None) -> None:
        self._monitor = monitor
        self._canary = canary
        application = web.Application()
        application.add_routes(
            [
                web.get("/lag", self._lag),
                web.get("/canary", self._calls),
                web.get("/metrics", self._metrics),
                web.get("/healthz", self._healthz),
                web.get("/readyz", self._readyz),
            ]
        )
        self._runner = web.AppRunner(application, access_log=None, shutdown_timeout=_SHUTDOWN_SECONDS)
        self._listening = listening

    async def start(self) -> None:
        await self._runner.setup()
        await web.SockSite(self._runner, self._listening).start()

    async def stop(self) -> None:
        await self._runner.cleanup()

    async def _lag(self, _request: web.Request) -> web.Response:
        lag = self._monitor.lag
        if lag is None:
            return _json({"status": "not ready", "missing": "a reading"}, status=503)
        return _json(document(lag))

    async def _calls(self, _request: web.Request) -> web.Response:
        calls = [] if self._canary is None else self._canary.reports
        return _json({"on": self._canary is not None, "calls": calls})

    async def _metrics(self, _request: web.Request) -> web.Response:
        return web.Response(body=metrics.monitor(), headers={"Content-Type": CONTENT_TYPE_LATEST})

    async def _healthz(self, _request: web.Request) -> web.Response:
        if self._monitor.alive:
            return _json({"status": "ok"})
        return _json({"status": "stands still"}, status=503)

    async def _readyz(self, _request: web.Request) -> web.Response:
        if self._monitor.ready:
            return _json({"status": "ready"})
        return _json({"status": "not ready", "missing": "a reading of the last 5 s"}, status=503)


def _json(content: object, status: int = 200) -> web.Response:
    return web.Response(body=orjson.dumps(content), status=status, content_type="application/json")
