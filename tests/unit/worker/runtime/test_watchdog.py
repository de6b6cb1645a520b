"""When a process that hangs must end."""

import asyncio
import subprocess
import sys
import time

import pytest

from services.worker.runtime.watchdog import EXIT_HUNG, Watchdog
from tests.support.eventually import scaled

GRACE, BLOCKED = 30.0, 120.0


class Process:
    """A process whose stop the test controls."""

    def __init__(self) -> None:
        self.stops = False
        self.watchdog = Watchdog(lambda: self.stops, grace_seconds=GRACE, blocked_seconds=BLOCKED)

    async def turn(self) -> float:
        """Let the event loop feed the watchdog; return when that was."""
        feeding = asyncio.ensure_future(self.watchdog.feed())
        await asyncio.sleep(0)
        feeding.cancel()
        return time.monotonic()


@pytest.fixture
def process() -> Process:
    return Process()


async def test_a_process_whose_event_loop_runs_does_not_end(process: Process) -> None:
    turned = await process.turn()

    assert process.watchdog.verdict(turned + BLOCKED - 1) is None


async def test_a_process_whose_event_loop_is_blocked_ends(process: Process) -> None:
    turned = await process.turn()

    assert process.watchdog.verdict(turned + BLOCKED + 1) == "its event loop is blocked"


async def test_an_event_loop_that_runs_again_in_time_is_not_blocked(process: Process) -> None:
    turned = await process.turn()
    process.watchdog.verdict(turned + BLOCKED - 1)

    turned = await process.turn()

    assert process.watchdog.verdict(turned + BLOCKED - 1) is None


def test_a_process_that_still_joins_its_group_does_not_end(process: Process) -> None:
    assert process.watchdog.verdict(time.monotonic() + 10 * BLOCKED) is None


def test_the_grace_period_starts_when_the_process_begins_to_stop(process: Process) -> None:
    now = time.monotonic()
    process.watchdog.verdict(now)
    process.stops = True

    verdicts = [process.watchdog.verdict(now + after) for after in (1_000, 1_000 + GRACE, 1_001 + GRACE)]

    assert verdicts == [None, None, "its stop takes too long"]


def test_a_process_that_must_end_ends_whatever_its_event_loop_does() -> None:
    code = (
        "import time\n"
        "from services.worker.runtime import watchdog\n"
        "dog = watchdog.Watchdog(lambda: True, grace_seconds=0.1, blocked_seconds=100)\n"
        "dog.start()\n"
        "try:\n"
        "    time.sleep(600)\n"
        "finally:\n"
        "    print('a finalizer ran')\n"
    )

    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, check=False, timeout=scaled(60))

    assert ended.returncode == EXIT_HUNG
    assert b"a finalizer ran" not in ended.stdout
