"""First events of new topics, which arrive during the group's first rebalances."""

import asyncio
import random

from shared.contract.topics import Topics
from tests.faults.harness.stage import Stage
from tests.faults.harness.workers import becomes_ready
from tests.faults.load.calls import a_call
from tests.support.events.makers import Json
from tests.support.eventually import eventually
from tests.support.servers.kafka import lag, publish

_CALLS = 5
_READY_WITHIN = 40.0
_TAKEN_WITHIN = 90.0


async def fresh_topics(stage: Stage, rng: random.Random) -> bool:
    """Let a new group of two workers join on new topics while events arrive."""
    name = f"fresh-{rng.getrandbits(40):x}"
    topics, calls = (
        Topics(f"{stage.topics.prefix}-{name}"),
        [a_call(f"{name}-{number}", rng) for number in range(_CALLS)],
    )
    first, second = stage.worker(topics), stage.worker(topics)
    try:
        first.start()
        await becomes_ready(first, _READY_WITHIN)
        second.start()
        for call in calls:
            await _accepted(stage, topics, [*call.events, *call.late])
            await asyncio.sleep(0.5)
        await eventually(lambda: _nothing_left(stage, topics), _TAKEN_WITHIN)
    finally:
        for worker in (first, second):
            await stage.crew.leave(worker)
    return True


async def _accepted(stage: Stage, topics: Topics, events: list[Json]) -> None:
    stage.produced += events
    await publish(stage.kafka.address, topics, events)


async def _nothing_left(stage: Stage, topics: Topics) -> bool:
    return await lag(stage.kafka.address, topics.prefix, topics) == 0
