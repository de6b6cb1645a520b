"""`callfold dead-letters` on a real broker."""

import asyncio
import subprocess
from pathlib import Path

import orjson
from aiokafka.admin import AIOKafkaAdminClient, NewPartitions

from shared.contract.timestamps import rfc3339
from shared.contract.topics import Topics
from tests.support.callfold import run
from tests.support.servers.kafka import records, send

WHY = (
    ("reason", b"missing"),
    ("detail", b"`data.digits` is missing"),
    ("topic", b"calls.telephony"),
    ("partition", b"7"),
    ("offset", b"1042"),
    ("time", b"2023-12-20T18:41:10.300Z"),
)
HOSTILE = bytes(range(256)) + b"\x1b[2J\r\n[red]"


def callfold(*arguments: str, bootstrap: str, topics: Topics) -> "subprocess.CompletedProcess[bytes]":
    return run("dead-letters", *arguments, kafka_bootstrap=bootstrap, topic_prefix=topics.prefix)


async def put(
    bootstrap: str,
    topics: Topics,
    value: bytes | None,
    *,
    key: bytes | None = b"call-456",
    headers: tuple[tuple[str, bytes], ...] = WHY,
    partition: int = 0,
) -> None:
    message = {"topic": topics.dead_letter, "value": value, "key": key, "headers": list(headers)}
    await send(bootstrap, [{**message, "partition": partition}])


async def split(bootstrap: str, topics: Topics) -> None:
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await admin.start()
    try:
        await admin.create_partitions({topics.dead_letter: NewPartitions(2)})
        # The broker answers before its metadata has the new partition.
        while len((await admin.describe_topics([topics.dead_letter]))[0]["partitions"]) < 2:  # noqa: ASYNC110 - there is no event to wait for
            await asyncio.sleep(0.01)
    finally:
        await admin.close()


async def test_the_list_shows_the_reason_the_call_and_the_input_record(kafka_bootstrap: str, topics: Topics) -> None:
    await put(
        kafka_bootstrap,
        topics,
        b'{"subject": "call-2", "source": "/pbx", "organizationid": "org-1"}',
        key=None,
        headers=(("reason", b"its own"), *WHY),
    )

    done = callfold("list", "--json", bootstrap=kafka_bootstrap, topics=topics)

    assert (done.returncode, done.stderr) == (0, b"")
    (record,) = await records(kafka_bootstrap, topics.dead_letter)
    assert orjson.loads(done.stdout) == [
        {
            "number": "0",
            "time": rfc3339(record.timestamp),
            "reason": "missing",
            "detail": "`data.digits` is missing",
            "organization": "org-1",
            "call": "call-2",
            "source": "/pbx",
            "topic": "calls.telephony",
            "partition": 7,
            "offset": 1042,
            "last_offset": None,
            "replays": 0,
            "replayed_from": None,
        }
    ]


async def test_an_organization_selects_its_dead_letters(kafka_bootstrap: str, topics: Topics) -> None:
    for name in (b"org-1", b"org-2"):
        await put(kafka_bootstrap, topics, b"{", headers=(("ce_organizationid", name), *WHY))

    done = callfold("list", "--organization", "org-2", "--json", bootstrap=kafka_bootstrap, topics=topics)

    assert [letter["number"] for letter in orjson.loads(done.stdout)] == ["1"]


async def test_a_dead_letter_is_shown_and_exported_to_programs(
    kafka_bootstrap: str, topics: Topics, tmp_path: Path
) -> None:
    await put(kafka_bootstrap, topics, b"\xff")
    file = tmp_path / "letters.jsonl"

    shown = callfold("show", "0", "--json", bootstrap=kafka_bootstrap, topics=topics)
    exported = callfold("export", "--json", "--output", str(file), bootstrap=kafka_bootstrap, topics=topics)

    found = orjson.loads(shown.stdout)
    assert (found["number"], found["key"], found["value"]) == ("0", {"text": "call-456"}, {"base64": "/w=="})
    assert shown.stderr == b""
    assert orjson.loads(exported.stdout) == {"exported": 1, "file": str(file)}
    assert orjson.loads(await asyncio.to_thread(file.read_bytes)) == found


