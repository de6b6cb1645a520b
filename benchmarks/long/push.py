"""One growing document per call: a consumer that pushes each event onto it, a batch at a time, one push per call.

python -m benchmarks.long.push --bootstrap HOST:PORT --uri URI --database NAME --group NAME TOPIC TOPIC

Says on standard output that it is `ready`, how many events are `stored`, and why it `failed`.
"""

import argparse
import sys
from typing import Any, NoReturn

import orjson
from confluent_kafka import Consumer, Message
from pymongo import MongoClient, UpdateOne, WriteConcern
from pymongo.collection import Collection
from pymongo.errors import BulkWriteError, DocumentTooLarge

_BATCH = 5_000
_WAIT_SECONDS = 0.05

Calls = Collection[dict[str, Any]]


def main() -> int:
    """Consume until the process is ended; exits with 1 when MongoDB refuses a document."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name in ("bootstrap", "uri", "database", "group"):
        parser.add_argument(f"--{name}", required=True)
    parser.add_argument("topics", nargs="+")
    chosen = parser.parse_args()
    consumer = Consumer(
        {
            "bootstrap.servers": chosen.bootstrap,
            "group.id": chosen.group,
            "enable.auto.commit": False,
            "auto.offset.reset": "earliest",
            "fetch.wait.max.ms": 100,
        }
    )
    consumer.subscribe(chosen.topics, on_assign=lambda *_: _say("ready"))
    calls: Calls = MongoClient(chosen.uri)[chosen.database].get_collection(
        "calls", write_concern=WriteConcern("majority")
    )
    try:
        _push_all(consumer, calls)
    except (BulkWriteError, DocumentTooLarge) as error:
        _say("failed", str(error)[:500].replace("\n", " "))
        return 1


def _push_all(consumer: Consumer, calls: Calls) -> NoReturn:
    stored = 0
    while True:
        messages = consumer.consume(_BATCH, timeout=_WAIT_SECONDS)
        if messages:
            calls.bulk_write(_pushes(messages), ordered=False)
            consumer.commit(asynchronous=False)
            stored += len(messages)
            _say("stored", str(stored))


def _pushes(messages: list[Message]) -> list[UpdateOne]:
    """Return one update per call, with all that the batch brings of it."""
    events: dict[str, list[Any]] = {}
    for message in messages:
        event = orjson.loads(message.value() or b"")
        events.setdefault(f"{event['organizationid']}/{event['subject']}", []).append(event)
    return [
        UpdateOne({"_id": call}, {"$push": {"events": {"$each": told}}}, upsert=True) for call, told in events.items()
    ]


def _say(what: str, detail: str = "") -> None:
    print(what, detail, flush=True)  # noqa: T201 - the benchmark reads it


if __name__ == "__main__":
    sys.exit(main())
