"""What every request gets, whatever becomes of it: an id, one count and one time, and an answer."""

import re
from time import perf_counter
from uuid import uuid4

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from services.api.errors import unforeseen
from shared.process import metrics
from shared.process.logs import logger

REQUEST_ID = "X-Request-ID"

log = logger(__name__)

_HEADER = REQUEST_ID.lower().encode()
_NONE = "none"
_WELL_FORMED = re.compile(rb"[A-Za-z0-9._-]{1,128}")


class Edge:
    """An ASGI middleware around the application."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] == "http":
            await _Exchange(self._app, scope, send).run(receive)
        else:
            await self._app(scope, receive, send)


class _Exchange:
    """One request and its answer."""

    def __init__(self, app: ASGIApp, scope: Scope, send: Send) -> None:
        self._app = app
        self._send = send
        self._status: int | None = None
        self._id = request_id(scope["headers"])
        # HEAD is GET without the body, which the server leaves out: no route has to know.
        self._scope = {**scope, "method": "GET"} if scope["method"] == "HEAD" else scope
        self._scope.setdefault("state", {})["request_id"] = self._id

    async def run(self, receive: Receive) -> None:
        started = perf_counter()
        try:
            await self._app(self._scope, receive, self._answer)
        except Exception:
            # Not raised again: the server would log the message, which may quote what was said in a call.
            log.exception("internal_error", request_id=self._id, route=self._route)
            if self._status is None:
                await unforeseen(self._id).response()(self._scope, receive, self._answer)
        finally:
            metrics.REQUESTS.labels(self._route, str(self._status or _NONE)).inc()
            metrics.REQUEST_SECONDS.labels(self._route).observe(perf_counter() - started)

    async def _answer(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self._status = message["status"]
            message = {**message, "headers": [*message["headers"], (_HEADER, self._id.encode())]}
        await self._send(message)

    @property
    def _route(self) -> str:
        """The route's template, never the path: paths name calls."""
        return getattr(self._scope.get("route"), "path", _NONE)


def request_id(headers: list[tuple[bytes, bytes]]) -> str:
    """Return the id that the client gave the request, if it is well-formed, or a new one."""
    for name, value in headers:
        if name == _HEADER:
            return value.decode() if _WELL_FORMED.fullmatch(value) else uuid4().hex
    return uuid4().hex
