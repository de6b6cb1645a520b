"""Compressed responses: gzip and zstd, as the client prefers.

This process keeps nothing compressed: a call may opt out of being stored. A response that has a `Content-Encoding`
already passes as it is; its route finds in the request's state what the client prefers.
"""

from collections.abc import Iterable

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from services.api import etags
from services.api.encoding.accept_encoding import preferred
from services.api.encoding.compressors import CompressedStream, compress_small, compress_whole

LEAST_BYTES = 1024
"""A smaller response is sent as it is."""

_SMALL_BYTES = 32 * 1024
_WHOLE_BYTES = 2 * 1024 * 1024
_OK, _NOT_MODIFIED = 200, 304

Headers = list[tuple[bytes, bytes]]


class Compression:
    """The ASGI middleware. A response that may be compressed must have a `Vary` of its own for when it is not."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        accepted = known = b""
        for name, value in scope.get("headers", ()):
            if name == b"accept-encoding":
                accepted = b"%b,%b" % (accepted, value) if accepted else value
            elif name == b"if-none-match":
                known = b"%b,%b" % (known, value) if known else value
        if known:
            _unencode_tags(scope, known)
            send = _with_named_tag(known, send)
        if accepted and (encoding := preferred(accepted)) is not None:
            scope.setdefault("state", {})["encoding"] = encoding
            has_body = not scope.get("state", {}).get("head")
            # HTTP/1.0 knows no chunks, in which what has an unknown length is sent.
            streams = scope.get("http_version") != "1.0"
            send = _Compressed(encoding, send, has_body=has_body, streams=streams).send
        await self._app(scope, receive, send)


def _unencode_tags(scope: Scope, known: bytes) -> None:
    # In place: the router writes the route into the scope, and the middleware around this one reads it there.
    others = [header for header in scope["headers"] if header[0] != b"if-none-match"]
    scope["headers"] = [*others, (b"if-none-match", etags.unencoded(known))]


def _with_named_tag(known: bytes, send: Send) -> Send:
    """A 304 has the tag of the response that the client has: it is that one which stays valid."""

    async def send_named(message: Message) -> None:
        if message["type"] == "http.response.start" and message["status"] == _NOT_MODIFIED:
            headers = [(n, etags.named(known, v) if n == b"etag" else v) for n, v in message["headers"]]
            message = {**message, "headers": headers}
        await send(message)

    return send_named


class _Compressed:
    """Compresses one response, if it is long enough: at once if it is not very long, else while it is sent."""

    def __init__(self, encoding: bytes, downstream: Send, *, has_body: bool, streams: bool) -> None:
        self._encoding = encoding
        self._downstream = downstream
        self._has_body = has_body
        self._streams = streams
        self._start: Message | None = None  # held back until the length is known
        self._parts: list[bytes] = []
        self._stream: CompressedStream | None = None

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start" and _compressible(message):
            self._start = message
        elif self._stream is not None:
            await self._send_part(self._stream, message)
        elif self._start is not None:
            await self._begin(self._start, message)
        else:
            await self._downstream(message)

    async def _begin(self, start: Message, message: Message) -> None:
        length, body, ends = _length(start["headers"]), message.get("body", b""), not message.get("more_body", False)
        if ends and not self._parts:
            length = len(body)
        whole = length is not None and length <= _WHOLE_BYTES
        if (length is not None and length < LEAST_BYTES) or not (whole or self._streams):
            self._start = None
            await self._downstream(start)
            await self._downstream(message)
        elif whole:
            self._parts.append(body)
            if ends:
                await self._send_whole(start)
        else:
            self._stream = CompressedStream(self._encoding)
            await self._downstream({**start, "headers": self._headers(start["headers"], None)})
            await self._send_part(self._stream, message)

    async def _send_whole(self, start: Message) -> None:
        [*others] = self._parts
        if sum(map(len, others)) <= _SMALL_BYTES:
            body = compress_small(b"".join(others), self._encoding)
        else:
            body = await compress_whole(others, self._encoding)
        await self._downstream({**start, "headers": self._headers(start["headers"], len(body))})
        await self._downstream({"type": "http.response.body", "body": body, "more_body": False})

    async def _send_part(self, stream: CompressedStream, message: Message) -> None:
        if self._has_body:
            async for body in stream.compress(message.get("body", b"")):
                await self._downstream({"type": "http.response.body", "body": body, "more_body": True})
        if not message.get("more_body", False):
            end = await stream.end()
            await self._downstream({"type": "http.response.body", "body": end, "more_body": False})

    def _headers(self, headers: Iterable[tuple[bytes, bytes]], length: int | None) -> Headers:
        kept: Headers = []
        for name, value in headers:
            if name == b"etag":
                kept.append((name, etags.encoded(value, self._encoding)))
            elif name != b"content-length":
                kept.append((name, value))
        kept.append((b"content-encoding", self._encoding))
        if length is not None:
            kept.append((b"content-length", b"%d" % length))
        return kept


def _compressible(start: Message) -> bool:
    return start["status"] == _OK and not any(
        name == b"content-encoding" or (name == b"content-type" and value.startswith(b"image/"))
        for name, value in start["headers"]
    )


def _length(headers: Iterable[tuple[bytes, bytes]]) -> int | None:
    return next((int(value) for name, value in headers if name == b"content-length"), None)
