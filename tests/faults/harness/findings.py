"""The result of a run: the log, the dead letters, and the records from the API."""

import asyncio
import json
import time
from collections import Counter, defaultdict
from collections.abc import Collection, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import bson

from services.worker.maintenance.redaction_sweep import RedactionSweep
from shared.calls.read_call import Finality
from shared.contract.ids import call_of
from shared.process.clock import now_ms
from shared.store.mongo.calls import MongoStore
from shared.store.mongo.client import Connection
from tests.faults.harness.report import Report
from tests.faults.harness.stage import TOPICS, Stage
from tests.faults.harness.verdict import Identity, identities
from tests.faults.load.calls import PRIVATE
from tests.faults.load.workload import PARTITIONS
from tests.support.api.server import ApiReader
from tests.support.events.makers import Json
from tests.support.events.records import by_call, expected
from tests.support.eventually import eventually, scaled
from tests.support.servers.kafka import lag, records

_TAKEN_WITHIN = 180.0
_SETTLED_WITHIN = 90.0
_AT_ONCE = 16
_SHOWN = 5
_AN_HOUR_MS = 3_600_000
_ALL = 1_000_000
_FINAL = frozenset({"ENDED", "ERROR"})

Records = dict[str, dict[str, Any] | None]


@dataclass(slots=True)
class Logged:
    """The content of the log: the identities of each call's events, and the number of events with copies."""

    identities: defaultdict[str, set[Identity]] = field(default_factory=lambda: defaultdict(set))
    events: int = 0


async def judge(stage: Stage, report: Report) -> None:
    """Compare the produced events with the result."""
    produced = by_call(stage.produced)
    report.calls = len(produced)
    report.events = sum(len(identities(events)) for events in produced.values())
    report.verdict.uncommitted = await _uncommitted(stage)
    stage.say("comparing")
    wanted = await asyncio.to_thread(expected, stage.produced)
    found = await settled_records(stage.reader, wanted, _SETTLED_WITHIN)
    logged = await read_log(stage.connection)
    for call, record in wanted.items():
        missing = identities(produced[call]) - logged.identities[call]
        report.verdict.compare(call, record, found[call], len(missing))
    report.redelivered = logged.events / max(1, len(stage.produced)) - 1
    opted_out = {call for call, record in wanted.items() if record["opt_out_sensitive_data_storage"]}
    report.left_to_the_sweep = len(await private_documents(stage.connection, opted_out))
    report.verdict.private_left = await _left_by_the_sweep(stage, opted_out)
    await _count_dead_letters(stage, report)


async def _uncommitted(stage: Stage) -> int:
    async def nothing_left() -> bool:
        return await lag(stage.kafka.address, TOPICS.prefix, TOPICS) == 0

    with suppress(AssertionError):
        await eventually(nothing_left, _TAKEN_WITHIN)
    return await lag(stage.kafka.address, TOPICS.prefix, TOPICS)


async def _left_by_the_sweep(stage: Stage, opted_out: Collection[str]) -> int:
    """Run the hourly sweep, and return how many documents hold private content after it."""
    sweep = RedactionSweep(
        MongoStore(stage.connection), lambda: range(PARTITIONS), clock=lambda: now_ms() + _AN_HOUR_MS, page=_ALL
    )
    await sweep.run()
    found = await private_documents(stage.connection, opted_out)
    for document in found[:_SHOWN]:
        stage.say(f"private content in {document}")
    return len(found)


async def _count_dead_letters(stage: Stage, report: Report) -> None:
    dead_letters = Counter(each.key for each in await records(stage.kafka.address, TOPICS.dead_letter))
    report.dead_letters = dead_letters.total()
    report.verdict.poison_missing = len(report.poison.keys() - dead_letters.keys())
    report.verdict.lost += sum(number for key, number in dead_letters.items() if key not in report.poison)


async def read_log(connection: Connection) -> Logged:
    logged = Logged()
    async for document in connection.collection("call_events").find():
        call = call_of(document["_id"])
        for raw in document["events"]:
            event: Json = json.loads(raw)  # which reads half a character, as a producer may send
            logged.identities[call].add((event["source"], event["id"]))
            logged.events += 1
    return logged


async def private_documents(connection: Connection, opted_out: Collection[str]) -> list[str]:
    """Return the ids of the documents with private content of opted-out calls."""
    return [
        f"{name} {document['_id']}"
        for name in ("call_events", "calls")
        async for document in connection.collection(name).find()
        if PRIVATE.encode() in bson.encode(document) and "/".join(document["_id"].split("/")[:2]) in opted_out
    ]


async def settled_records(reader: ApiReader, wanted: Mapping[str, Any], within: float) -> Records:
    """Return each call's record from the API, once it is the wanted one and as final as it can be.

    None stands for a missing record, and for a correct one that does not become final.
    """
    deadline = time.monotonic() + scaled(within)
    found: Records = {}
    left = set(wanted)
    limit = asyncio.Semaphore(_AT_ONCE)

    async def look_up(call: str) -> None:
        async with limit:
            read = await reader.read(call)
        found[call] = read[0] if read else None
        if read == (wanted[call], _finality(wanted[call])):
            left.discard(call)

    while left and time.monotonic() < deadline:
        await asyncio.gather(*(look_up(call) for call in sorted(left)))
        await asyncio.sleep(0.5)
    return {call: None if call in left and record == wanted[call] else record for call, record in found.items()}


def _finality(record: Mapping[str, Any]) -> Finality:
    return Finality.FINAL if record["call_status"] in _FINAL else Finality.LIVE
