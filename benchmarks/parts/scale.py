"""The part `scale`: a backlog drained by 1, 2 and 4 workers, and for how long nothing is written in a rebalance.

Rebalances happen under a steady load with the worker's default times; only the worker that is killed has the shortest
session that is allowed: with the default session it would be missed that much later.
"""

import asyncio
import threading
import time
from collections import defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from itertools import chain, pairwise
from typing import Any, Self

from benchmarks.load.calls import Message, Workload
from benchmarks.parts.callfold import Group, all_right
from benchmarks.parts.draining import Drained
from benchmarks.samples import Samples
from benchmarks.stage import CpuTime, Documents, Plan, Stage, producer, publish, settle, until
from shared.contract.topics import Topics

NAME = "scale"
MOST_ROUNDS = 1
OURS = "callfold"

_WORKERS, _PARTITIONS = (1, 2, 4), (12, 48)
_WORKLOAD = Workload(100, 1_000)
_STEADY = Workload(100, 300)
_EVENTS_PER_SECOND = 2_000
_SESSION_SECONDS = 6
_AFTER_SECONDS = 2.0
_QUIET_SECONDS = 5.0
_TICK_SECONDS = 0.01


async def measure(stage: Stage, samples: Samples, plan: Plan) -> None:
    if plan.quick:
        return
    for number in range(plan.rounds):
        for partitions in _PARTITIONS:
            async with Group.of(stage, partitions) as group:
                for size in _WORKERS:
                    await group.join(size - len(group.members))
                    case = f"{size} worker{'s' * (size > 1)}, {partitions} partitions"
                    samples.add(NAME, case, OURS, number, **_throughput(await group.drain(_WORKLOAD)))
        async for case, measured in _rebalances(stage):
            samples.add(NAME, case, OURS, number, **measured)


def _throughput(done: Drained) -> dict[str, float]:
    return {
        "events_per_second": done.events / done.seconds,
        "events_per_cpu_second": done.events / done.own_cpu,
        "events_per_cpu_second_with_servers": done.events / sum(done.cpu.values()),
    }


async def _rebalances(stage: Stage) -> AsyncIterator[tuple[str, dict[str, float]]]:
    """Yield each kind of rebalance, and for how long one partition, and all of them, made no progress.

    Raises:
        AssertionError: at the end a record differs from the reference implementation's.
    """
    async with Group.of(stage, _PARTITIONS[0]) as group:
        await group.join()
        await settle()
        with Watching(group.database, group.topics.transcription) as watching:
            async with SteadyLoad(stage, group.topics) as load:
                await until(lambda: watching.partitions() == group.partitions, within=60.0)
                await asyncio.sleep(_AFTER_SECONDS)
                yield "no rebalance", await _without_progress(watching, lambda: asyncio.sleep(_QUIET_SECONDS))
                yield "a worker joins", await _without_progress(watching, group.join)
                yield "a worker leaves", await _without_progress(watching, lambda: _leave(group))
                await group.join(session_seconds=_SESSION_SECONDS)
                case = f"a worker is killed, session of {_SESSION_SECONDS} s"
                yield case, await _without_progress(watching, lambda: _kill(group))
        published = Workload(_STEADY.events, load.calls)
        await all_right(stage, group.database, published, CpuTime())


async def _without_progress(watching: "Watching", act: Callable[[], Awaitable[None]]) -> dict[str, float]:
    began = time.monotonic()
    await act()
    await asyncio.sleep(_AFTER_SECONDS)
    return watching.without_progress(began, time.monotonic())


async def _leave(group: Group) -> None:
    """Stop the oldest worker, as a rollout does."""
    await asyncio.to_thread(group.members.pop(0).stop)
    await group.stable()


async def _kill(group: Group) -> None:
    group.members.pop().kill()
    await group.stable()


class SteadyLoad:
    """Publishes at a steady rate while it is entered; then the rest of the calls that have begun, at once."""

    def __init__(self, stage: Stage, topics: Topics) -> None:
        self.calls = 0
        self._bootstrap = stage.kafka.address
        self._topics = topics
        self._messages: Iterator[Message] = iter(())

    async def __aenter__(self) -> Self:
        self._task = asyncio.create_task(self._publish())
        return self

    async def __aexit__(self, *_: object) -> None:
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)
        await asyncio.to_thread(publish, self._bootstrap, self._messages)

    async def _publish(self) -> None:
        sender = producer(self._bootstrap, 5)
        began, sent = time.monotonic(), 0
        try:
            while True:
                while sent < (time.monotonic() - began) * _EVENTS_PER_SECOND:
                    topic, key, value = self._next()
                    sender.produce(topic, value, key)
                    sent += 1
                sender.poll(0)
                await asyncio.sleep(_TICK_SECONDS)
        finally:
            sender.flush()

    def _next(self) -> Message:
        if (message := next(self._messages, None)) is not None:
            return message
        self._messages = _STEADY.messages(self._topics, self.calls)
        self.calls += _STEADY.calls
        return next(self._messages)


class Watching:
    """Watches when events appear in the log, partition by partition, by a change stream, while it is entered."""

    def __init__(self, database: Documents, topic: str) -> None:
        self._database = database
        self._topic = topic
        self._seen: defaultdict[int, list[float]] = defaultdict(list)
        self._ends = threading.Event()
        self._thread = threading.Thread(target=self._watch)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ends.set()
        self._thread.join()

    def partitions(self) -> int:
        return len(self._seen)

    def without_progress(self, since: float, until: float) -> dict[str, float]:
        """Return the longest pauses between two moments (`time.monotonic()`): of one partition, and of all."""
        seen = list(self._seen.values())
        return {
            "seconds_without_progress": max(_longest(sorted(each), since, until) for each in seen),
            "seconds_without_any": _longest(sorted(chain.from_iterable(seen)), since, until),
        }

    def _watch(self) -> None:
        inserts: list[dict[str, Any]] = [{"$match": {"operationType": "insert"}}, {"$project": {"documentKey": 1}}]
        with self._database.call_events.watch(inserts, max_await_time_ms=100) as stream:
            while not self._ends.is_set():
                change = stream.try_next()
                if change is not None:
                    _, _, topic, partition, _ = change["documentKey"]["_id"].split("/")
                    if topic == self._topic:
                        self._seen[int(partition)].append(time.monotonic())


def _longest(seen: list[float], since: float, until: float) -> float:
    """Return the longest pause of which a part lies between the two moments."""
    return max((after - before for before, after in pairwise([*seen, until]) if after > since), default=0.0)
