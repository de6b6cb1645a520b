"""The answer that carries a large record: sent piece by piece, so that the record is not copied for each reader."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Mapping

from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from shared.logs import logger

_PIECE_BYTES = 256 * 1024
_STALLED_SECONDS = 30.0
"""A reader who takes no piece for so long is cut off: the place is wanted by others."""

log = logger(__name__)


class LargeAnswer(Response):
    """Sends `parts` one after another, and says so by `sent` when nothing more will be sent."""

    def __init__(
        self, parts: tuple[bytes, ...], headers: Mapping[str, str], sent: Callable[[], Awaitable[None]]
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
            for piece in self._pieces():
                async with asyncio.timeout(_STALLED_SECONDS):
                    await send({"type": "http.response.body", "body": piece, "more_body": True})
            await send({"type": "http.response.body", "body": b"", "more_body": False})
        except TimeoutError:
            log.warning("reader_stalled", request_id=scope["state"]["request_id"])
        finally:
            await self._sent()

    def _pieces(self) -> Iterator[bytes]:
        for part in self._parts:
            for start in range(0, len(part), _PIECE_BYTES):
                yield part[start : start + _PIECE_BYTES]
