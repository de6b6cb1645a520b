"""Invalid records among events."""

from typing import Any

import pytest

from shared.contract.rejection import Reason
from shared.contract.topics import INPUT_MAX_MESSAGE_BYTES, MAX_EVENT_BYTES, Topics
from shared.store.mongo.client import Connection
from tests.support.events.makers import STARTED, event, raw
from tests.support.events.records import expected, wait_for
from tests.support.eventually import eventually
from tests.support.servers.kafka import lag, message, publish, records, send, send_with_a_header_that_is_no_utf8
from tests.support.servers.topic_changes import create_topic, delete_topics
from tests.support.worker.process import WorkerProcess

GOOD = raw(event("call.note"))
BAD: dict[str, tuple[bytes | None, Reason]] = {
    "nothing": (b"", Reason.NOT_JSON),
    "no JSON": (b"\x00\xff", Reason.NOT_JSON),
    "NaN": (GOOD.replace(b'"Said thanks"', b"NaN"), Reason.NOT_JSON),
    "a list": (b"[]", Reason.NOT_AN_OBJECT),
    "no CloudEvent": (b'{"hello": "world"}', Reason.NOT_CLOUDEVENTS),
    "too deep": (GOOD.replace(b'"Said thanks"', b"[" * 99 + b"]" * 99), Reason.TOO_DEEP),
    "no reason": (raw(event("call.ended", disconnection_reason=None)), Reason.MISSING),
    "a list for a text": (raw(event("call.ended", disconnection_reason=[])), Reason.WRONG_TYPE),
    "a negative latency": (raw(event("latency.sampled", value_ms=-1)), Reason.OUT_OF_BOUNDS),
    "too large": (b" " * MAX_EVENT_BYTES + GOOD, Reason.TOO_LARGE),
    "as large as the topic takes": (b" " * (INPUT_MAX_MESSAGE_BYTES - 500), Reason.TOO_LARGE),
}


@pytest.mark.usefixtures("worker")
async def test_each_dead_letter_is_kept_byte_for_byte_and_the_events_around_it_are_folded(
    kafka_bootstrap: str, topics: Topics, connection: Connection
) -> None:
    good = [event("call.started"), *(event("call.note", at=STARTED + n) for n in range(20)), event("call.ended")]
    messages: list[dict[str, Any]] = [message(body, topics) for body in good]
    for number, (value, _) in enumerate(BAD.values()):
        messages.insert(number, {"topic": topics.transcription, "key": b"\xff%d" % number, "value": value})

    await send(kafka_bootstrap, messages)

    await wait_for(connection, expected(good))
    letters = await records(kafka_bootstrap, topics.dead_letter)
    found = {letter.key: (letter.value, dict(letter.headers)["reason"].decode()) for letter in letters}
    assert found == {b"\xff%d" % n: bad for n, bad in enumerate(BAD.values())}
    await committed(kafka_bootstrap, topics)


async def test_a_dead_letter_names_its_origin_and_keeps_the_headers_that_make_it_readable(
    worker: WorkerProcess, kafka_bootstrap: str, topics: Topics
) -> None:
    headers = [("ce_specversion", b"0.3"), ("ce_id", b"1"), ("number", b"+49 123")]
    bad = {"topic": topics.telephony, "partition": 2, "key": b"k", "value": b'{"secret": 1}', "headers": headers}

    await send(kafka_bootstrap, [bad])

    await eventually(lambda: worker.metric("callfold_dead_letters_total") == 1)
    (letter,) = await records(kafka_bootstrap, topics.dead_letter)
    headers_of = {name: value.decode() for name, value in letter.headers}
    assert headers_of.pop("time").endswith("Z")
    assert headers_of == {
        "ce_specversion": "0.3",
        "ce_id": "1",
        "reason": "not_cloudevents",
        "detail": "`specversion` must be `1.0`, got '0.3'",
        "topic": topics.telephony,
        "partition": "2",
        "offset": "0",
    }


