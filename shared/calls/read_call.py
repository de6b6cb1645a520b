"""Reading one call: the stored record while it is final, else the record folded from the log, by the same functions."""

from dataclasses import dataclass
from enum import StrEnum

from shared.calls.folding import fold_documents, render
from shared.fold.fold import NoEvents
from shared.fold.prices import PriceBook
from shared.store.ports import Store, StoredCall
from shared.store.states import State


class Finality(StrEnum):
    """How far a record is settled."""

    LIVE = "live"
    """The call goes on; its latency and cost run."""
    SETTLING = "settling"
    """The call has ended; events may still be on their way."""
    FINAL = "final"
    """The call has ended and gone quiet. A late event still changes the record."""


class CallBroken(Exception):
    """The call's events are kept, but cannot be folded, by a mistake of ours."""


@dataclass(frozen=True, slots=True)
class Reading:
    """A record as JSON text, its entity tag, and how far it is settled."""

    body: bytes
    etag: str
    finality: Finality


async def read_call(store: Store, call: str, book: PriceBook) -> Reading | None:
    """Return the record of a call (`<organization_id>/<call_id>`), or None if there is no such call.

    Raises:
        CallBroken: the call cannot be folded.
        StoreUnavailable: the store does not answer.
    """
    stored = await find_call(store, call)
    if stored is None:
        return None
    return as_stored(stored) or await _folded(store, call, book, stored)


async def find_call(store: Store, call: str) -> StoredCall | None:
    """Return what is stored of a call, None where there is nothing to be read.

    Raises:
        CallBroken, StoreUnavailable: see `read_call`.
    """
    stored = await store.find(call)
    if stored is None or stored.state is State.DELETED:
        return None
    if stored.state is State.BROKEN:
        raise CallBroken(call)
    return stored


def as_stored(stored: StoredCall) -> Reading | None:
    """Return the record as it was stored, None where it has to be folded."""
    if stored.state is State.FINAL and stored.body is not None and stored.etag is not None:
        return Reading(stored.body, stored.etag, Finality.FINAL)
    return None


async def _folded(store: Store, call: str, book: PriceBook, stored: StoredCall) -> Reading | None:
    documents = (await store.read([call]))[call]
    if await _is_deleted(store, call):
        return None  # its log may have been read while it was going
    try:
        folded, _ = fold_documents(documents, book, opted_out=stored.opted_out)
    except NoEvents as error:
        raise CallBroken(call) from error
    rendered = render(folded.record)
    return Reading(rendered.body, rendered.etag, finality(stored.state, ended=folded.ended))


def finality(state: State, *, ended: bool) -> Finality:
    """Return how far a record is settled that was folded for a reader."""
    if not ended:
        return Finality.LIVE
    return Finality.FINAL if state is State.FINAL else Finality.SETTLING


async def _is_deleted(store: Store, call: str) -> bool:
    seen = (await store.read_states([call])).get(call)
    return seen is None or seen.state is State.DELETED
