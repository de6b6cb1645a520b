"""The answer that carries a large record: sent in parts, so that nobody has to put it together."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence

from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from shared.process.logs import logger

_STALLED_SECONDS = 30.0
"""A reader who takes no part for so long is cut off: the place is wanted by others."""

log = logger(__name__)


class LargeAnswer(Response):
    """Sends `parts` one after another, and says so by `sent` when nothing more will be sent."""

    def __init__(
        self, parts: Sequence[bytes], headers: Mapping[str, str], sent: Callable[[], Awaitable[None]] | None = None
    ) -> None:
        length = {"Content-Length": str(sum(map(len, parts)))}
        super().__init__(headers={**headers, **length}, media_type="application/json")
        self._parts = parts
        self._sent = sent

    async def __call__(self, scope: Scope, _receive: Receive, send: Send) -> None:
        """Answer."""
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
            if self._sent is not None:
                await self._sent()
