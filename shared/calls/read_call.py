"""Reading a call: its stored record if that is final, else a record folded from the log.

`CachedReads` keeps the parsed events of a call for the next reader, who comes soon while a call is live: documents of
the log change by redaction alone, so that only new ones have to be read. It keeps nothing of a call that has opted out.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import chain

from cachetools import TTLCache

from shared.calls.fold_call import Rendered, fold_documents, render, valid_events
from shared.contract.decode_event import Event
from shared.fold.call import NoEvents
from shared.fold.fold import fold
from shared.fold.prices import PriceBook
from shared.process.single_flight import SingleFlight
from shared.store.ids import size_of
from shared.store.models import CallSnapshot, LogDocument, StoredCall
from shared.store.ports import Store
from shared.store.states import State
from shared.store.zstd_frame import Frame, decompress

POOLED_BYTES = 2 * 1024 * 1024
"""From this many bytes of log on a call is not folded for a reader here, but in the pool.

Twice `LARGE_BYTES`, because events are parsed here in chunks between which other requests run.
"""

CONCURRENCY = 2
"""Calls whose events are parsed at once: each may take ten megabytes meanwhile."""

_CHUNK_BYTES = 64 * 1024
_CACHE_BYTES = 16 * 1024 * 1024
_CACHE_SECONDS = 30.0
_CACHE_CALLS = 10_000
_PARSED = 5  # a parsed event takes so many times the memory of its text


class Finality(StrEnum):
    """How final a record is."""

    LIVE = "live"
    """The call is live; its latency and cost still change."""
    SETTLING = "settling"
    """The call has ended; events may still arrive."""
    FINAL = "final"
    """The call has ended and its quiet period is over. A late event still changes the record."""


class CallBroken(Exception):
    """The call cannot be folded because of an internal error; its events are kept."""


@dataclass(frozen=True, slots=True)
class Reading:
    """A record, or details, as JSON text or as a zstd frame of it, its entity tag and its finality."""

    content: bytes | Frame
    etag: str
    finality: Finality

    @property
    def body(self) -> bytes:
        """The JSON text.

        Raises:
            CallBroken: the stored record is damaged.
        """
        if not isinstance(self.content, Frame):
            return self.content
        try:
            return decompress(self.content)
        except ValueError as error:
            raise CallBroken("its stored record is damaged") from error


@dataclass(frozen=True, slots=True)
class Large:
    """A call that has to be folded in the pool; `etag` is the reading's, None if only the fold can give it."""

    etag: str | None


async def read_call(store: Store, call: str, book: PriceBook) -> Reading | None:
    """Return the record of a call (`<organization_id>/<call_id>`), or None if there is no such call.

    Raises:
        CallBroken: the call cannot be folded.
        StoreUnavailable: the store does not answer.
    """
    stored = await stored_call(store, call)
    if stored is None:
        return None
    if (reading := _final(stored)) is not None:
        return reading
    if (found := await present_log(store, call)) is None:
        return None
    documents, _ = found
    try:
        folded, _ = fold_documents(documents, book, opted_out=stored.opted_out)
    except NoEvents as error:
        raise CallBroken(call) from error
    return _reading(render(folded.record), stored.state, ended=folded.ended)


async def stored_call(store: Store, call: str) -> StoredCall | None:
    """Return what is stored of a call, None if there is no such call.

    Raises:
        CallBroken, StoreUnavailable: see `read_call`.
    """
    stored = await store.find(call)
    if stored is None or stored.state is State.DELETED:
        return None
    if stored.state is State.BROKEN:
        raise CallBroken(call)
    return stored


async def present_log(store: Store, call: str) -> tuple[Sequence[LogDocument], CallSnapshot] | None:
    """Return the log of a call and its state afterwards, None if it is deleted."""
    documents = (await store.read([call]))[call]
    state = await present_state(store, call)
    return None if state is None else (documents, state)


async def present_state(store: Store, call: str) -> CallSnapshot | None:
    """Return the state of a call whose log was read; None if it is deleted, so that the log may be incomplete."""
    state = (await store.read_states([call])).get(call)
    return None if state is None or state.state is State.DELETED else state


def _final(stored: StoredCall) -> Reading | None:
    """Return the stored record if it can be served, None if the call has to be folded."""
    if stored.state is State.FINAL and stored.content is not None and stored.etag is not None:
        return Reading(stored.content, stored.etag, Finality.FINAL)
    return None


def _reading(rendered: Rendered, state: State, *, ended: bool) -> Reading:
    return Reading(rendered.body, rendered.etag, finality_of(state, ended=ended))


def finality_of(state: State, *, ended: bool) -> Finality:
    """Return how final is what was folded from the log of a call in this state."""
    if not ended:
        return Finality.LIVE
    return Finality.FINAL if state is State.FINAL else Finality.SETTLING