@pytest.mark.usefixtures("worker")
async def test_a_header_whose_name_is_not_utf8_blocks_nothing(
    kafka_bootstrap: str, topics: Topics, connection: Connection
) -> None:
    events = [event("call.started"), event("call.note"), event("call.ended", at=STARTED + 9_000)]

    await send_with_a_header_that_is_no_utf8(kafka_bootstrap, topics.telephony, [raw(body) for body in events])

    await wait_for(connection, expected(events))
    assert await records(kafka_bootstrap, topics.dead_letter) == []
    await committed(kafka_bootstrap, topics)


@pytest.mark.usefixtures("worker")
@pytest.mark.parametrize("codec", ["gzip", "snappy", "lz4", "zstd"])
async def test_compressed_events_are_read(
    kafka_bootstrap: str, topics: Topics, connection: Connection, codec: str
) -> None:
    events = [event("call.started"), *(event("call.note") for _ in range(50)), event("call.ended", at=STARTED + 9_000)]

    await send(kafka_bootstrap, [message(body, topics) for body in events], compression_type=codec, linger_ms=100)

    await wait_for(connection, expected(events))


async def test_a_record_that_is_large_when_it_is_decompressed_is_a_dead_letter_whole(
    worker: WorkerProcess, kafka_bootstrap: str, topics: Topics
) -> None:
    large = b" " * 5_000_000
    sent = {"topic": topics.telephony, "key": b"k", "value": large}

    await send(kafka_bootstrap, [sent], compression_type="gzip", max_request_size=10_000_000)

    await eventually(lambda: worker.metric("callfold_dead_letters_total") == 1)
    (letter,) = await records(kafka_bootstrap, topics.dead_letter)
    assert letter.value == large
    await committed(kafka_bootstrap, topics)


async def test_events_behind_thousands_of_dead_letters_are_folded_and_no_dead_letter_is_missing(
    worker: WorkerProcess, kafka_bootstrap: str, topics: Topics, connection: Connection
) -> None:
    good = [event("call.started"), event("call.note"), event("call.ended", at=STARTED + 9_000)]
    place = {"topic": topics.telephony, "partition": 0, "key": b"k"}
    bad = [b'{"number": %d}' % number for number in range(5_000)]

    await send(kafka_bootstrap, [place | {"value": value} for value in [*bad, *map(raw, good)]], linger_ms=100)

    await wait_for(connection, expected(good))
    assert sorted(letter.value for letter in await records(kafka_bootstrap, topics.dead_letter)) == sorted(bad)
    assert worker.metric('callfold_dead_letters_total{reason="not_cloudevents"}') == len(bad)
    assert len(worker.log.read_text().splitlines()) < 100
    await committed(kafka_bootstrap, topics)


async def committed(bootstrap: str, topics: Topics) -> None:
    async def nothing_left() -> bool:
        return await lag(bootstrap, topics.prefix, topics) == 0

    await eventually(nothing_left)


async def test_a_dead_letter_that_kafka_does_not_take_is_waited_for_and_so_is_its_batch(
    worker: WorkerProcess, kafka_bootstrap: str, topics: Topics, connection: Connection
) -> None:
    events = [event("call.started"), event("call.ended")]
    await delete_topics(kafka_bootstrap, topics.dead_letter)
    await send(kafka_bootstrap, [{"topic": topics.telephony, "partition": 0, "key": b"k", "value": b"no event"}])
    waiting = 'callfold_dependency_unavailable{dependency="kafka"}'
    await eventually(lambda: worker.metric(waiting) == 1, 120)
    ended = worker.ended()

    await create_topic(kafka_bootstrap, topics.dead_letter, 1)
    await publish(kafka_bootstrap, topics, events)

    await wait_for(connection, expected(events))
    await eventually(lambda: worker.metric(waiting) == 0, 120)
    (letter,) = {each.value for each in await records(kafka_bootstrap, topics.dead_letter)}
    assert (ended, letter) == (False, b"no event")
    assert "dead letters are not acknowledged" in worker.written()
