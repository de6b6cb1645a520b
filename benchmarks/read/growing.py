"""A reader who comes again after each burst of events that a call has been told of."""

import asyncio
import http.client
import itertools
import time
from collections.abc import Sequence
from statistics import quantiles

import orjson

from benchmarks.calls import BURST
from benchmarks.read.wrk import Question, Rate
from shared.store.ids import documents
from shared.store.models import SourcePartition
from shared.store.ports import Store
from tests.support.api.client import CONTENT_KEY
from tests.support.events.makers import STARTED, event, raw

_PERCENT = 100
_STRETCH = SourcePartition("calls.telephony", 1)


class Growing:
    """A call, by its key, that is told of more and more."""

    def __init__(self, store: Store, call: str) -> None:
        self._store = store
        self._call = call
        self._offsets = itertools.count()

    async def grow(self) -> None:
        """Tell of one burst."""
        organization, call = self._call.split("/")
        told = [
            (offset, raw(event("call.note", at=STARTED, id=f"note-{offset}", call=call, organization=organization)))
            for offset in itertools.islice(self._offsets, BURST)
        ]
        await self._store.insert(list(documents(self._call, _STRETCH, told, CONTENT_KEY)))

    async def read(self, address: str, question: Question, seconds: float) -> Rate:
        """Let it grow, read it, and so on for so long.

        Raises:
            AssertionError: an answer lacks what had been told before.
        """
        connection = http.client.HTTPConnection(address)
        took: list[float] = []
        entries: list[int] = []
        until = time.perf_counter() + seconds
        while time.perf_counter() < until:
            await self.grow()
            asked = time.perf_counter()
            body = await asyncio.to_thread(_get, connection, question)
            took.append(time.perf_counter() - asked)
            entries.append(len(orjson.loads(body)["data"]["events"]))
        connection.close()
        assert _steps(entries) <= {BURST}, f"{self._call} has grown by {_steps(entries)}"
        ranked = quantiles(took, n=_PERCENT)
        return Rate(len(took) / sum(took), 1000 * ranked[49], 1000 * ranked[98])


def _steps(entries: Sequence[int]) -> set[int]:
    return {later - earlier for earlier, later in itertools.pairwise(entries)}


def _get(connection: http.client.HTTPConnection, question: Question) -> bytes:
    connection.request("GET", question.path, headers=dict(question.headers))
    return connection.getresponse().read()
