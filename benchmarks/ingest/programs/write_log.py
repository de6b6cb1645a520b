"""The limit of writing: documents of the log, made beforehand, are inserted as the store inserts those of a batch.

Says after each bulk how many events were written. Besides the arguments of the others it takes the workload's events a
call and its calls, in place of the topics.
"""

import asyncio
import sys
from collections import defaultdict
from collections.abc import Iterator

from benchmarks.calls import Workload
from shared.config.mongo_access import MongoAccess
from shared.contract.topics import Topics
from shared.store.ids import call_key, documents
from shared.store.models import LogDocument, SourcePartition
from shared.store.mongo.calls import MongoStore
from shared.store.mongo.client import Connection

MOST_EVENTS = 400_000
"""So many are held in memory at most, with which the process takes some 400 MB."""

_EVENTS_A_DOCUMENT = 10
_BULK = 500  # documents: a batch has 5,000 records
_TOPICS = Topics()
_CONTENT_KEY = b"a key for the hashes of measurements only"


async def main(_bootstrap: str, mongo_uri: str, name: str, events: str, calls: str) -> None:
    """Write everything, then wait for SIGTERM."""
    store = MongoStore(Connection(MongoAccess(mongo_uri), name))
    made = list(_made(Workload(int(events), int(calls))))
    written = 0
    for first in range(0, len(made), _BULK):
        bulk = made[first : first + _BULK]
        await store.insert(bulk)
        written += sum(len(document.events) for document in bulk)
        print(written, flush=True)  # noqa: T201 - what is looked for
    await asyncio.Event().wait()


def written_events(workload: Workload) -> int:
    """Return how many events are written of a workload: those that fill documents."""
    full = sum(workload.size(number) // _EVENTS_A_DOCUMENT for number in range(workload.calls))
    return min(full * _EVENTS_A_DOCUMENT, MOST_EVENTS)


def _made(workload: Workload) -> Iterator[LogDocument]:
    waiting: defaultdict[bytes, list[bytes]] = defaultdict(list)
    left = written_events(workload)
    for offset, (topic, call, value) in enumerate(workload.messages(_TOPICS)):
        events = waiting[call]
        events.append(value)
        if len(events) == _EVENTS_A_DOCUMENT:
            key = call_key("org-00", call.decode())
            numbered = list(enumerate(waiting.pop(call), offset))
            yield from documents(key, SourcePartition(topic, 0), numbered, _CONTENT_KEY)
            left -= len(numbered)
        if not left:
            return


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
