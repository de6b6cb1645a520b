"""The limit of writing: inserts documents of the log, made beforehand, as the store inserts those of a batch.

Takes the workload's events a call and its calls in place of topics; writes the count after each bulk.
"""

import asyncio
import sys
from collections import defaultdict
from collections.abc import Iterator

from benchmarks.load.calls import Workload
from shared.config.mongo_access import MongoAccess
from shared.contract.ids import call_key
from shared.contract.topics import Topics
from shared.store.ids import documents
from shared.store.models import LogDocument, SourcePartition
from shared.store.mongo.calls import MongoStore
from shared.store.mongo.client import Connection
from tests.support.store.makers import logged
from tests.support.worker.process import CONTENT_KEY

_MOST_EVENTS = 400_000  # in memory at once, some 400 MB
_EVENTS_A_DOCUMENT = 10
_BULK = 500  # documents: a batch has 5,000 records


async def main(_bootstrap: str, mongo_uri: str, name: str, events: str, calls: str) -> None:
    store = MongoStore(Connection(MongoAccess(mongo_uri), name))
    made = list(_made(Workload(int(events), int(calls))))
    written = 0
    for first in range(0, len(made), _BULK):
        bulk = made[first : first + _BULK]
        await store.insert(bulk)
        written += sum(len(document.events) for document in bulk)
        print(written, flush=True)  # noqa: T201 - the benchmark reads it
    await asyncio.Event().wait()


def written_events(workload: Workload) -> int:
    """Return how many events of a workload are written: those that fill documents."""
    full = sum(workload.size(number) // _EVENTS_A_DOCUMENT for number in range(workload.calls))
    return min(full * _EVENTS_A_DOCUMENT, _MOST_EVENTS)


def _made(workload: Workload) -> Iterator[LogDocument]:
    waiting: defaultdict[bytes, list[bytes]] = defaultdict(list)
    left = written_events(workload)
    for offset, (topic, call, value) in enumerate(workload.messages(Topics())):
        events = waiting[call]
        events.append(value)
        if len(events) == _EVENTS_A_DOCUMENT:
            numbered = logged(waiting.pop(call), offset)
            yield from documents(
                call_key("org-00", call.decode()), SourcePartition(topic, 0), numbered, CONTENT_KEY.encode()
            )
            left -= len(numbered)
        if not left:
            return


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
