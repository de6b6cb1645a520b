"""The processes of a stack, known by a mark in their environment: also those whose supervisor was killed."""

import os
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import psutil

MARK = "CALLFOLD_STACK"
"""The variable that names the state folder of the stack which a process belongs to. Its children inherit it."""

PAUSE = 0.05

STOP_WITHIN = 45.0
"""Seconds that a process gets to end in order: longer than any of ours takes."""


def processes(state: Path) -> list[psutil.Process]:
    """Return the live processes of the stack in `state`, the oldest first; never this one or its ancestors."""
    us = {os.getpid(), *(parent.pid for parent in psutil.Process().parents())}
    found = [process for process in _marked(str(state)) if process.pid not in us]
    return sorted(found, key=lambda process: process.create_time())


def supervisor(state: Path) -> psutil.Process | None:
    """Return the supervisor of the stack in `state`, None if it does not run."""
    return next((process for process in processes(state) if _is_supervisor(process)), None)


def end(process: psutil.Process) -> None:
    """Let a process end in order, at once after a while, and see it gone."""
    with suppress(psutil.NoSuchProcess):
        process.terminate()
        if not wait_for_end(process.pid, STOP_WITHIN):
            process.kill()
            wait_for_end(process.pid, STOP_WITHIN)


def wait_for_end(pid: int, timeout: float) -> bool:
    """Say whether a process ended within `timeout` seconds."""
    # Not psutil's `wait`, which also waits for the parent to take notice: an init may take seconds over an orphan.
    deadline = time.monotonic() + timeout
    while not (gone := is_gone(pid)) and time.monotonic() < deadline:
        time.sleep(PAUSE)
    return gone


def is_gone(pid: int) -> bool:
    """Say whether a process has ended, whether or not its parent took notice."""
    try:
        return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


def _marked(state: str) -> Iterator[psutil.Process]:
    for process in psutil.process_iter():
        try:
            if process.environ().get(MARK) == state:
                yield process
        except (psutil.Error, OSError):  # ended meanwhile, or another user's
            continue


def _is_supervisor(process: psutil.Process) -> bool:
    try:
        return "supervisor.supervisord" in process.cmdline()
    except psutil.Error:
        return False
