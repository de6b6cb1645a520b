"""For how long nothing is written when a worker joins, leaves or is killed, under a steady load.

The times are the worker's defaults; but the one that is killed has the shortest session that is allowed, so as not to
wait for longer: with the default of 30 s it is missed 24 s later.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable

from benchmarks.ingest.callfold import all_final, are_right
from benchmarks.scale.steady import SteadyLoad
from benchmarks.scale.watching import Watching
from benchmarks.stage import Stage, settle
from benchmarks.standing import Crew

EVENTS_PER_SECOND = 2_000

_PARTITIONS = 12
_KILLED_SESSION_SECONDS = 6
_AFTER_SECONDS = 2.0
_QUIET_SECONDS = 5.0


async def rebalances(stage: Stage) -> AsyncIterator[tuple[str, dict[str, float]]]:
    """Yield each kind of rebalance, and how long a partition stood still, and how long all did.

    Raises:
        AssertionError: in the end a record differs from the reference fold.
    """
    async with Crew.of(stage, _PARTITIONS) as crew:
        await crew.join()
        await settle()
        with Watching(crew.database, crew.topics.transcription) as watching:
            async with SteadyLoad(stage, crew.topics, EVENTS_PER_SECOND) as load:
                while watching.partitions() < _PARTITIONS:  # noqa: ASYNC110 - another process writes it
                    await asyncio.sleep(0.1)
                await asyncio.sleep(_AFTER_SECONDS)
                yield "no rebalance", await _stood(watching, lambda: asyncio.sleep(_QUIET_SECONDS))
                yield "a worker joins", await _stood(watching, crew.join)
                yield "a worker leaves", await _stood(watching, lambda: _leave(crew))
                await crew.join(session_seconds=_KILLED_SESSION_SECONDS)
                name = f"a worker is killed, session of {_KILLED_SESSION_SECONDS} s"
                yield name, await _stood(watching, lambda: _kill(crew))
        await all_final(crew.database, sum(workload.calls for workload, _ in load.rounds()))
        for workload, first in load.rounds():
            assert await are_right(stage, crew.database, workload, first)


async def _stood(watching: Watching, act: Callable[[], Awaitable[None]]) -> dict[str, float]:
    began = time.monotonic()
    await act()
    await asyncio.sleep(_AFTER_SECONDS)
    ended = time.monotonic()
    return {
        "seconds_without_progress": watching.longest_of_one(began, ended),
        "seconds_without_any": watching.longest_of_all(began, ended),
    }


async def _leave(crew: Crew) -> None:
    """Have the worker leave that has been there longest, as in a rollout."""
    oldest = crew.members.pop(0)
    await asyncio.to_thread(oldest.stop)
    await crew.settled()


async def _kill(crew: Crew) -> None:
    crew.members.pop().kill()
    await crew.settled()
