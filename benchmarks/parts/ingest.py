"""The part `ingest`: in each round every pipeline drains the same backlog, one after the other."""

import asyncio
import hashlib
import subprocess
import sys
from collections.abc import Awaitable, Callable
from functools import partial
from pathlib import Path
from threading import Event
from typing import Any, NamedTuple

from pymongo.change_stream import ChangeStream

from benchmarks import peers
from benchmarks.load.calls import Workload
from benchmarks.parts import callfold, streams
from benchmarks.parts.draining import Drained, Peer, Program, events_in
from benchmarks.peers.connect import ConnectWorker, Mode
from benchmarks.peers.write_log import written_events
from benchmarks.samples import Samples
from benchmarks.stage import BytesWritten, Plan, Stage, progress, settle
from deploy.local.lock import locked
from deploy.local.servers.install import DOWNLOADS, STAMP
from deploy.local.servers.process import Server
from shared.contract.topics import Topics
from shared.store.states import State

NAME = "ingest"
SHORT, LONG = Workload(100, 4_000), Workload(700, 600)
TELEPHONY_AHEAD = "telephony far ahead"

_QUIX = Path(peers.__path__[0]) / "quix.py"
_QUIX_REQUIREMENTS = _QUIX.with_name("quix-requirements.txt")
_QUIX_VENV = DOWNLOADS / "quix" / "venv"  # Quix Streams needs older pydantic and confluent-kafka than Callfold
# Counting the tutorial's documents reads them all.
_TUTORIAL_POLL_SECONDS = 1.0
_FINAL_RECORDS: list[dict[str, Any]] = [
    {"$match": {"ns.coll": "calls"}},
    {
        "$match": {
            "$or": [{"operationType": "drop"}, {"operationType": "replace", "fullDocument.state": State.FINAL.value}]
        }
    },
    {"$project": {"operationType": 1, "documentKey": 1, "fullDocument.event_count": 1}},
]


Drain = Callable[[Stage, Workload, float], Awaitable[Drained]]


def _stores_documents(what: str, start: Callable[[Stage, Topics, str], Server]) -> Drain:
    """Return the drain of a peer that stores each event as a document in `events`."""

    async def drain(stage: Stage, workload: Workload, longest: float) -> Drained:
        topics = await stage.published(workload)
        with stage.database(what) as database:
            events = database["events"]
            server = start(stage, topics, database.name)
            peer = Peer(server, events.estimated_document_count, lambda: events.count_documents({}))
            written = BytesWritten(stage.client)
            done = await peer.drain(stage.pids(), workload.total, longest)
            return done.wrote(written.total(), peer.stored())

    return drain


async def _tutorial(stage: Stage, workload: Workload, longest: float) -> Drained:
    topics = await stage.published(workload)
    with stage.database("tutorial") as database:
        program = _program(stage, "faust_tutorial", database.name, *topics.inputs)
        count = partial(events_in, database["calls"])
        written = BytesWritten(stage.client)
        done = await Peer(program, count, count, _TUTORIAL_POLL_SECONDS).drain(stage.pids(), workload.total, longest)
        return done.wrote(written.total(), count())


async def _consume(stage: Stage, workload: Workload, longest: float) -> Drained:
    topics = await stage.published(workload)
    program = _program(stage, "consume", stage.name("consume"), *topics.inputs)
    return await Peer(program, program.last_number, program.last_number).drain(stage.pids(), workload.total, longest)


async def _write_log(stage: Stage, workload: Workload, longest: float) -> Drained:
    with stage.database("write-log") as database:
        program = _program(stage, "write_log", database.name, str(workload.events), str(workload.calls))
        peer = Peer(program, program.last_number, partial(events_in, database["call_events"]))
        return await peer.drain(stage.pids(), written_events(workload), longest)


def _program(stage: Stage, module: str, name: str, *arguments: str) -> Program:
    common = [stage.kafka.address, stage.mongo.uri, name]
    return Program(stage.folder / name, ["-m", f"benchmarks.peers.{module}", *common, *arguments])


