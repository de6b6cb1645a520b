"""Reading the details of a call: computed from the log for each reader, whatever state the call is in."""

import asyncio
from collections.abc import Iterable
from itertools import chain

from shared.calls.fold_call import render, valid_events
from shared.calls.read_call import (
    CONCURRENCY,
    POOLED_BYTES,
    CallBroken,
    Finality,
    Large,
    Reading,
    finality_of,
    parsed_events,
    present_log,
    present_state,
    stored_call,
)
from shared.contract.decode_event import Event
from shared.fold.call import NoEvents
from shared.fold.call_details import call_details
from shared.fold.details import Details
from shared.fold.fold import RULES_VERSION
from shared.fold.prices import PriceBook
from shared.process.single_flight import SingleFlight
from shared.store.ids import size_of
from shared.store.models import CallSnapshot
from shared.store.ports import Store


class CallDetails(Details):
    """The details of a call, with the rules and the price book that they were computed by."""

    finality: Finality
    rules_version: int
    price_book_version: str


async def read_details(store: Store, call: str, book: PriceBook) -> Reading | None:
    """Return the details of a call (`<organization_id>/<call_id>`), or None if there is no such call.

    Raises:
        CallBroken: the call cannot be folded.
        StoreUnavailable: the store does not answer.
    """
    if await stored_call(store, call) is None:
        return None
    if (found := await present_log(store, call)) is None:
        return None
    documents, state = found
    events, _ = valid_events(documents)
    return _reading(call, events, book, state)


class DetailsReads:
    """Reads details as `read_details` does, for concurrent readers; calls from `POOLED_BYTES` on it leaves to the pool.

    It caches nothing: details are read now and then, not polled as records are.
    """

    def __init__(self, store: Store, book: PriceBook) -> None:
        self._store = store
        self._book = book
        self._folds = SingleFlight(self._fold)
        self._slots = asyncio.Semaphore(CONCURRENCY)

    async def read(self, call: str) -> Reading | Large | None:
        """Return the details of a call, or None if there is no such call.

        Raises:
            CallBroken, StoreUnavailable: see `read_details`.
        """
        return None if await stored_call(self._store, call) is None else await self._folds.get(call)

    async def _fold(self, call: str) -> Reading | Large | None:
        ids = await self._store.ids(call)
        if sum(map(size_of, ids)) >= POOLED_BYTES:
            return Large(None)
        async with self._slots:
            events = await parsed_events(self._store, ids)
            if (state := await present_state(self._store, call)) is None:
                return None
            return _reading(call, chain.from_iterable(events.values()), self._book, state)


def _reading(call: str, events: Iterable[Event], book: PriceBook, state: CallSnapshot) -> Reading:
    try:
        details = call_details(events, book, opted_out=state.opted_out)
    except NoEvents as error:
        raise CallBroken(call) from error
    finality = finality_of(state.state, ended=any(end["standing"] == "final" for end in details["ends"]))
    rendered = render(served(details, finality, book))
    return Reading(rendered.body, rendered.etag, finality)


def served(details: Details, finality: Finality, book: PriceBook) -> CallDetails:
    """Return the details as they are served: `finality` and the versions stand behind the two ids."""
    return {
        "call_id": details["call_id"],
        "organization_id": details["organization_id"],
        "finality": finality,
        "rules_version": RULES_VERSION,
        "price_book_version": book.version,
        **details,
    }
