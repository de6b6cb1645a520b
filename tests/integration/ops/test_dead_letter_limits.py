"""Which dead letters `callfold dead-letters list` and `export` select."""

import asyncio
import base64
from pathlib import Path

import orjson

from services.ops.errors import CommandError
from shared.contract.timestamps import rfc3339
from shared.contract.topics import Topics
from tests.support.callfold import Callfold
from tests.support.servers.kafka import Message, producer, records

HOSTILE = bytes(range(256))


def letter(topics: Topics, value: bytes, reason: bytes = b"missing") -> Message:
    return {"topic": topics.dead_letter, "key": b"k", "value": value, "headers": [("reason", reason)]}


async def put(bootstrap: str, *letters: Message) -> None:
    """Publish one by one, so that their timestamps differ."""
    async with producer(bootstrap, linger_ms=0) as sender:
        for each in letters:
            await sender.send_and_wait(**each)
            await asyncio.sleep(0.005)


async def test_a_list_has_the_dead_letters_within_every_limit(
    callfold: Callfold, kafka_bootstrap: str, topics: Topics
) -> None:
    bodies = [{"subject": call, "source": source} for call, source in (("a", "/x"), ("a", "/y"), ("b", "/x"))]
    letters = [letter(topics, orjson.dumps(body)) for body in bodies]
    await put(kafka_bootstrap, *letters, letter(topics, orjson.dumps(bodies[0]), b"not_json"))
    times = [rfc3339(record.timestamp) for record in await records(kafka_bootstrap, topics.dead_letter)]

    async def listed(*limits: str) -> list[str]:
        return [each["number"] for each in orjson.loads((await callfold("list", "--json", *limits)).stdout)]

    assert await listed("--reason", "missing", "--call", "a", "--source", "/x") == ["0"]
    assert await listed("--call", "b", "--call", "a", "--reason", "not_json") == ["3"]
    assert await listed("--from", times[1], "--until", times[3]) == ["1", "2"]
    assert await listed("--until", times[1]) == ["0"]
    assert await listed("--from", "2100-01-01T00:00:00Z") == []


async def test_an_export_goes_to_a_file_or_to_standard_output(
    callfold: Callfold, kafka_bootstrap: str, topics: Topics, tmp_path: Path
) -> None:
    file = tmp_path / "letters.jsonl"
    await put(kafka_bootstrap, letter(topics, b"{}"), letter(topics, HOSTILE))

    named = await callfold("export", "1", "--output", str(file))
    existing = await callfold("export", "--output", str(file))
    shown = await callfold("export", "--reason", "missing")

    assert (named.exit_code, named.stdout, named.stderr) == (0, "", "1 exported\n")
    assert base64.b64decode(orjson.loads(file.read_bytes())["value"]["base64"]) == HOSTILE
    assert isinstance(existing.exception, CommandError)
    assert [orjson.loads(line)["number"] for line in shown.stdout.splitlines()] == ["0", "1"]


async def test_a_long_table_has_one_heading(callfold: Callfold, kafka_bootstrap: str, topics: Topics) -> None:
    async with producer(kafka_bootstrap) as sender:
        await asyncio.gather(*[await sender.send(**letter(topics, b"{}")) for _ in range(2_100)])

    lines = (await callfold("list")).stdout.splitlines()

    assert len(lines) == 2_101
    assert [line.split()[0] for line in lines] == ["number", *map(str, range(2_100))]
