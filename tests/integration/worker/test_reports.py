"""Calls as real providers report them, on the real stack: in the order given, shuffled, and doubled."""

import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import pytest

from shared.contract.ids import call_key
from shared.contract.topics import Topics
from shared.store.mongo.client import Connection
from tests.support.events.makers import Json, event, raw
from tests.support.events.records import read
from tests.support.events.reported_calls import STORIES, call_id
from tests.support.events.stories import Story, picked, shuffled
from tests.support.eventually import eventually
from tests.support.servers.kafka import Message, message, producer, records, send
from tests.support.worker.process import WorkerProcess

ENDED = {"ENDED", "ERROR"}
TEN_YEARS_MS = 3_653 * 86_400_000
CLOCKS_DIFFER_MS = 1_000
NO_CALLS: Mapping[str, Any] = {}


@dataclass(frozen=True)
class Case:
    """A story as one organization's call; `messages` in the order of publication."""

    key: str
    messages: list[Message]
    expected: Json
    problem_count: int | None


def is_ended(story: Story) -> bool:
    return story.expected.get("call_status") in ENDED


def cases(topics: Topics) -> Iterator[Case]:
    # The broker gives a record its arrival, so what arrived then cannot be published now.
    for number, story in enumerate(story for story in STORIES if not story.arrivals):
        yield case(story, "in-order", list(story.events), topics)
        yield case(story, "shuffled", shuffled(story.events, number), topics)
        yield case(story, "doubled", shuffled([*story.events, *story.events], number), topics)


def case(story: Story, organization: str, bodies: list[Json], topics: Topics) -> Case:
    call = call_id(story)
    messages = [message(body | {"subject": call, "organizationid": organization}, topics) for body in bodies]
    problem_count = sum(story.problems.values()) if is_ended(story) else None
    return Case(call_key(organization, call), messages, story.expected, problem_count)


async def mismatches(connection: Connection, waiting: dict[str, Case]) -> dict[str, Json]:
    """Return what differs in calls that do not have their record yet; calls that have it leave `waiting`."""
    found = {}
    for key, wanted in list(waiting.items()):
        record, _ = await read(connection, key)
        differs = NO_CALLS if record is None else differences(picked(record, wanted.expected), wanted.expected)
        if record is not None and not differs:
            del waiting[key]
        else:
            found[key] = dict(differs)
    return found


def differences(found: Json, expected: Json) -> Json:
    return {path: (found[path], value) for path, value in expected.items() if found[path] != value}


async def problem_counts(connection: Connection, wanted: list[Case]) -> dict[str, int | None]:
    stored = connection.collection("calls").find({"_id": {"$in": [each.key for each in wanted]}})
    return {document["_id"]: document.get("problem_count") async for document in stored}


@pytest.mark.usefixtures("worker")
async def test_reported_calls_have_the_records_that_they_should_have(
    kafka_bootstrap: str, topics: Topics, connection: Connection
) -> None:
    played = list(cases(topics))
    waiting = {each.key: each for each in played}

    await send(kafka_bootstrap, [sent for each in played for sent in each.messages])

    left: dict[str, Json] = {}

    async def all_are_right() -> bool:
        left.clear()
        left.update(await mismatches(connection, waiting))
        return not left

    try:
        await eventually(all_are_right)
    except AssertionError:
        raise AssertionError(f"{len(left)} of {len(played)} calls: {left}") from None
    final = [each for each in played if each.problem_count is not None]
    await eventually(lambda: all_counted(connection, final))


async def all_counted(connection: Connection, final: list[Case]) -> bool:
    return await problem_counts(connection, final) == {each.key: each.problem_count for each in final}


async def test_a_tombstone_is_no_dead_letter_and_a_batch_is_one(
    worker: WorkerProcess, kafka_bootstrap: str, topics: Topics, connection: Connection
) -> None:
    started = event("call.started", direction="inbound")
    batch = b"[" + raw(started) + b"]"
    odd = [{"topic": topics.telephony, "key": b"call-456", "value": value} for value in (None, batch)]

    await send(kafka_bootstrap, [*odd, message(started, topics)])

    await eventually(lambda: worker.events() == 1)
    record, _ = await read(connection, "org-789/call-456")
    assert record["call_status"] == "ONGOING"
    assert [letter.value for letter in await records(kafka_bootstrap, topics.dead_letter)] == [batch]


@pytest.mark.usefixtures("worker")
async def test_an_end_of_an_aborted_transaction_is_not_read(
    kafka_bootstrap: str, topics: Topics, connection: Connection
) -> None:
    started, aborted = event("call.started"), event("call.ended", disconnection_reason="aborted")
    turn = event("transcript.turn", content="Hello.")
    async with producer(kafka_bootstrap, transactional_id=topics.prefix) as made:
        for body, end in ((started, made.commit_transaction), (aborted, made.abort_transaction)):
            await made.begin_transaction()
            await made.send_and_wait(**message(body, topics))
            await end()

    await send(kafka_bootstrap, [message(turn, topics)])

    await eventually(lambda: reads_as(connection, "ONGOING", "Hello."))


async def reads_as(connection: Connection, status: str, transcript: str) -> bool:
    record, _ = await read(connection, "org-789/call-456")
    return record is not None and (record["call_status"], record["transcript"]) == (status, transcript)


@pytest.mark.usefixtures("worker")
async def test_an_end_of_a_clock_years_ahead_is_taken_at_its_arrival(
    kafka_bootstrap: str, topics: Topics, connection: Connection
) -> None:
    now = round(time.time() * 1000)
    started = event("call.started", at=now - 60_000, direction="inbound")
    end = event("call.ended", at=now + TEN_YEARS_MS)

    await send(kafka_bootstrap, [message(body, topics) for body in (started, end)])

    await eventually(lambda: reads_as(connection, "ENDED", ""))
    record, _ = await read(connection, "org-789/call-456")
    assert now - CLOCKS_DIFFER_MS <= record["end_timestamp"] <= time.time() * 1000 + CLOCKS_DIFFER_MS
    assert record["call_duration"] == (record["end_timestamp"] - now + 60_000) / 1000
