"""Drains a backlog of ordinary calls with one worker, and prints the time and the memory that it took.

The exit status is 1 if the worker used more than `--most` MiB; a wrong record ends the program with an error.
"""

import random
import time
from argparse import Namespace
from functools import cached_property

from benchmarks.load.calls import CALL, ORGANIZATION, Workload
from benchmarks.parts.callfold import all_final, all_right, worker
from benchmarks.stage import CpuTime, Stage, peak_megabytes, run_program
from tests.support.events.makers import Json
from tests.support.events.workload import conversation
from tests.support.servers.kafka import lag

_TURNS, _EVENTS_A_CALL = 45, 95
_PARTITIONS = 12


class ShortTurns(Workload):
    """Calls whose turns have no words with times."""

    @cached_property
    def templates(self) -> list[list[Json]]:
        made = conversation(CALL, random.Random(1), _TURNS)
        return [[body | {"organizationid": ORGANIZATION} for body in made]]


async def drain(stage: Stage, chosen: Namespace) -> int:
    workload = ShortTurns(_EVENTS_A_CALL, chosen.events // _EVENTS_A_CALL, at_once=500)
    topics = await stage.published(workload, _PARTITIONS)
    with stage.database("backlog") as database:
        began = time.monotonic()
        with worker(stage, topics, database.name, _PARTITIONS) as running:
            await all_final(database, workload.calls)
            seconds = time.monotonic() - began
            await all_right(stage, database, workload, CpuTime())
            peak = peak_megabytes(running.pid)
            left = await lag(stage.kafka.address, database.name, topics)
    print(f"{workload.total} events in {seconds:.0f} s, {workload.total / seconds:.0f}/s; every record is right")  # noqa: T201
    print(f"peak resident memory of the worker {peak:.0f} MiB; {left} records not committed")  # noqa: T201
    return int(peak > chosen.most)


if __name__ == "__main__":
    run_program(drain, __doc__, events=(1_000_000, "in calls of about 95"), most=(400, "MiB that the worker may use"))
