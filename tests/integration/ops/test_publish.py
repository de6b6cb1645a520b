"""`callfold publish` on a real broker."""

import asyncio
import signal
import subprocess

import orjson
import pytest

from services.worker.consumer.topic_setup import Wanted, declare
from services.worker.runtime.retry import retry_until_available
from shared.contract.topics import Topics
from shared.kafka.access import KafkaAccess
from shared.kafka.errors import KafkaUnavailable
from tests.support.callfold import run, start
from tests.support.events.makers import event, raw
from tests.support.eventually import eventually, scaled
from tests.support.fixtures import PARTITIONS
from tests.support.servers.kafka import records
from tests.support.servers.servers import kafka_server


def started(bootstrap: str, topics: Topics) -> "subprocess.Popen[bytes]":
    return start("publish", "-", kafka_bootstrap=bootstrap, topic_prefix=topics.prefix)


def publish(text: bytes, bootstrap: str, topics: Topics) -> tuple[int, str, str]:
    done = run("publish", "-", text=text, kafka_bootstrap=bootstrap, topic_prefix=topics.prefix)
    return done.returncode, done.stdout.decode(), done.stderr.decode()


async def feed_until_stored(process: "subprocess.Popen[bytes]", lines: int, bootstrap: str, topics: Topics) -> None:
    assert process.stdin is not None
    process.stdin.write(b"".join(raw(event("call.dtmf")) + b"\n" for _ in range(lines)))
    process.stdin.flush()

    async def all_published() -> bool:
        return len(await records(bootstrap, topics.telephony)) == lines

    await eventually(all_published)
    await asyncio.sleep(scaled(1))  # the acknowledgement reaches the process after the records are visible


async def test_each_event_is_on_the_topic_of_its_type_byte_for_byte(kafka_bootstrap: str, topics: Topics) -> None:
    dtmf = b'  {"future": 1.50,' + raw(event("call.dtmf", call="é")).lstrip(b"{")
    turn, unknown = raw(event("transcript.turn")), raw(event("call.moved"))

    code, out, error = publish(b"\n".join([dtmf, b"", turn, unknown]), kafka_bootstrap, topics)

    assert (code, out, error) == (0, "3 published, 0 refused\n", "")
    telephony = await records(kafka_bootstrap, topics.telephony)
    (spoken,) = await records(kafka_bootstrap, topics.transcription)
    assert {record.value: record.key for record in telephony} == {dtmf: "é".encode(), unknown: b"call-456"}
    assert spoken.value == turn
    assert spoken.headers == (("content-type", b"application/cloudevents+json"),)


async def test_an_invalid_line_is_refused_and_the_valid_ones_are_published(
    kafka_bootstrap: str, topics: Topics
) -> None:
    good = raw(event("call.dtmf"))
    large = raw(event("call.note", event="x" * 2**20))
    largest = raw(event("call.note", event="x" * (2**20 - len(raw(event("call.note", event=""))))))

    code, out, error = publish(b"\n".join([good, b"{", large, largest, good]), kafka_bootstrap, topics)

    assert (code, out) == (1, "3 published, 2 refused\n")
    assert [line.split(": ")[:2] for line in error.splitlines()] == [
        ["standard input:2", "not_json"],
        ["standard input:3", "too_large"],
    ]
    assert len(await records(kafka_bootstrap, topics.telephony)) == 3


async def test_warnings_are_counted(kafka_bootstrap: str, topics: Topics) -> None:
    doubtful = raw(event("call.dtmf", digitts=1) | {"time": "yesterday"})

    code, out, error = publish(doubtful, kafka_bootstrap, topics)

    assert (code, out, error) == (0, "1 published, 0 refused\n", "2 warnings: see callfold validate\n")
    assert [record.value for record in await records(kafka_bootstrap, topics.telephony)] == [doubtful]


async def test_programs_get_the_sums(kafka_bootstrap: str, topics: Topics) -> None:
    done = run(
        *("publish", "-", "--json"),
        text=raw(event("call.dtmf")) + b"\n{}",
        kafka_bootstrap=kafka_bootstrap,
        topic_prefix=topics.prefix,
    )

    assert (done.returncode, orjson.loads(done.stdout)) == (1, {"published": 1, "refused": 1, "warnings": 0})


@pytest.mark.parametrize(
    ("text", "query"), [(b"\n[{}]", ".[]"), (orjson.dumps(event("call.dtmf"), option=orjson.OPT_INDENT_2), ".")]
)
async def test_what_is_not_one_event_a_line_is_refused_as_a_whole(
    kafka_bootstrap: str, topics: Topics, text: bytes, query: str
) -> None:
    code, out, error = publish(text, kafka_bootstrap, topics)

    assert (code, out, error.count("\n")) == (1, "", 1)
    assert f"`publish` takes one event a line: jq -c '{query}' FILE | callfold publish -" in error
    assert await records(kafka_bootstrap, topics.telephony) == []


async def test_many_events_keep_their_order_within_a_call(kafka_bootstrap: str, topics: Topics) -> None:
    lines = [raw(event("call.dtmf", call=f"call-{number % 7}", digits=f"{number}")) for number in range(20_000)]

    code, out, _ = publish(b"\n".join(lines), kafka_bootstrap, topics)

    assert (code, out) == (0, "20000 published, 0 refused\n")
    found = await records(kafka_bootstrap, topics.telephony)
    for number in range(7):
        assert [record.value for record in found if record.key == b"call-%d" % number] == lines[number::7]


def test_a_missing_topic_is_one_line(kafka_bootstrap: str) -> None:
    code, out, error = publish(raw(event("call.dtmf")), kafka_bootstrap, Topics("nobody"))

    assert (code, out) == (1, "")
    assert (
        error == f"callfold: the topic nobody.telephony does not exist at {kafka_bootstrap} (CALLFOLD_TOPIC_PREFIX)\n"
    )


def test_an_unreachable_broker_is_one_line() -> None:
    code, out, error = publish(b"", "127.0.0.1:1", Topics())

    assert (code, out) == (1, "")
    assert error == "callfold: Kafka cannot be reached at 127.0.0.1:1 (CALLFOLD_KAFKA_BOOTSTRAP)\n"


async def test_ctrl_c_prints_how_many_were_acknowledged_and_how_to_continue(
    kafka_bootstrap: str, topics: Topics
) -> None:
    with started(kafka_bootstrap, topics) as process:
        await feed_until_stored(process, 10, kafka_bootstrap, topics)

        process.send_signal(signal.SIGINT)
        out, error = process.communicate(timeout=scaled(60))

    assert (process.returncode, out) == (130, b"")
    assert error.startswith(b"callfold: interrupted; 10 events were acknowledged; publish again from line 11 on: ")
    assert error.count(b"\n") == 1


async def test_when_the_broker_dies_the_error_names_what_was_acknowledged() -> None:
    topics = Topics("midway")
    with kafka_server() as broker:
        await retry_until_available(
            "kafka", lambda: declare(KafkaAccess(broker.address), topics, Wanted(PARTITIONS, 1)), KafkaUnavailable
        )
        with started(broker.address, topics) as process:
            await feed_until_stored(process, 10, broker.address, topics)

            broker.kill()
            out, error = process.communicate(raw(event("call.dtmf")), timeout=scaled(60))

    assert (process.returncode, out) == (1, b"")
    assert b"did not answer in time" in error
    assert b"; 10 events were acknowledged; publish again from line 11 on: " in error
    assert error.count(b"\n") == 1
