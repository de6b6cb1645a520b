"""The response with a large record: sent in parts, so that it is never joined in memory."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence

from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from shared.process.logs import logger

_STALLED_SECONDS = 30.0
"""A client that reads no part for this long is disconnected: its slot is needed by others."""

log = logger(__name__)


class PartsResponse(Response):
    """Sends `parts` one after another; calls `on_end` when nothing more will be sent."""

    def __init__(
        self, parts: Sequence[bytes], headers: Mapping[str, str], on_end: Callable[[], Awaitable[None]] | None = None
    ) -> None:
        length = {"Content-Length": str(sum(map(len, parts)))}
        super().__init__(headers={**headers, **length}, media_type="application/json")
        self._parts = parts
        self._on_end = on_end

    async def __call__(self, scope: Scope, _receive: Receive, send: Send) -> None:
        start = {"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers}
        try:
            await send(start)
            for part in self._parts:
                async with asyncio.timeout(_STALLED_SECONDS):
                    await send({"type": "http.response.body", "body": part, "more_body": True})
            await send({"type": "http.response.body", "body": b"", "more_body": False})
        except TimeoutError:
            log.warning("reader_stalled", request_id=scope["state"]["request_id"])
        finally:
            if self._on_end is not None:
                await self._on_end()