class Quix(Program):
    """Quix Streams on libraries of its own, which are installed once."""

    def prepare(self) -> None:
        super().prepare()
        stamp, digest = _QUIX_VENV / STAMP, hashlib.sha256(_QUIX_REQUIREMENTS.read_bytes()).hexdigest()
        if stamp.is_file() and stamp.read_text() == digest:
            return
        with locked(_QUIX_VENV.parent):
            progress(f"installing Quix Streams into {_QUIX_VENV}")
            subprocess.run([sys.executable, "-m", "venv", "--clear", str(_QUIX_VENV)], check=True)  # noqa: S603 - ours
            pip = [str(_QUIX_VENV / "bin" / "python"), "-m", "pip", "install", "-qq", "--disable-pip-version-check"]
            subprocess.run([*pip, "-r", str(_QUIX_REQUIREMENTS)], check=True)  # noqa: S603 - ours
            stamp.write_text(digest)

    def command(self) -> list[str]:
        return [str(_QUIX_VENV / "bin" / "python"), "-P", str(_QUIX), *self._arguments]


def _quix(stage: Stage, topics: Topics, name: str) -> Quix:
    return Quix(stage.folder / name, [stage.kafka.address, stage.mongo.uri, name, *topics.inputs])


class Pipeline(NamedTuple):
    """A workload is drained for at most so many seconds: of both in each round, or of short calls in the first round.

    Those in the first round alone are what no target is about: it shows where they stand.
    """

    drain: Drain
    longest: float = 300.0
    each_round: bool = False

    def measures(self, workload: Workload, round_: int, plan: Plan) -> bool:
        return self.each_round or (workload == SHORT and round_ == 0 and not plan.quick)


PIPELINES: dict[str, Pipeline] = {
    "callfold, one worker": Pipeline(lambda stage, workload, _: callfold.drain(stage, workload), each_round=True),
    "callfold, two workers": Pipeline(lambda stage, workload, _: callfold.drain(stage, workload, 2), each_round=True),
    "Kafka Streams": Pipeline(streams.drain, each_round=True),
    "Kafka Connect, insert": Pipeline(_stores_documents("connect", ConnectWorker), 40.0, each_round=True),
    "Kafka Connect, replace": Pipeline(
        _stores_documents("connect-replace", partial(ConnectWorker, mode=Mode.REPLACE)), 15.0
    ),
    "Quix Streams": Pipeline(_stores_documents("quix", _quix), 15.0),
    "Faust, tutorial": Pipeline(_tutorial, 10.0),
    "limit: consume and decode": Pipeline(_consume),
    "limit: write the log": Pipeline(_write_log),
}


async def measure(stage: Stage, samples: Samples, plan: Plan) -> None:
    for workload in (SHORT,) if plan.quick else (SHORT, LONG):
        for number in range(plan.rounds):
            for subject, pipeline in PIPELINES.items():
                if pipeline.measures(workload, number, plan):
                    await settle()
                    done = await pipeline.drain(stage, workload, pipeline.longest)
                    folds = {"folds_per_call": done.folds / workload.calls} if done.folds else {}
                    samples.add(NAME, workload.name, subject, number, **done.measures(), **folds)
    samples.add(NAME, TELEPHONY_AHEAD, "callfold, one worker", 0, **await _telephony_ahead(stage))


async def _telephony_ahead(stage: Stage) -> dict[str, float]:
    """Drain a backlog whose telephony topic is read long before the rest; return folds and incomplete final records."""
    sizes = {SHORT.key(number): SHORT.size(number) for number in range(SHORT.calls)}
    await stage.published(SHORT)
    early, failed = set[str](), Event()

    def watch(stream: ChangeStream[dict[str, Any]]) -> None:
        while not failed.is_set():
            change = stream.try_next()
            if change is not None and change["operationType"] == "drop":  # the end of a drain
                return
            if change is not None and change["fullDocument"]["event_count"] < sizes[change["documentKey"]["_id"]]:
                early.add(change["documentKey"]["_id"])

    with stage.client.watch(_FINAL_RECORDS) as stream:
        watching = asyncio.create_task(asyncio.to_thread(watch, stream))
        try:
            done = await callfold.drain(stage, SHORT)
        except BaseException:
            failed.set()
            raise
        finally:
            await watching
    return {"folds_per_call": done.folds / SHORT.calls, "final_too_early": float(len(early))}
