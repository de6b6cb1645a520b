"""The processes of a stack, found by a variable in their environment, even if their supervisor was killed."""

import os
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import psutil

VARIABLE = "CALLFOLD_STACK"
"""The variable with the state folder of the process's stack. Child processes inherit it."""

PAUSE = 0.05

STOP_WITHIN = 45.0
"""Seconds for a clean stop: longer than any service takes."""


def processes(state: Path) -> list[psutil.Process]:
    """Return the live processes of the stack in `state`, the oldest first; never this one or its ancestors."""
    us = {os.getpid(), *(parent.pid for parent in psutil.Process().parents())}
    found = [process for process in _of_stack(str(state)) if process.pid not in us]
    return sorted(found, key=lambda process: process.create_time())


def supervisor(state: Path) -> psutil.Process | None:
    """Return the supervisor of the stack in `state`, None if it does not run."""
    return next((process for process in processes(state) if _is_supervisor(process)), None)


def end(process: psutil.Process) -> None:
    """Stop a process, by SIGKILL if it takes too long; return when it has ended."""
    with suppress(psutil.NoSuchProcess):
        process.terminate()
        if not wait_for_end(process.pid, STOP_WITHIN):
            process.kill()
            wait_for_end(process.pid, STOP_WITHIN)


def wait_for_end(pid: int, timeout: float) -> bool:
    """Return whether a process ends within `timeout` seconds."""
    # Not psutil's `wait`, which waits until the parent has reaped the process: init may take seconds for an orphan.
    deadline = time.monotonic() + timeout
    while not (gone := is_gone(pid)) and time.monotonic() < deadline:
        time.sleep(PAUSE)
    return gone


def is_gone(pid: int) -> bool:
    """Return whether a process has ended, reaped or not."""
    try:
        process = psutil.Process(pid)
        # The first thread may end before the others, which still hold the ports.
        return process.status() == psutil.STATUS_ZOMBIE and process.num_threads() <= 1
    except psutil.NoSuchProcess:
        return True


def _of_stack(state: str) -> Iterator[psutil.Process]:
    for process in psutil.process_iter():
        try:
            if process.environ().get(VARIABLE) == state:
                yield process
        except (psutil.Error, OSError):  # ended meanwhile, or another user's
            continue


def _is_supervisor(process: psutil.Process) -> bool:
    try:
        return "supervisor.supervisord" in process.cmdline()
    except psutil.Error:
        return False