async def test_a_line_of_the_list_fits_80_columns(kafka_bootstrap: str, topics: Topics) -> None:
    await put(kafka_bootstrap, topics, HOSTILE, key=HOSTILE, headers=(("detail", HOSTILE), ("reason", b"[b]")))
    await put(kafka_bootstrap, topics, b"{}")

    done = callfold("list", bootstrap=kafka_bootstrap, topics=topics)

    head, hostile, plain = done.stdout.decode().splitlines()
    assert head.split() == ["number", "time", "reason", "call", "detail"]
    assert hostile.isprintable()
    assert max(map(len, (head, hostile, plain))) <= 80


async def test_the_wide_table_has_one_row_each_and_no_control_codes(kafka_bootstrap: str, topics: Topics) -> None:
    await put(kafka_bootstrap, topics, HOSTILE, key=HOSTILE, headers=(("detail", HOSTILE), ("reason", b"[b]")))
    await put(kafka_bootstrap, topics, b"{}")

    done = callfold("list", "--wide", bootstrap=kafka_bootstrap, topics=topics)

    head, hostile, plain = done.stdout.decode().splitlines()
    assert head.split() == [
        *("number", "time", "reason", "detail", "organization", "call"),
        *("source", "topic", "partition", "offset", "replays"),
    ]
    assert hostile.isprintable()
    assert "[b]" in hostile
    assert (plain.split()[0], plain.split()[2]) == ("1", "missing")


async def test_show_writes_the_bytes_as_they_are(kafka_bootstrap: str, topics: Topics) -> None:
    large = b"x" * (3 * 2**19)
    for value in (b"{}", HOSTILE, large):
        await put(kafka_bootstrap, topics, value)

    hostile = callfold("show", "1", bootstrap=kafka_bootstrap, topics=topics)
    whole = callfold("show", "0:2", bootstrap=kafka_bootstrap, topics=topics)

    assert (hostile.returncode, hostile.stdout) == (0, HOSTILE)
    assert hostile.stderr.decode().splitlines()[:2] == ["key: call-456", "reason: missing"]
    assert whole.stdout == large


def test_an_empty_topic_is_an_empty_list(kafka_bootstrap: str, topics: Topics) -> None:
    table = callfold("list", bootstrap=kafka_bootstrap, topics=topics)
    json = callfold("list", "--json", bootstrap=kafka_bootstrap, topics=topics)

    assert (table.returncode, len(table.stdout.splitlines())) == (0, 1)
    assert orjson.loads(json.stdout) == []


async def test_a_number_that_does_not_exist_is_one_line(kafka_bootstrap: str, topics: Topics) -> None:
    await put(kafka_bootstrap, topics, b"{}")

    for number, code, why in (
        ("1", 1, b"no dead letter 1"),
        ("1:0", 1, b"no dead letter"),
        ("x", 2, b"is not the number"),
    ):
        done = callfold("show", number, bootstrap=kafka_bootstrap, topics=topics)

        assert (done.returncode, done.stdout, done.stderr.count(b"\n")) == (code, b"", 1)
        assert why in done.stderr


async def test_with_several_partitions_a_number_names_one(kafka_bootstrap: str, topics: Topics) -> None:
    await split(kafka_bootstrap, topics)
    await put(kafka_bootstrap, topics, b"first")
    await put(kafka_bootstrap, topics, b"second", partition=1)

    listed = orjson.loads(callfold("list", "--json", bootstrap=kafka_bootstrap, topics=topics).stdout)
    shown = callfold("show", "1:0", bootstrap=kafka_bootstrap, topics=topics)
    unnamed = callfold("show", "0", bootstrap=kafka_bootstrap, topics=topics)

    assert [letter["number"] for letter in listed] == ["0:0", "1:0"]
    assert shown.stdout == b"second"
    assert (unnamed.returncode, unnamed.stdout) == (2, b"")
    assert b"name the dead letter as `partition:offset`" in unnamed.stderr
