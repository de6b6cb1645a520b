"""`callfold dead-letters replay`, with a worker that reads what is sent back."""

import os
from typing import Any

import orjson
import pytest

from services.ops.errors import CommandError
from shared.contract.topics import DEAD_LETTER_MAX_MESSAGE_BYTES, Topics
from shared.store.mongo.client import Connection
from tests.support.callfold import Callfold
from tests.support.events.dead_letters import SAID
from tests.support.events.makers import STARTED, binary, event, raw
from tests.support.events.records import expected, wait_for
from tests.support.eventually import eventually
from tests.support.servers.kafka import Message, records, send
from tests.support.worker.process import WorkerProcess

CALL = [event("call.started"), event("call.note"), event("call.ended", at=STARTED + 9_000)]
BAD = b'{"hello": "world"}'


def letter(topics: Topics, value: bytes | None, *headers: tuple[str, bytes], key: bytes | None = b"k") -> Message:
    own = [*SAID, ("topic", topics.telephony.encode()), *headers]
    return {"topic": topics.dead_letter, "key": key, "value": value, "headers": own}


async def test_a_record_that_is_valid_now_is_folded_and_not_replayed_twice(
    worker: WorkerProcess, callfold: Callfold, kafka_bootstrap: str, topics: Topics, connection: Connection
) -> None:
    value, attributes = binary(CALL[1])
    plain = [letter(topics, raw(body), key=None) for body in (CALL[0], CALL[2])]
    await send(kafka_bootstrap, [*plain, letter(topics, value, *attributes)])

    dry = await callfold.replay("--dry-run")
    untouched = [await records(kafka_bootstrap, topic) for topic in topics.inputs]
    sent = await callfold.replay("--yes")
    await wait_for(connection, expected(CALL))
    again = await callfold("replay")
    summed = orjson.loads((await callfold("replay", "--json")).stdout)
    forced = await callfold.replay("0", "--again")

    assert (dry, untouched) == ("3 would be sent back, 0 left out, 0 refused", [[], []])
    assert sent == "3 sent back, 0 left out, 0 refused"
    assert again.stdout == "0 sent back, 3 left out, 0 refused\n"
    assert again.stderr == "3 left out (0, 1, 2): its event is already in the log; --again replays it\n"
    ingested = {"why": "its event is already in the log; --again replays it", "count": 3, "first": ["0", "1", "2"]}
    assert summed == {"sent": 0, "dry_run": False, "left_out": [ingested], "refused": []}
    assert forced == "1 sent back, 0 left out, 0 refused"
    await eventually(lambda: worker.events() == 4)
    await wait_for(connection, expected(CALL))


@pytest.mark.usefixtures("worker")
async def test_a_record_that_is_refused_again_is_replayed_only_by_force(
    callfold: Callfold, kafka_bootstrap: str, topics: Topics
) -> None:
    headers = [("content-type", b"application/json"), ("ce_id", b"1")]
    await send(kafka_bootstrap, [{"topic": topics.telephony, "key": b"k", "value": BAD, "headers": headers}])
    await letters(kafka_bootstrap, topics, 1)

    first = await callfold.replay()
    await letters(kafka_bootstrap, topics, 2)
    second = await callfold("replay")
    forced = await callfold.replay("--again")
    found = await letters(kafka_bootstrap, topics, 3)

    assert first == "1 sent back, 0 left out, 0 refused"
    assert second.stdout == "0 sent back, 2 left out, 0 refused\n"
    assert [line.split(":")[0] for line in second.stderr.splitlines()] == [
        "1 left out (0)",
        "1 left out (1)",
    ]
    assert forced == "1 sent back, 1 left out, 0 refused"
    assert {(record.key, record.value) for record in found} == {(b"k", BAD)}
    listed = orjson.loads((await callfold("list", "--json")).stdout)
    assert [(each["replays"], each["replayed_from"]) for each in listed] == [(0, None), (1, "0:0"), (2, "0:1")]
    assert [header for header in found[2].headers if header[0] in {"content-type", "ce_id"}] == headers


async def test_a_dead_letter_that_cannot_be_replayed_is_refused_with_the_reason(
    callfold: Callfold, kafka_bootstrap: str, topics: Topics
) -> None:
    await send(
        kafka_bootstrap,
        [
            letter(topics, b"1", ("topic", topics.dead_letter.encode())),
            letter(topics, None, ("callfold-omitted-bytes", b"5")),
            {"topic": topics.dead_letter, "key": b"k", "value": b"3"},
            letter(topics, os.urandom(DEAD_LETTER_MAX_MESSAGE_BYTES - 1_000)),
            letter(topics, BAD),
        ],
    )

    done = await callfold("replay")
    twice = await callfold("replay", "4", "2")

    assert (done.exit_code, done.stdout) == (1, "1 sent back, 0 left out, 4 refused\n")
    assert [line.split(":")[0] for line in sorted(done.stderr.splitlines())] == [
        f"1 cannot be sent back ({number})" for number in range(4)
    ]
    assert twice.stdout == "1 sent back, 0 left out, 1 refused\n"
    sent = await records(kafka_bootstrap, topics.telephony)
    assert [record.value for record in sent] == [BAD, BAD]
    assert await records(kafka_bootstrap, topics.transcription) == []


async def test_a_number_that_does_not_exist_sends_nothing_back(
    callfold: Callfold, kafka_bootstrap: str, topics: Topics
) -> None:
    await send(kafka_bootstrap, [letter(topics, BAD)])

    done = await callfold("replay", "0", "1")

    assert isinstance(done.exception, CommandError)
    assert str(done.exception) == "there is no dead letter 1; `dead-letters list` shows them"
    assert await records(kafka_bootstrap, topics.telephony) == []


async def letters(bootstrap: str, topics: Topics, count: int) -> list[Any]:
    """Return the dead letters once there are `count`."""
    found: list[Any] = []

    async def enough() -> bool:
        found[:] = await records(bootstrap, topics.dead_letter)
        return len(found) >= count

    await eventually(enough)
    return found
