"""The part `long`: what an event costs by the length of its call.

From a backlog, few long calls are drained as fast as they can be read: thousands of events of a call at once. In the
cases "going on" ten calls each bring a burst of six events, and the next burst when that is stored; the events before
are put into the database without the pipeline. There one growing document costs most.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass

import orjson

from benchmarks.load.calls import BURST, Message, Workload
from benchmarks.parts.callfold import Group, publish_to_stopped
from benchmarks.parts.draining import Drained, Program
from benchmarks.samples import Samples
from benchmarks.stage import CpuTime, Documents, Plan, Stage, peak_megabytes, producer, settle, until
from shared.contract.topics import Topics
from shared.kafka.partitioner import partition_of
from shared.process.clock import now_ms
from shared.store.ids import documents
from shared.store.models import CallUpdate, SourcePartition
from shared.store.mongo.calls import MongoStore
from tests.support.store.makers import logged
from tests.support.worker.process import CONTENT_KEY

NAME = "long"
MOST_ROUNDS = 1
OURS, PUSH = "callfold", "$push onto one document"

_EVENTS, _QUICK_EVENTS = 100_000, 30_000
_SIZES, _QUICK_SIZES = (100, 1_000, 10_000, 50_000), (100, 10_000)
_PUSHED_SIZES = _SIZES[:3]  # a document has no room for more, as the backlog shows
_PARTITIONS = 12
_WARM_UP = Workload(5_000, 1)  # large enough for the pool, so that its process is started
_LONGEST_PUSH_SECONDS = 60.0
_CALLS, _BURSTS, _LONGEST_SECONDS = 10, 30, 10.0
_POLL_SECONDS = 0.002
_PROGRAM_POLL_SECONDS = 0.05
_LARGEST = [{"$group": {"_id": None, "events": {"$max": {"$size": "$events"}}}}]


async def measure(stage: Stage, samples: Samples, plan: Plan) -> None:
    total, sizes = (_QUICK_EVENTS, _QUICK_SIZES) if plan.quick else (_EVENTS, _SIZES)
    async with Group.of(stage, _PARTITIONS) as group:
        await group.join()
        await group.drain(_WARM_UP)
        for number in range(plan.rounds):
            for size in sizes:
                workload, case = Workload(size, total // size), f"{size:,} events"
                samples.add(NAME, case, OURS, number, **_costs(await group.drain(workload)))
                async with _pushing(stage) as pushing:
                    samples.add(NAME, case, PUSH, number, **await _push_backlog(stage, pushing, workload))
            for size in () if plan.quick else _SIZES:
                live = _costs(await _fold_live(stage, group, size))
                samples.add(NAME, f"{size:,} events, going on", OURS, number, **live)
            for size in () if plan.quick else _PUSHED_SIZES:
                async with _pushing(stage) as pushing:
                    live = _costs(await _push_live(stage, pushing, size))
                    samples.add(NAME, f"{size:,} events, going on", PUSH, number, **live)


def _costs(done: Drained) -> dict[str, float]:
    """Return an event's costs: CPU of the consumer, of its pool and of mongod, but not the broker's."""
    cpu = sum(seconds for name, seconds in done.cpu.items() if name != "kafka")
    return {
        "cpu_us_per_event": 1e6 * cpu / done.events,
        "mongod_cpu_us_per_event": 1e6 * done.cpu["mongod"] / done.events,
        "us_per_event": 1e6 * done.seconds / done.events,
    }


@dataclass(frozen=True)
class Pushing:
    """The running program `benchmarks.peers.push`, with its partitions."""

    program: Program
    topics: Topics
    database: Documents


@asynccontextmanager
async def _pushing(stage: Stage) -> AsyncIterator[Pushing]:
    topics = await stage.topics(_PARTITIONS)
    with stage.database("push") as database:
        arguments = [stage.kafka.address, stage.mongo.uri, database.name, *topics.inputs]
        program = Program(stage.folder / database.name, ["-m", "benchmarks.peers.push", *arguments])
        program.prepare()
        program.start()
        try:
            await until(lambda: program.wrote("ready"), within=30.0)
            yield Pushing(program, topics, database)
        finally:
            program.kill()


async def _push_backlog(stage: Stage, pushing: Pushing, workload: Workload) -> dict[str, float]:
    """Return the costs of what was stored: everything, or until a document is full or the time is over."""
    program = pushing.program
    await settle()
    used = CpuTime(pipeline=program.pid, **stage.pids())
    began = await publish_to_stopped(stage, [program.pid], workload, pushing.topics, 0)
    cpu = used.seconds()
    while program.last_number() < workload.total and time.time() - began < _LONGEST_PUSH_SECONDS:
        if program.wrote("failed"):
            (found,) = pushing.database.calls.aggregate(_LARGEST)
            return {"failed_at_events": found["events"]}
        await asyncio.sleep(_PROGRAM_POLL_SECONDS)
        if program.ended() is None:
            cpu = used.seconds()
    return _costs(Drained(program.last_number(), time.time() - began, cpu, peak_megabytes(program.pid)))


def _calls(topics: Topics, size: int, first: int) -> tuple[Workload, dict[str, list[Message]]]:
    """Return calls that have `size` events before those that are measured, and do not end with them."""
    workload = Workload(size + 2 * BURST * _BURSTS, _CALLS)
    return workload, {workload.key(number): workload.call(number, topics) for number in range(first, first + _CALLS)}


async def _fold_live(stage: Stage, group: Group, size: int) -> Drained:
    first = await group.cleared(_calls(group.topics, size, 0)[0])
    _, calls = _calls(group.topics, size, first)
    async with stage.connection(group.database.name) as connection:
        store = MongoStore(connection)
        for call, events in calls.items():
            partition = partition_of(call.split("/")[1], group.partitions)
            earlier = logged(value for *_, value in events[:size])
            for each in documents(
                call, SourcePartition(group.topics.transcription, partition), earlier, CONTENT_KEY.encode()
            ):
                await store.insert([each])
            await store.mark_stale([CallUpdate(call, partition, now_ms(), stale=False)])
    group.database.calls.update_many({}, {"$set": {"event_count": size}})
    log = group.database.call_events
    there = log.estimated_document_count()
    # A burst is one document, or two where a batch ends within it.
    return await _live(
        stage, calls, size, group.pids(), lambda bursts: log.estimated_document_count() >= there + _CALLS * bursts
    )


async def _push_live(stage: Stage, pushing: Pushing, size: int) -> Drained:
    _, calls = _calls(pushing.topics, size, 0)
    for call, events in calls.items():
        earlier = [orjson.loads(value) for *_, value in events[:size]]
        pushing.database.calls.insert_one({"_id": call, "events": earlier})
    await settle()
    stored, pids = pushing.program.last_number, {"pipeline": pushing.program.pid}
    return await _live(stage, calls, size, pids, lambda bursts: stored() >= _CALLS * BURST * bursts)


async def _live(
    stage: Stage, calls: dict[str, list[Message]], size: int, pids: dict[str, int], stored: Callable[[int], bool]
) -> Drained:
    """Publish a burst of each call, wait until it is stored, and so on for some seconds at most."""
    sender = producer(stage.kafka.address, 2)
    used = CpuTime(**pids, **stage.pids())
    began, done = time.time(), 0
    while done < _BURSTS and time.time() - began <= _LONGEST_SECONDS:
        start = size + BURST * done
        for events in calls.values():
            for topic, key, value in events[start : start + BURST]:
                sender.produce(topic, value, key)
        sender.flush()
        done += 1
        async with asyncio.timeout(30.0):
            while not stored(done):  # noqa: ASYNC110 - another process stores it
                await asyncio.sleep(_POLL_SECONDS)
    return Drained(_CALLS * BURST * done, time.time() - began, used.seconds())
