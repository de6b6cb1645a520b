"""One process of the pool, seen from the program that starts it, and the messages between the two.

A message travels as two lengths, the pickled message, and the bytes attached to it, which can be large and are not
pickled. Pickle is safe here, because only the two ends of the pipe, both processes of one program, can write to it.
"""

import asyncio
import contextlib
import pickle
import signal
import struct
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, BinaryIO, Literal, Self

from shared.calls.large_calls import Answer, PoolUnavailable, ProcessEnded
from shared.calls.views import View
from shared.fold.prices import PriceBook
from shared.store.models import Lease
from shared.store.mongo.factory import StoreFactory

_LENGTHS = struct.Struct(">QQ")
_PART_BYTES = 256 * 1024
_READ_AHEAD = 1024 * 1024
_START_SECONDS = 60.0

Message = tuple[Any, Sequence[bytes]]
"""What is pickled, and the bytes attached to it, in parts."""


@dataclass(frozen=True, slots=True)
class Setup:
    """The first message to a process."""

    open_store: StoreFactory
    book: PriceBook
    memory_mb: int
    log_level: str
    log_format: Literal["json", "console"]


@dataclass(frozen=True, slots=True)
class Query:
    """Asks for a view of a call."""

    call: str
    view: View


@dataclass(frozen=True, slots=True)
class Question:
    """Asks for what `answer` returns for a call: a function that the process can import."""

    call: str
    answer: Answer


@dataclass(frozen=True, slots=True)
class Ready:
    """The first message from a process, and its answer to the same message: it can fold."""


def pack(message: object, attached: Sequence[bytes] = ()) -> Sequence[bytes]:
    """Return the bytes to be sent, in parts."""
    pickled = pickle.dumps(message)
    return (_LENGTHS.pack(len(pickled), sum(map(len, attached))), pickled, *attached)


def read(pipe: BinaryIO) -> Message | None:
    """Return the next message, None at the end of the pipe."""
    lengths = pipe.read(_LENGTHS.size)
    if len(lengths) < _LENGTHS.size:
        return None
    size, more = _LENGTHS.unpack(lengths)
    pickled, attached = pipe.read(size), pipe.read(more)
    cut_off = len(pickled) + len(attached) < size + more
    return None if cut_off else (pickle.loads(pickled), (attached,))  # noqa: S301 - see above


async def _receive(stream: asyncio.StreamReader) -> Message:
    """Return the next message.

    Raises:
        asyncio.IncompleteReadError: the other end is closed.
    """
    size, more = _LENGTHS.unpack(await stream.readexactly(_LENGTHS.size))
    message = pickle.loads(await stream.readexactly(size))  # noqa: S301 - see above
    parts = []
    while more:
        parts.append(await stream.readexactly(min(more, _PART_BYTES)))
        more -= len(parts[-1])
    return message, parts


class FoldProcess:
    """A process that has started and can fold."""

    def __init__(self, process: Process) -> None:
        self._process = process

    @classmethod
    async def start(cls, setup: Setup) -> Self:
        """Return a process that is ready.

        Raises:
            PoolUnavailable: no process can be started.
        """
        try:
            # In a session of its own: Ctrl-C and other signals to the whole group reach the program alone, which then
            # ends the process. With a main module of its own, unlike `multiprocessing`, which imports the program's.
            process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", "shared.fold_pool.child"),
                stdin=PIPE,
                stdout=PIPE,
                limit=_READ_AHEAD,
                start_new_session=True,
            )
        except OSError as error:
            raise PoolUnavailable(f"no process can be started: {error.strerror}") from error
        started = cls(process)
        try:
            async with asyncio.timeout(_START_SECONDS):
                await started.ask(setup)
        except (ProcessEnded, TimeoutError) as error:
            await started.end()
            hint = f"CALLFOLD_POOL_MEMORY_MB={setup.memory_mb} may be too low"
            raise PoolUnavailable(f"a process of the pool does not start: {error or 'it hangs'}; {hint}") from error
        except BaseException:
            started.kill()
            raise
        return started

    async def answers(self) -> bool:
        """Return whether an idle process is still alive."""
        try:
            async with asyncio.timeout(_START_SECONDS):
                await self.ask(Ready())
        except (ProcessEnded, TimeoutError):
            return False
        return True

    async def ask(self, message: Lease | Query | Question | Ready | Setup) -> Message:
        """Return the answer to a message; only one may be asked at a time.

        Raises:
            ProcessEnded: the process ended before it answered.
        """
        try:
            self._stdin.writelines(pack(message))
            await self._stdin.drain()
            return await _receive(self._stdout)
        except (asyncio.IncompleteReadError, ConnectionError) as error:
            raise ProcessEnded(_how(await self._process.wait())) from error

    def kill(self) -> None:
        with contextlib.suppress(ProcessLookupError):
            self._process.kill()

    async def end(self) -> None:
        """Kill the process, and return when it and its pipes are gone."""
        self.kill()
        self._stdin.close()
        await self._stdout.read()
        await self._process.wait()

    @property
    def _stdin(self) -> asyncio.StreamWriter:
        assert self._process.stdin is not None  # noqa: S101 - it was started with a pipe
        return self._process.stdin

    @property
    def _stdout(self) -> asyncio.StreamReader:
        assert self._process.stdout is not None  # noqa: S101 - the same
        return self._process.stdout


def _how(status: int) -> str:
    return f"{signal.Signals(-status).name} ended its process" if status < 0 else f"its process ended with {status}"