async def parsed_events(store: Store, ids: Sequence[str]) -> dict[str, Sequence[Event]]:
    """Return the valid events of these documents of the log, by document; other tasks run meanwhile."""
    parsed: dict[str, Sequence[Event]] = {}
    chunk = 0
    for document in await store.documents(ids) if ids else ():
        parsed[document.id], _ = valid_events([document])
        chunk += size_of(document.id)
        if chunk >= _CHUNK_BYTES:
            chunk = 0
            await asyncio.sleep(0)  # other requests go first
    return parsed


@dataclass(frozen=True, slots=True)
class _CachedCall:
    """The valid events of a call, by document, as of the documents `ids` of `size` bytes in all, and their record."""

    ids: Sequence[str]
    size: int
    events: dict[str, Sequence[Event]]
    rendered: Rendered
    ended: bool

    def weight(self) -> int:
        """Return about how many bytes of memory it takes."""
        return _PARSED * self.size + len(self.rendered.body)


@dataclass(frozen=True, slots=True)
class _Final:
    """What was folded of a call that is final: its stored record, if there is one, is served instead."""

    reading: Reading


class CachedReads:
    """Reads calls as `read_call` does, with a cache; calls from `POOLED_BYTES` on it leaves to the pool."""

    def __init__(self, store: Store, book: PriceBook) -> None:
        self._store = store
        self._book = book
        self._folds = SingleFlight(self._fold)
        self._slots = asyncio.Semaphore(CONCURRENCY)
        self._cache: TTLCache[str, _CachedCall] = TTLCache(_CACHE_BYTES, _CACHE_SECONDS, getsizeof=_CachedCall.weight)
        self._large: TTLCache[str, bool] = TTLCache(_CACHE_CALLS, _CACHE_SECONDS)

    async def read(self, call: str) -> Reading | Large | None:
        """Return the record of a call, or None if there is no such call.

        Raises:
            CallBroken, StoreUnavailable: see `read_call`.
        """
        if call in self._cache:
            # The fold reads the call's state after its log anyway: only a final one has a record to ask for.
            folded = await self._folds.get(call)
            if not isinstance(folded, Large | _Final):
                return folded
        stored = await stored_call(self._store, call)
        if stored is None:
            return None
        if (reading := _final(stored)) is not None:
            self._cache.pop(call, None)
            return reading
        folded = Large(None) if call in self._large else await self._folds.get(call)
        if isinstance(folded, Large):
            return Large(stored.etag if stored.state is State.FINAL else None)
        return folded.reading if isinstance(folded, _Final) else folded

    async def _fold(self, call: str) -> Reading | _Final | Large | None:
        ids = await self._store.ids(call)
        if (size := sum(map(size_of, ids))) >= POOLED_BYTES:
            self._large[call] = True
            return Large(None)
        cached: _CachedCall | None = self._cache.get(call)
        if cached is not None and cached.ids == ids:
            state = await self._checked_state(call)
            if state is None:
                return None
            if not state.opted_out:
                return _found(cached, state.state)
        async with self._slots:
            return await self._fold_anew(call, ids, size)

    async def _fold_anew(self, call: str, ids: Sequence[str], size: int) -> Reading | _Final | None:
        cached: _CachedCall | None = self._cache.get(call)
        known = {} if cached is None else cached.events
        events = await parsed_events(self._store, [each for each in ids if each not in known])
        state = await self._checked_state(call)
        if state is None:
            return None
        events |= {each: known[each] for each in ids if each in known}
        try:
            folded = fold(chain.from_iterable(events.values()), self._book, opted_out=state.opted_out)
        except NoEvents as error:
            raise CallBroken(call) from error
        now = _CachedCall(ids, size, events, render(folded.record), folded.ended)
        if not folded.record["opt_out_sensitive_data_storage"] and now.weight() <= _CACHE_BYTES:
            self._cache[call] = now
        else:
            self._cache.pop(call, None)
        return _found(now, state.state)

    async def _checked_state(self, call: str) -> CallSnapshot | None:
        """Return what `present_state` does; remove the call from the cache if it is deleted or has opted out.

        Raises:
            CallBroken: the call is broken.
        """
        state = await present_state(self._store, call)
        if state is None or state.opted_out:
            self._cache.pop(call, None)
        if state is not None and state.state is State.BROKEN:
            self._cache.pop(call, None)
            raise CallBroken(call)
        return state


def _found(folded: _CachedCall, state: State) -> Reading | _Final:
    reading = _reading(folded.rendered, state, ended=folded.ended)
    return _Final(reading) if state is State.FINAL else reading
