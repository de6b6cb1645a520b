"""MongoDB is restored from an older backup than the committed offsets, and `callfold rewind` makes up for it."""

import json
from subprocess import CompletedProcess

from shared.contract.topics import Topics
from shared.process.clock import now_ms
from shared.store.mongo.client import Connection
from tests.integration.worker.conftest import MakeWorker
from tests.support.callfold import run as callfold
from tests.support.events.makers import STARTED, Json, event, rfc3339
from tests.support.events.records import expected, read, wait_for
from tests.support.servers.kafka import lag, publish
from tests.support.servers.topic_changes import delete_records

COLLECTIONS = ("calls", "call_events")


def begun(count: int = 9) -> list[Json]:
    return [event("call.started", call=f"call-{number}") for number in range(count)]


def ended(count: int = 9) -> list[Json]:
    return [event("call.ended", at=STARTED + 9_000, call=f"call-{number}") for number in range(count)]


async def copy(connection: Connection, sources: tuple[str, ...], targets: tuple[str, ...]) -> None:
    """Replace collections by copies of others, as a backup and its restoration do."""
    for source, target in zip(sources, targets, strict=True):
        async for _ in connection.collection(source).aggregate([{"$out": target}]):
            pass


async def test_after_a_rewind_a_restored_store_has_all_records_again(
    make_worker: MakeWorker, kafka_bootstrap: str, topics: Topics, connection: Connection
) -> None:
    backup = tuple(f"backup_{name}" for name in COLLECTIONS)
    before, after = begun(), [*ended(), event("call.started", call="later"), event("call.ended", call="later")]
    worker = make_worker().start().wait_until_ready()
    await publish(kafka_bootstrap, topics, before)
    await wait_for(connection, expected(before), None)
    worker.stop()
    await copy(connection, COLLECTIONS, backup)
    time = rfc3339(now_ms())
    worker = make_worker().start().wait_until_ready()
    await publish(kafka_bootstrap, topics, after)
    await wait_for(connection, expected([*before, *after]))
    refused = rewind(kafka_bootstrap, topics, "--to", time)
    worker.stop()
    await copy(connection, backup, COLLECTIONS)
    lost = await read(connection, "org-789/later")

    planned = json.loads(rewind(kafka_bootstrap, topics, "--to", time, "--margin", "0", "--dry-run", "--json").stdout)
    unchanged = await lag(kafka_bootstrap, topics.prefix, topics)
    earliest = rewind(kafka_bootstrap, topics, "--to", "24h", "--margin", "1e9", "--dry-run", "--json")
    done = rewind(kafka_bootstrap, topics, "--to", time, "--margin", "0", "--json")
    left = await lag(kafka_bootstrap, topics.prefix, topics)
    make_worker().start().wait_until_ready()

    await wait_for(connection, expected([*before, *after]))
    assert refused.returncode == 1
    assert b"has members" in refused.stderr
    assert lost == (None, None)
    assert (done.returncode, unchanged) == (0, 0)
    assert [planned["set"], json.loads(done.stdout)["set"]] == [False, True]
    assert json.loads(earliest.stdout)["since"].startswith("1970-01-01T00:00:00")
    assert sum(part["records"] for part in planned["partitions"]) == left == len(after)


async def test_a_partition_that_no_longer_holds_the_time_is_named_and_nothing_is_set(
    make_worker: MakeWorker, kafka_bootstrap: str, topics: Topics, connection: Connection
) -> None:
    events = [*begun(), *ended()]
    worker = make_worker().start().wait_until_ready()
    await publish(kafka_bootstrap, topics, events)
    await wait_for(connection, expected(events))
    worker.stop()
    await delete_records(kafka_bootstrap, topics.telephony, {1: 1})

    done = rewind(kafka_bootstrap, topics, "--to", "1h")
    unchanged = await lag(kafka_bootstrap, topics.prefix, topics)
    forced = rewind(kafka_bootstrap, topics, "--to", "1h", "--incomplete")

    assert (done.returncode, unchanged) == (1, 0)
    assert done.stderr.decode().strip().endswith(f"without --incomplete: {topics.telephony}-1")
    assert forced.returncode == 0
    assert await lag(kafka_bootstrap, topics.prefix, topics) == len(events) - 1


def rewind(bootstrap: str, topics: Topics, *arguments: str) -> CompletedProcess[bytes]:
    return callfold("rewind", *arguments, kafka_bootstrap=bootstrap, topic_prefix=topics.prefix, group=topics.prefix)
