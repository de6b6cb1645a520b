"""How a peer is measured, and which runs of it are rejected."""

import os
import sys
from collections.abc import Iterable
from itertools import count
from pathlib import Path

import pytest

from benchmarks.parts.draining import Peer, Program
from deploy.local.errors import NotReadyError

WAITS = "import time; time.sleep(600)"
LONG = 60.0


class Script(Program):
    """Runs a text as Python code."""

    def command(self) -> list[str]:
        return [sys.executable, "-c", *self._arguments]


def peer(folder: Path, counted: Iterable[int], stored: int, text: str = WAITS) -> Peer:
    """Return a peer of which each poll counts the next number, and the last one `stored`."""
    polls = iter(counted)
    return Peer(Script(folder / "script", [text]), lambda: next(polls), lambda: stored)


async def test_what_came_after_the_first_poll_that_found_anything_is_measured(tmp_path: Path) -> None:
    script = peer(tmp_path, [0, 0, 2, 4, 5], stored=5)

    done = await script.drain({"server": os.getpid()}, 5, LONG)

    assert done.events == 3
    assert 0 < done.seconds < LONG
    assert done.cpu.keys() == {"server", "pipeline"}
    assert done.peak_mb > 0


async def test_a_slow_peer_is_measured_until_its_time_limit(tmp_path: Path) -> None:
    script = peer(tmp_path, count(), stored=1_000)

    done = await script.drain({}, 1_000_000, 0.2)

    assert 0 < done.events < 1_000
    assert done.seconds >= 0.2


@pytest.mark.parametrize("stored", [4, 6])
async def test_a_peer_that_stored_something_else_fails(tmp_path: Path, stored: int) -> None:
    script = peer(tmp_path, [1, 5], stored)

    with pytest.raises(AssertionError, match=f"script: {stored} events are stored, 5 were counted, of 5"):
        await script.drain({}, 5, LONG)

    assert script.server.ended() is not None


async def test_a_peer_that_ends_fails_with_the_end_of_its_log(tmp_path: Path) -> None:
    script = peer(tmp_path, count(), 1_000, text="raise SystemExit('the topics are gone')")

    with pytest.raises(NotReadyError, match="script ended with exit status 1") as failure:
        await script.drain({}, 1_000_000, LONG)

    assert "the topics are gone" in str(failure.value)


def test_the_last_number_is_that_of_the_last_complete_line_that_is_a_number(tmp_path: Path) -> None:
    script = Script(tmp_path, [])
    script.log.write_text("5000\n10000\na warning of 1 library\n150")

    assert script.last_number() == 10_000
