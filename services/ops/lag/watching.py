"""Runs the live view until a key, or a signal, ends it."""

import asyncio
import os
import signal
import sys
import termios
import time
import tty
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from rich.console import Console
from rich.live import Live

from services.ops.errors import USAGE, CommandError
from services.ops.lag.live import View
from services.ops.lag.sources import Reader, reader
from services.ops.lag.taking import EVERY_SECONDS
from services.ops.program import Program
from services.ops.settings import OpsSettings
from shared.lag.history import History
from shared.lag.judge import judge

_QUIT = frozenset(b"qQ")
_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


async def watch(program: Program, settings: OpsSettings) -> None:
    """Show the lag each second until `q` is typed.

    Raises:
        CommandError: standard input or output is no terminal.
    """
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise CommandError("--watch needs a terminal; use --json in scripts", USAGE)
    async with reader(program, settings) as opened:
        with _ended() as ended:
            following = asyncio.create_task(_follow(opened, settings.group))
            await asyncio.wait([following, asyncio.create_task(ended.wait())], return_when=asyncio.FIRST_COMPLETED)
            following.cancel()
            with suppress(asyncio.CancelledError):
                await following


async def _follow(opened: Reader, group: str) -> None:
    history, view = History(), View()
    with Live(view, console=Console(highlight=False), screen=True, auto_refresh=False, redirect_stderr=False) as live:
        live.refresh()
        while True:
            due = time.monotonic() + EVERY_SECONDS
            history.add(await opened.read())
            view.show(judge(group, history))
            live.refresh()
            await asyncio.sleep(max(due - time.monotonic(), 0))


@contextmanager
def _ended() -> Iterator[asyncio.Event]:
    """Return what is set at the key `q` or at a signal; each key is read as it is typed, and none is shown."""
    ended, loop, keyboard = asyncio.Event(), asyncio.get_running_loop(), sys.stdin.fileno()

    def typed() -> None:
        keys = os.read(keyboard, 64)
        if not keys or _QUIT.intersection(keys):  # none: the terminal is gone
            ended.set()

    before = termios.tcgetattr(keyboard)
    try:
        tty.setcbreak(keyboard)
        loop.add_reader(keyboard, typed)
        for number in _SIGNALS:
            loop.add_signal_handler(number, ended.set)
        yield ended
    finally:
        for number in _SIGNALS:
            loop.remove_signal_handler(number)
        loop.remove_reader(keyboard)
        with suppress(termios.error):
            termios.tcsetattr(keyboard, termios.TCSADRAIN, before)
