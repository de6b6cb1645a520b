"""For every request: an id, a count, a duration, a line in the access log, an encoded path, and always a response."""

import re
from functools import cache
from time import perf_counter
from uuid import uuid4

from prometheus_client import Counter, Histogram
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from services.api import metrics
from services.api.access_log import AccessLog, Request
from services.api.errors import internal_error
from services.api.paths import encoded_path
from shared.process.logs import logger

REQUEST_ID = "X-Request-ID"

log = logger(__name__)

_HEADER = REQUEST_ID.lower().encode()
_NONE = "none"
_SLICE_BYTES = 64 * 1024  # the server asks after each whether the client reads
_WELL_FORMED = re.compile(rb"[A-Za-z0-9._-]{1,128}")


class RequestMiddleware:
    """The ASGI middleware around the application."""

    def __init__(self, app: ASGIApp, access_log: AccessLog) -> None:
        self._app = app
        self._access_log = access_log

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            exchange = _Exchange(self._app, scope, send)
            try:
                await exchange.run(receive)
            finally:  # at the end of the drain a request is cancelled
                self._access_log.add(exchange.request())
        else:
            await self._app(scope, receive, send)


class _Exchange:
    """One request and its response."""

    def __init__(self, app: ASGIApp, scope: Scope, send: Send) -> None:
        self._app = app
        self._downstream = send
        self._status: int | None = None
        self._sent_bytes = 0
        self._seconds = 0.0
        self._id = request_id(scope["headers"])
        # Routes see HEAD as GET; the server leaves the body out.
        method = "GET" if scope["method"] == "HEAD" else scope["method"]
        self._scope = {**scope, "method": method, "path": encoded_path(scope)}
        self._head = scope["method"] == "HEAD"
        self._scope.setdefault("state", {}).update(request_id=self._id, head=self._head)

    async def run(self, receive: Receive) -> None:
        started = perf_counter()
        try:
            await self._app(self._scope, receive, self._send)
        except Exception:
            # Not raised again: the server would log the message, which may quote what was said in a call.
            log.exception("internal_error", request_id=self._id, route=self._route)
            if self._status is None:
                await internal_error(self._id).response()(self._scope, receive, self._send)
        finally:
            self._seconds = perf_counter() - started
            _requests(self._route, str(self._status or _NONE)).inc()
            _durations(self._route).observe(self._seconds)

    def request(self) -> Request:
        """Return what the access log may have of the request, after its end."""
        client = self._scope.get("client")
        return Request(
            request_id=self._id,
            route=self._route,
            status=self._status,
            seconds=self._seconds,
            sent_bytes=self._sent_bytes,
            caller=self._scope["state"].get("caller"),
            address=client[0] if client else "",
        )

    async def _send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self._status = message["status"]
            await self._downstream({**message, "headers": [*message["headers"], (_HEADER, self._id.encode())]})
        else:
            await self._send_body(message)

    async def _send_body(self, message: Message) -> None:
        body = message.get("body", b"")
        self._sent_bytes += 0 if self._head else len(body)
        start = 0
        while len(body) - start > _SLICE_BYTES:
            piece = body[start : start + _SLICE_BYTES]
            await self._downstream({"type": message["type"], "body": piece, "more_body": True})
            start += _SLICE_BYTES
        await self._downstream({**message, "body": body[start:]} if start else message)

    @property
    def _route(self) -> str:
        """The route's template, never the path: paths name calls."""
        return getattr(self._scope.get("route"), "path", _NONE)


# The child for some labels is looked up behind a lock: once for each, not for each request.
@cache
def _requests(route: str, status: str) -> Counter:
    return metrics.REQUESTS.labels(route, status)


@cache
def _durations(route: str) -> Histogram:
    return metrics.REQUEST_SECONDS.labels(route)


def request_id(headers: list[tuple[bytes, bytes]]) -> str:
    """Return the client's id of the request if it is well-formed, else a new one."""
    for name, value in headers:
        if name == _HEADER:
            return value.decode() if _WELL_FORMED.fullmatch(value) else uuid4().hex
    return uuid4().hex
