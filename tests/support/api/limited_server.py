"""A server with the API's protocol on a free port, and a client that writes and reads bytes.

async with limited_server() as server:
    assert statuses(await server.exchange(LAST_GET)) == [200]
"""

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import uvicorn
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from uvicorn.server import ServerState

from deploy.local.ports import HOST
from services.api.keys.authentication import Caller
from services.api.metrics import API
from services.api.server.connections import Connections
from services.api.server.limits import Limits, Refused
from services.api.server.protocol import LimitedProtocol
from tests.support.eventually import scaled

GET = b"GET / HTTP/1.1\r\nHost: api\r\n\r\n"
LAST_GET = b"GET / HTTP/1.1\r\nHost: api\r\nConnection: close\r\n\r\n"

_MEGABYTE = 1024 * 1024
_WHOLE = bytes(32 * _MEGABYTE)
_PARTS = {"/large": [bytes(_MEGABYTE)] * 64, "/whole": [_WHOLE], "/open": [_WHOLE, b""]}


class Routes:
    """Responds with `ok` at once, or at /later when `released` is set.

    /large has 64 MB in parts. /whole has 32 MB in one, so that the application is done before the client has read it;
    /open has them too, and ends when `released` is set. A path with the query `?key` is asked for with a key.
    """

    def __init__(self) -> None:
        self.released = asyncio.Event()
        self.paths: list[str] = []

    async def __call__(self, scope: Scope, _receive: Receive, send: Send) -> None:
        self.paths.append(scope["path"])
        if scope["query_string"] == b"key":
            scope["state"]["caller"] = Caller("org-789", "cf_01234567")
        if scope["path"] == "/later":
            await self.released.wait()
        *others, last = _PARTS.get(scope["path"], [b"ok", b""])
        length = str(sum(map(len, others)) + len(last)).encode()
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", length)]})
        for part in others:
            await send(_body(part, more=True))
        if scope["path"] == "/open":
            await self.released.wait()
        await send(_body(last, more=False))


def _body(part: bytes, *, more: bool) -> Message:
    return {"type": "http.response.body", "body": part, "more_body": more}


@dataclass
class LimitedServer:
    """The server; each exchange is a connection of its own."""

    port: int
    routes: Routes
    state: ServerState
    clients: list[asyncio.StreamWriter] = field(default_factory=list)

    def protocols(self) -> list[LimitedProtocol]:
        """Return the open connections as the server sees them."""
        return [each for each in self.state.connections if isinstance(each, LimitedProtocol)]

    async def connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        reader, writer = await asyncio.open_connection(HOST, self.port)
        self.clients.append(writer)
        return reader, writer

    async def exchange(self, *sent: bytes) -> bytes:
        """Return what the server sends to these bytes until it closes the connection."""
        reader, writer = await self.connect()
        for each in sent:
            writer.write(each)
            await asyncio.sleep(0.01)  # so that the server sees more than one piece; what holds does not depend on it
        return await read_to_end(reader)


async def read_to_end(reader: asyncio.StreamReader) -> bytes:
    """Return what comes until the end; a reset is an end too.

    Raises:
        TimeoutError: the connection stays open.
    """
    received = bytearray()
    async with asyncio.timeout(scaled(20)):
        with suppress(ConnectionError):
            while piece := await reader.read(65_536):
                received += piece
    return bytes(received)


def statuses(received: bytes) -> list[int]:
    """Return the status of each response."""
    return [int(status) for status in re.findall(rb"HTTP/1\.1 (\d{3}) ", received)]


def refused(reason: Refused) -> float:
    """Return how many connections were refused for this reason."""
    return API.registry.get_sample_value("callfold_api_connections_refused_total", {"reason": reason}) or 0.0


@asynccontextmanager
async def limited_server(idle_seconds: float = 60.0, **limits: Any) -> AsyncIterator[LimitedServer]:
    """Serve `Routes` with these limits."""
    bounds = Limits(**{"connections": 100, "head_bytes": 16_384, "head_seconds": 60.0, **limits})
    routes, state = Routes(), ServerState()
    app: ASGIApp = routes
    config = uvicorn.Config(app, ws="none", lifespan="off", log_config=None, access_log=False)
    config.load()
    config.timeout_keep_alive = idle_seconds  # type: ignore[assignment] # parts of a second
    protocol = partial(
        LimitedProtocol, bounds, Connections(bounds.connections), config=config, server_state=state, app_state={}
    )
    server = await asyncio.get_running_loop().create_server(protocol, HOST, 0)
    served = LimitedServer(server.sockets[0].getsockname()[1], routes, state)
    try:
        yield served
    finally:
        routes.released.set()
        server.close()
        for connection in (*state.connections, *served.clients):
            connection.transport.abort()
        for client in served.clients:
            with suppress(ConnectionError):
                await client.wait_closed()
        await server.wait_closed()
