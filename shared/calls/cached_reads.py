"""Reading calls that are not large: a final one as it stands, any other folded here, from the log.

What was parsed of a call is remembered for the next reader, who comes soon while a call goes on: documents of the log
change by redaction alone, so that only those have to be read that are new. Of a call that has opted out nothing is
remembered.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain

from cachetools import TTLCache

from shared.calls.folding import Rendered, render
from shared.calls.large_calls import LARGE_BYTES
from shared.calls.read_call import CallBroken, Reading, as_stored, finality, find_call
from shared.contract.envelope import Event, decode_logged
from shared.fold.fold import NoEvents, fold
from shared.fold.prices import PriceBook
from shared.process.single_flight import SingleFlight
from shared.store.ids import size_of
from shared.store.ports import CallSnapshot, Store
from shared.store.states import State

POOLED_BYTES = 2 * LARGE_BYTES
"""From so many bytes of log on a call is folded in the pool. Parsed bit by bit, it may have more than elsewhere."""

_AT_ONCE = 2
"""So many calls are parsed at once: each may take ten megabytes meanwhile."""

_BIT_BYTES = 64 * 1024
_REMEMBERED_BYTES = 16 * 1024 * 1024
_REMEMBERED_SECONDS = 30.0
_REMEMBERED_CALLS = 10_000
_PARSED = 5
"""An event, parsed, takes so many times the memory of its text."""


@dataclass(frozen=True, slots=True)
class Large:
    """A call that has to be folded, but not here; `etag` is the record's, None where only the fold will tell."""

    etag: str | None


_LARGE = Large(None)


@dataclass(frozen=True, slots=True)
class _Known:
    """A call as the log's documents `ids` tell it: their valid events, and what these come to."""

    ids: Sequence[str]
    events: dict[str, Sequence[Event]]
    rendered: Rendered
    ended: bool


class SmallReads:
    """Readers of calls; tells those apart that are large."""

    def __init__(self, store: Store, book: PriceBook) -> None:
        self._store = store
        self._book = book
        self._folding = SingleFlight(self._fold)
        self._turns = asyncio.Semaphore(_AT_ONCE)
        self._known: TTLCache[str, _Known] = TTLCache(_REMEMBERED_BYTES, _REMEMBERED_SECONDS, getsizeof=_weight)
        self._large: TTLCache[str, bool] = TTLCache(_REMEMBERED_CALLS, _REMEMBERED_SECONDS)

    async def read(self, call: str) -> Reading | Large | None:
        """Return the record of a call (`<organization_id>/<call_id>`), or None if there is no such call.

        Raises:
            CallBroken: the call cannot be folded.
            StoreUnavailable: the store does not answer.
        """
        stored = await find_call(self._store, call)
        if stored is None:
            return None
        if (reading := as_stored(stored)) is not None:
            return reading
        folded = _LARGE if call in self._large else await self._folding.get(call)
        if isinstance(folded, Large):
            return Large(stored.etag if stored.state is State.FINAL else None)
        return folded

    async def _fold(self, call: str) -> Reading | Large | None:
        ids = await self._store.ids(call)
        if sum(map(size_of, ids)) >= POOLED_BYTES:
            self._large[call] = True
            return _LARGE
        known: _Known | None = self._known.get(call)
        if known is not None and known.ids == ids:
            seen = await self._seen(call)
            if seen is None:
                return None
            if not seen.opted_out:
                return _reading(known, seen)
        async with self._turns:
            return await self._fold_anew(call, ids)

    async def _fold_anew(self, call: str, ids: Sequence[str]) -> Reading | None:
        known: _Known | None = self._known.get(call)
        there = {} if known is None else known.events
        events = await self._parsed([each for each in ids if each not in there])
        seen = await self._seen(call)
        if seen is None:
            return None
        events |= {each: there[each] for each in ids if each in there}
        try:
            folded = fold(chain.from_iterable(events.values()), self._book, opted_out=seen.opted_out)
        except NoEvents as error:
            raise CallBroken(call) from error
        now = _Known(ids, events, render(folded.record), folded.ended)
        if not folded.record["opt_out_sensitive_data_storage"] and _weight(now) <= _REMEMBERED_BYTES:
            self._known[call] = now
        else:
            self._known.pop(call, None)
        return _reading(now, seen)

    async def _seen(self, call: str) -> CallSnapshot | None:
        """Return what is known of a call whose log has been read; None if it was, perhaps, while it was going."""
        seen = (await self._store.read_states([call])).get(call)
        if seen is None or seen.state is State.DELETED or seen.opted_out:
            self._known.pop(call, None)
        return None if seen is None or seen.state is State.DELETED else seen

    async def _parsed(self, ids: Sequence[str]) -> dict[str, Sequence[Event]]:
        parsed: dict[str, Sequence[Event]] = {}
        bit = 0
        for document in await self._store.documents(ids) if ids else ():
            decoded = [decode_logged(raw, document.redacted_at) for raw in document.events]
            parsed[document.id] = [event for event in decoded if isinstance(event, Event)]
            bit += size_of(document.id)
            if bit >= _BIT_BYTES:
                bit = 0
                await asyncio.sleep(0)  # others go on
        return parsed


def _weight(known: _Known) -> int:
    """Return how many bytes of memory it takes, about."""
    return _PARSED * sum(map(size_of, known.ids)) + len(known.rendered.body)


def _reading(known: _Known, seen: CallSnapshot) -> Reading:
    return Reading(known.rendered.body, known.rendered.etag, finality(seen.state, ended=known.ended))
