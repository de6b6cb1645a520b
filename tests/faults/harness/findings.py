"""The result of a run: the log, the dead letters, and the records from the API."""

import asyncio
import json
import time
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from aiokafka import ConsumerRecord

from services.worker.maintenance.redaction_sweep import RedactionSweep
from shared.calls.read_call import Finality
from shared.contract.ids import call_of
from shared.process.clock import now_ms
from shared.store.mongo.calls import MongoStore
from shared.store.mongo.client import Connection
from shared.store.mongo.documents import logged_of
from tests.faults.harness.report import Report
from tests.faults.harness.stage import Stage
from tests.faults.harness.verdict import Identity, identities
from tests.faults.load.private import MARKS, SENSITIVE, is_marked, left_fields
from tests.faults.load.workload import PARTITIONS
from tests.support.api.server import ApiReader
from tests.support.events.makers import Json
from tests.support.events.records import by_call, expected
from tests.support.eventually import eventually, scaled
from tests.support.servers.kafka import lag, records
from tests.support.store.kept import kept

_TAKEN_WITHIN = 180.0
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


async def judge(stage: Stage, report: Report, within: float) -> None:
    """Compare the produced events with the result, which may become right as `settled_records` has it."""
    produced = by_call(stage.produced)
    report.calls = len(produced)
    report.events = sum(len(identities(events)) for events in produced.values())
    report.verdict.uncommitted = await _uncommitted(stage)
    stage.say("comparing")
    wanted = await asyncio.to_thread(expected, stage.produced)
    found = await settled_records(stage.reader, wanted, within)
    logged = await read_log(stage.connection)
    for call, record in wanted.items():
        missing = identities(produced[call]) - logged.identities[call]
        report.verdict.compare(call, record, found[call], len(missing))
    for call in report.verdict.differing[:_SHOWN]:
        stage.say(f"{call} differs in {_differences(wanted[call], found[call])}")
    report.redelivered = logged.events / max(1, len(stage.produced)) - 1
    opted_out = {call for call, record in wanted.items() if record["opt_out_sensitive_data_storage"]}
    report.left_to_the_sweep = len(await private_documents(stage.connection, opted_out))
    report.verdict.private_left = await _left_by_the_sweep(stage, opted_out)
    dead_letters = await records(stage.kafka.address, stage.topics.dead_letter)
    _count_dead_letters(dead_letters, report)
    report.verdict.private_shown = [
        *await shown_to_readers(stage.reader, opted_out),
        *(f"dead letter {each.offset}" for each in dead_letters if any(is_marked(value) for _, value in each.headers)),
        *shown_in_logs(stage.folder),
    ]


async def _uncommitted(stage: Stage) -> int:
    async def nothing_left() -> bool:
        return await lag(stage.kafka.address, stage.topics.prefix, stage.topics) == 0

    with suppress(AssertionError):
        await eventually(nothing_left, _TAKEN_WITHIN)
    return await lag(stage.kafka.address, stage.topics.prefix, stage.topics)


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


def _count_dead_letters(dead_letters: Sequence[ConsumerRecord], report: Report) -> None:
    found = [(each.key, each.value, dict(each.headers)["reason"].decode()) for each in dead_letters]
    report.dead_letters = len(found)
    report.verdict.poison_missing = len(report.poison.keys() - {key for key, *_ in found})
    report.verdict.poison_changed = sum(
        report.poison[key] != (value, reason) for key, value, reason in found if key in report.poison
    )
    report.verdict.lost += sum(key not in report.poison for key, *_ in found)


def _differences(wanted: Mapping[str, Any], found: Mapping[str, Any] | None) -> str:
    """Return the names of the fields that differ."""
    return "all" if found is None else ", ".join(name for name in wanted if found.get(name) != wanted[name]) or "none"


async def read_log(connection: Connection) -> Logged:
    logged = Logged()
    async for document in connection.collection("call_events").find():
        call = call_of(document["_id"])
        for raw in logged_of(document).events:
            event: Json = json.loads(raw)  # which reads half a character, as a producer may send
            logged.identities[call].add((event["source"], event["id"]))
            logged.events += 1
    return logged


async def private_documents(connection: Connection, opted_out: Collection[str]) -> list[str]:
    """Return the ids of the documents with private content of opted-out calls, or with sensitive digits of any call."""
    return [
        f"{name} {document['_id']}"
        for name in ("call_events", "calls")
        async for document in connection.collection(name).find()
        if _is_private(document, opted_out) or (name == "call_events" and _has_left(document, opted_out))
    ]


def _is_private(document: Mapping[str, Any], opted_out: Collection[str]) -> bool:
    content = kept(document)
    return SENSITIVE.encode() in content or (_call(document) in opted_out and is_marked(content))


def _has_left(document: Mapping[str, Any], opted_out: Collection[str]) -> bool:
    """Return whether logged events of an opted-out call have a field that must not stay, whatever is in it."""
    return _call(document) in opted_out and any(left_fields(json.loads(raw)) for raw in logged_of(document).events)


def _call(document: Mapping[str, Any]) -> str:
    return "/".join(document["_id"].split("/")[:2])


async def shown_to_readers(reader: ApiReader, opted_out: Collection[str]) -> list[str]:
    """Return the opted-out calls of which readers get private content."""
    limit = asyncio.Semaphore(_AT_ONCE)

    async def shown(call: str) -> bool:
        async with limit:
            return is_marked(await reader.answers(call))

    calls = sorted(opted_out)
    return [call for call, is_shown in zip(calls, await asyncio.gather(*map(shown, calls)), strict=True) if is_shown]


def shown_in_logs(folder: Path) -> list[str]:
    """Return the names of the logs of our own processes that have private content of any call."""
    marks = (*MARKS, SENSITIVE.encode())
    return [file.name for file in sorted(folder.rglob("*.log")) if any(mark in file.read_bytes() for mark in marks)]


async def settled_records(reader: ApiReader, wanted: Mapping[str, Any], within: float) -> Records:
    """Return each call's record from the API, once it is the wanted one and as final as it can be.

    It ends when no further call has become so for as long as `within`, in seconds. None stands for a missing record,
    and for a correct one that does not become final.
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
        before = len(left)
        await asyncio.gather(*(look_up(call) for call in sorted(left)))
        await asyncio.sleep(0.5)
        if len(left) < before:
            deadline = time.monotonic() + scaled(within)
    return {call: None if call in left and record == wanted[call] else record for call, record in found.items()}


def _finality(record: Mapping[str, Any]) -> Finality:
    return Finality.FINAL if record["call_status"] in _FINAL else Finality.LIVE
