"""One growing document per call: pushes each event onto it, a bulk for each batch, with one push per call.

Writes `ready`, the count after each bulk, and `failed` with the reason when MongoDB rejects a document.
"""

import sys
from typing import Any, NoReturn

import orjson
from confluent_kafka import Consumer, Message
from pymongo import MongoClient, UpdateOne, WriteConcern
from pymongo.collection import Collection
from pymongo.errors import BulkWriteError, DocumentTooLarge

Calls = Collection[dict[str, Any]]


def main(bootstrap: str, mongo_uri: str, name: str, *topics: str) -> int:
    """Consume until the process is ended; return 1 when MongoDB rejects a document."""
    consumer = Consumer(
        {
            "bootstrap.servers": bootstrap,
            "group.id": name,
            "enable.auto.commit": False,
            "auto.offset.reset": "earliest",
            "fetch.wait.max.ms": 100,
        }
    )
    consumer.subscribe(list(topics), on_assign=lambda *_: _write("ready"))
    calls: Calls = MongoClient(mongo_uri)[name].get_collection("calls", write_concern=WriteConcern("majority"))
    try:
        _push_all(consumer, calls)
    except (BulkWriteError, DocumentTooLarge) as error:
        _write(f"failed {str(error)[:500]!r}")
        return 1


def _push_all(consumer: Consumer, calls: Calls) -> NoReturn:
    stored = 0
    while True:
        messages = consumer.consume(5_000, timeout=0.05)
        if messages:
            calls.bulk_write(_pushes(messages), ordered=False)
            consumer.commit(asynchronous=False)
            stored += len(messages)
            _write(str(stored))


def _pushes(messages: list[Message]) -> list[UpdateOne]:
    """Return one update per call, with all of its events in the batch."""
    events: dict[str, list[Any]] = {}
    for message in messages:
        event = orjson.loads(message.value() or b"")
        events.setdefault(f"{event['organizationid']}/{event['subject']}", []).append(event)
    return [
        UpdateOne({"_id": call}, {"$push": {"events": {"$each": each}}}, upsert=True) for call, each in events.items()
    ]


def _write(line: str) -> None:
    print(line, flush=True)  # noqa: T201 - the benchmark reads it


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
