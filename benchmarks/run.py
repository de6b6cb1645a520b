"""One run of the benchmark: part after part on real servers, and nothing left behind."""

import time
import traceback
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Protocol

import psutil

from benchmarks.machine import describe
from benchmarks.pace import Pace
from benchmarks.plan import Plan
from benchmarks.samples import Run, Samples
from benchmarks.saying import LEFT, say
from benchmarks.stage import Stage, stage

_ENDS_WITHIN = 10.0


class Part(Protocol):
    """A module that measures one part."""

    NAME: str

    def measure(self, stage: Stage, samples: Samples, plan: Plan) -> Awaitable[None]:
        """Add what each round measures."""


async def run(
    parts: Sequence[Part],
    plan: Plan,
    samples: Samples,
    pace: Pace,
    servers: Callable[[], AbstractAsyncContextManager[Stage]] = stage,
) -> None:
    """Measure the parts; where one fails, `samples.runs` says so, and the others are measured all the same."""
    LEFT.set(pace.left)
    waiting = list(parts)
    while waiting:
        async with servers() as running:
            whole = True
            # What a part that failed did to its servers is not known: the others get new ones.
            while waiting and whole:
                part = waiting.pop(0)
                pace.begin(part.NAME)
                whole = await _measured(part, running, samples, plan)


async def _measured(part: Part, servers: Stage, samples: Samples, plan: Plan) -> bool:
    """Measure one part; return whether it is whole."""
    machine = describe(servers.client.server_info()["version"])
    say(f"{part.NAME} begins")
    began, failed = time.monotonic(), "it was interrupted"
    try:
        await part.measure(servers, samples, plan)
        failed = ""
    except Exception as error:  # noqa: BLE001 - a part may fail in any way; what the others measure still counts
        failed = f"{type(error).__name__}: {error}".splitlines()[0]
        traceback.print_exc()
    finally:
        samples.runs[part.NAME] = Run(plan.rounds, plan.quick, time.monotonic() - began, machine, failed)
    say(f"{part.NAME} failed: {failed}" if failed else f"{part.NAME} is done")
    return not failed


def end_children() -> list[str]:
    """End what is still running of what was started here, and return its names: nothing, if all went well."""
    left = psutil.Process().children(recursive=True)
    names = [each.name() for each in left]
    for each in left:
        each.terminate()
    _, stubborn = psutil.wait_procs(left, _ENDS_WITHIN)
    for each in stubborn:
        each.kill()
    return names
