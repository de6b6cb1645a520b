"""The servers: the API's own, and that of health and metrics if they have a port of their own."""

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Iterator
from functools import partial
from typing import NamedTuple, cast

import uvicorn
from starlette.types import ASGIApp

from services.api.server.connections import Connections
from services.api.server.descriptors import allow
from services.api.server.limits import Limits
from services.api.server.protocol import LimitedProtocol
from services.api.settings import ApiSettings

_OPERATION_CONNECTIONS = 100
_OPERATION_DRAIN_SECONDS = 1


class Listener(NamedTuple):
    """An application and the socket that it is served on."""

    app: ASGIApp
    socket: socket.socket


async def serve(settings: ApiSettings, public: Listener, operation: Listener | None) -> None:
    """Serve until a signal; `operation` until the public server has finished its requests."""
    connections = allow(settings.api_connections + _OPERATION_CONNECTIONS) - _OPERATION_CONNECTIONS
    async with _also_serving(settings, operation):
        config = _config(settings, public.app, max(1, connections), settings.api_drain_seconds)
        await uvicorn.Server(config).serve(sockets=[public.socket])


@contextlib.asynccontextmanager
async def _also_serving(settings: ApiSettings, operation: Listener | None) -> AsyncIterator[None]:
    if operation is None:
        yield
        return
    server = _Second(_config(settings, operation.app, _OPERATION_CONNECTIONS, _OPERATION_DRAIN_SECONDS))
    serving = asyncio.create_task(server.serve(sockets=[operation.socket]))
    try:
        yield
    finally:
        server.should_exit = True
        await serving


class _Second(uvicorn.Server):
    """A server that leaves signals to the first."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


def _config(settings: ApiSettings, app: ASGIApp, connections: int, drain_seconds: int) -> uvicorn.Config:
    limits = Limits(connections, settings.api_head_bytes, settings.api_head_seconds)
    protocol = partial(LimitedProtocol, limits, Connections(limits.connections))
    return uvicorn.Config(
        app,
        http=cast("type[asyncio.Protocol]", protocol),  # it is called with the server's state
        lifespan="on",
        ws="none",
        access_log=False,
        log_config=None,
        server_header=False,
        # Of X-Forwarded-For the last address that is not a trusted proxy's: each proxy adds one at the end.
        proxy_headers=bool(settings.api_trusted_proxies),
        forwarded_allow_ips=settings.api_trusted_proxies or "",
        timeout_keep_alive=settings.api_idle_seconds,
        timeout_graceful_shutdown=drain_seconds,
    )
