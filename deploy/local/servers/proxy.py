"""A TCP proxy whose connections can be cut, refused, delayed, stalled, or whose answers are dropped.

It runs in a thread of its own, so that its user may block.
"""

import asyncio
import threading
from collections.abc import Callable, Coroutine
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Self, cast

import uvloop

from deploy.local.ports import HOST

_PIECE = 1 << 16
_LOOK_SECONDS = 0.02
ANYBODY = "anybody"


@dataclass(slots=True, eq=False)
class Path:
    """The way of one kind of callers through a proxy; what is set holds at once, for open connections too."""

    delay: float = 0.0
    """Seconds for which each piece is held back, in either direction."""
    stalled: bool = False
    """Nothing moves, and no connection ends."""
    answers_lost: bool = False
    """What is asked arrives, what is answered does not."""
    refused: bool = False
    """A new connection is closed at once."""
    writers: set[asyncio.StreamWriter] = field(default_factory=set)

    def heal(self) -> None:
        """Let everything through."""
        self.delay, self.stalled, self.answers_lost, self.refused = 0.0, False, False, False


def anybody(_first: bytes) -> str:
    """Give all callers one path."""
    return ANYBODY


class Proxy:
    """Leads from `port` to `target`, another port of this machine.

    `caller` names the kind of a caller by the first bytes it sends; each kind has a path of its own.
    """

    def __init__(self, port: int, target: int, caller: Callable[[bytes], str] = anybody) -> None:
        self.port = port
        self.target = target
        self._caller = caller
        self._paths: dict[str, Path] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._loop = uvloop.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name=f"proxy-{port}", daemon=True)

    def path(self, caller: str = ANYBODY) -> Path:
        """Return the path of a kind of callers."""
        return self._paths.setdefault(caller, Path())

    def cut(self, caller: str = ANYBODY) -> None:
        """End all connections of a kind of callers, at once and in both directions."""
        self._loop.call_soon_threadsafe(self._cut, self.path(caller))

    def __enter__(self) -> Self:
        self._thread.start()
        self._server = self._run(asyncio.start_server(self._serve, HOST, self.port))
        return self

    def __exit__(self, *_: object) -> None:
        self._run(self._close())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def _run(self, act: Coroutine[Any, Any, Any]) -> Any:
        return asyncio.run_coroutine_threadsafe(act, self._loop).result()

    async def _close(self) -> None:
        self._server.close()
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    @staticmethod
    def _cut(path: Path) -> None:
        for writer in list(path.writers):
            writer.transport.abort()

    async def _serve(self, asking: asyncio.StreamReader, answering: asyncio.StreamWriter) -> None:
        task = cast("asyncio.Task[None]", asyncio.current_task())
        self._tasks.add(task)
        try:
            with suppress(OSError, asyncio.CancelledError):
                await self._lead(asking, answering)
        finally:
            self._tasks.discard(task)
            answering.transport.abort()

    async def _lead(self, asking: asyncio.StreamReader, answering: asyncio.StreamWriter) -> None:
        first = await asking.read(_PIECE)
        path = self.path(self._caller(first))
        if path.refused or not first:
            return
        reader, writer = await asyncio.open_connection(HOST, self.target)
        both = {answering, writer}
        path.writers |= both
        try:
            await _pass(first, writer, path)
            await _until_one_ends(_pump(asking, writer, path), _pump(reader, answering, path, answers=True))
        finally:
            path.writers -= both
            writer.transport.abort()


async def _until_one_ends(*ways: Coroutine[Any, Any, None]) -> None:
    """Pump in both directions; the end of one is the end of the other: what is cut is cut."""
    pumps = [asyncio.ensure_future(way) for way in ways]
    try:
        await asyncio.wait(pumps, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for pump in pumps:
            pump.cancel()
        await asyncio.gather(*pumps, return_exceptions=True)


async def _pump(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, path: Path, *, answers: bool = False
) -> None:
    while piece := await reader.read(_PIECE):
        if not (answers and path.answers_lost):
            await _pass(piece, writer, path)


async def _pass(piece: bytes, writer: asyncio.StreamWriter, path: Path) -> None:
    if path.delay:
        await asyncio.sleep(path.delay)
    while path.stalled:  # noqa: ASYNC110 - set from another thread
        await asyncio.sleep(_LOOK_SECONDS)
    writer.write(piece)
    await writer.drain()
