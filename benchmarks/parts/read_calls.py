"""The calls that `read` asks for: final ones of three sizes, live ones, and one that grows between two reads."""

import asyncio
import http.client
import itertools
import time
from collections.abc import Iterator
from dataclasses import dataclass

import orjson

from benchmarks.load.calls import BURST, Workload
from benchmarks.load.wrk import Get, Rate
from shared.calls.fold_call import store_call
from shared.config import price_book
from shared.contract.topics import Topics
from shared.store.ids import documents
from shared.store.models import CallUpdate, LogDocument, SourcePartition
from shared.store.ports import Store
from tests.support.api.client import CONTENT_KEY
from tests.support.events.makers import STARTED, Json, event, raw
from tests.support.store.makers import logged

_TOPICS = Topics("calls")
_PARTITION = 0


@dataclass(frozen=True)
class Kind:
    """Calls of one kind; `first` is the number of the first of them."""

    name: str
    workload: Workload
    first: int

    def records(self) -> dict[str, Json]:
        """Return the record of each call by the reference implementation, by its key."""
        return dict(map(self.workload.expected, self._numbers()))

    async def fill(self, store: Store) -> None:
        """Put the calls into the store, as batches of a burst each would, and fold those that have ended."""
        book, ended = price_book.load(), self.workload.ended
        for number in self._numbers():
            call = self.workload.key(number)
            await store.insert(list(self._documents(call, number)))
            await store.mark_stale([CallUpdate(call, _PARTITION, STARTED, stale=ended)])
            for lease in await store.lease([call], call) if ended else ():
                await store_call(store, lease, book)

    def _numbers(self) -> range:
        return range(self.first, self.first + self.workload.calls)

    def _documents(self, call: str, number: int) -> Iterator[LogDocument]:
        offsets = dict.fromkeys((_TOPICS.transcription, _TOPICS.telephony), 0)
        events = self.workload.call(number, _TOPICS)
        for start in range(0, len(events), BURST):
            burst = events[start : start + BURST]
            for topic in offsets:
                if values := [value for name, _, value in burst if name == topic]:
                    sent = logged(values, offsets[topic])
                    offsets[topic] += len(values)
                    yield from documents(call, SourcePartition(topic, _PARTITION), sent, CONTENT_KEY)


class GrowingCall:
    """A call, by its key, that gets a burst of events before each read."""

    def __init__(self, store: Store, call: str) -> None:
        self._store = store
        self._call = call
        self._next = 0

    async def _grow(self) -> None:
        organization, call = self._call.split("/")
        first = self._next
        self._next += BURST
        events = [
            raw(event("call.note", at=STARTED, id=f"note-{offset}", call=call, organization=organization))
            for offset in range(first, self._next)
        ]
        await self._store.insert(
            list(documents(self._call, SourcePartition(_TOPICS.telephony, 1), logged(events, first), CONTENT_KEY))
        )

    async def read(self, address: str, request: Get, seconds: float) -> Rate:
        """Grow and read in turn for so long; only the reads are timed.

        Raises:
            AssertionError: an answer lacks events that were stored before it.
        """
        connection = http.client.HTTPConnection(address)
        times: list[float] = []
        entries: list[int] = []
        until = time.perf_counter() + seconds
        while time.perf_counter() < until:
            await self._grow()
            asked = time.perf_counter()
            body = await asyncio.to_thread(_get, connection, request)
            times.append(time.perf_counter() - asked)
            entries.append(len(orjson.loads(body)["data"]["events"]))
        connection.close()
        grown = {later - earlier for earlier, later in itertools.pairwise(entries)}
        assert grown <= {BURST}, f"{self._call} has grown by {grown}"
        return Rate.of(times, sum(times))


def _get(connection: http.client.HTTPConnection, request: Get) -> bytes:
    connection.request("GET", request.path, headers=dict(request.headers))
    return connection.getresponse().read()
