"""The calls that are read: final ones of three sizes and ones that go on, each under a name of its own."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count

from benchmarks.calls import BURST, Workload
from shared.calls.fold_call import store_call
from shared.config import price_book
from shared.store.ids import documents
from shared.store.models import CallUpdate, LogDocument, SourcePartition
from shared.store.ports import Store
from tests.support.api.client import CONTENT_KEY
from tests.support.events.makers import STARTED, Json

_PARTITION = 0


@dataclass(frozen=True)
class Shelf:
    """Calls of one kind; the `first` of them has this number."""

    name: str
    workload: Workload
    first: int

    def records(self) -> dict[str, Json]:
        """Return the record of each call by the reference fold, by its key."""
        return dict(map(self.workload.expected, self._numbers))

    async def fill(self, store: Store) -> None:
        """Put the calls into the store, as batches of a burst each would, and fold those that have ended."""
        book = price_book.load()
        for number in self._numbers:
            call, _ = self.workload.expected(number)
            await store.insert(list(_logged(call, self.workload, number)))
            await store.mark_stale([CallUpdate(call, _PARTITION, STARTED, stale=self.workload.ended)])
            for lease in await store.lease([call], call) if self.workload.ended else ():
                await store_call(store, lease, book)

    @property
    def _numbers(self) -> range:
        return range(self.first, self.first + self.workload.calls)


def _logged(call: str, workload: Workload, number: int) -> Iterator[LogDocument]:
    offsets = {True: count(), False: count()}
    told = list(workload.told(number))
    for start in range(0, len(told), BURST):
        for transcription, topic in ((True, "calls.transcription"), (False, "calls.telephony")):
            events = [
                (next(offsets[which]), raw) for which, raw in told[start : start + BURST] if which == transcription
            ]
            if events:
                yield from documents(call, SourcePartition(topic, _PARTITION), events, CONTENT_KEY)
