"""The response with a large record: sent in parts, so that it is never joined in memory."""

from collections.abc import Awaitable, Callable, Mapping, Sequence

from starlette.responses import Response
from starlette.types import Receive, Scope, Send


class PartsResponse(Response):
    """Sends `parts` one after another; calls `on_end` when nothing more will be sent.

    The server disconnects a client that reads too slowly: its slot is needed by others.
    """

    def __init__(
        self, parts: Sequence[bytes], headers: Mapping[str, str], on_end: Callable[[], Awaitable[None]] | None = None
    ) -> None:
        length = {"Content-Length": str(sum(map(len, parts)))}
        super().__init__(headers={**headers, **length}, media_type="application/json")
        self._parts = parts
        self._on_end = on_end

    async def __call__(self, _scope: Scope, _receive: Receive, send: Send) -> None:
        start = {"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers}
        try:
            await send(start)
            for part in self._parts:
                await send({"type": "http.response.body", "body": part, "more_body": True})
            await send({"type": "http.response.body", "body": b"", "more_body": False})
        finally:
            if self._on_end is not None:
                await self._on_end()
