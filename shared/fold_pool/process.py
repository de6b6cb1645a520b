"""One process of the pool, as the program sees it that started it."""

import asyncio
import contextlib
import signal
import sys
from asyncio.subprocess import PIPE, Process
from typing import Self

from shared.calls.large_calls import PoolUnavailable, ProcessEnded
from shared.fold_pool.frames import Frame, Ready, Setup, pack, receive
from shared.store.models import Lease

_START_SECONDS = 60.0
_READ_AHEAD = 1024 * 1024


class FoldProcess:
    """A process that has started and can fold."""

    def __init__(self, process: Process) -> None:
        self._process = process

    @classmethod
    async def start(cls, setup: Setup) -> Self:
        """Return a process that is ready.

        Raises:
            PoolUnavailable: there is none to be had.
        """
        try:
            # In a session of its own: Ctrl-C and what else goes to a whole group are for the program, which then ends
            # it. By a program of its own, not by `multiprocessing`, which would import the program's entry again.
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
                await started._exchange(setup)
        except (ProcessEnded, TimeoutError) as error:
            await started.end()
            hint = f"CALLFOLD_POOL_MEMORY_MB={setup.memory_mb} may be too low"
            raise PoolUnavailable(f"a process of the pool does not start: {error or 'it hangs'}; {hint}") from error
        except BaseException:
            started.kill()
            raise
        return started

    async def answers(self) -> bool:
        """Tell whether the process is still there, after it had nothing to do."""
        try:
            async with asyncio.timeout(_START_SECONDS):
                await self._exchange(Ready())
        except (ProcessEnded, TimeoutError):
            return False
        return True

    async def ask(self, job: Lease | str) -> Frame:
        """Return the answer; only one may be asked for at a time.

        Raises:
            ProcessEnded: there will be none.
        """
        return await self._exchange(job)

    def kill(self) -> None:
        """End the process at once."""
        with contextlib.suppress(ProcessLookupError):
            self._process.kill()

    async def end(self) -> None:
        """End the process at once, and return when nothing is left of it."""
        self.kill()
        self._stdin.close()
        await self._stdout.read()
        await self._process.wait()

    async def _exchange(self, message: object) -> Frame:
        try:
            self._stdin.writelines(pack(message))
            await self._stdin.drain()
            return await receive(self._stdout)
        except (asyncio.IncompleteReadError, ConnectionError) as error:
            raise ProcessEnded(_how(await self._process.wait())) from error

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
