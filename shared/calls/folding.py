"""From the log's documents to a record and its rendered form: what the folder stores is what a reader gets."""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass

import orjson

from shared.contract.envelope import Event, decode_logged
from shared.fold.fold import Folded, fold
from shared.fold.prices import PriceBook
from shared.fold.record import Record
from shared.store.ids import LogDocument

_ETAG_BYTES = 16


@dataclass(frozen=True, slots=True)
class Rendered:
    """A record as JSON text, and its strong entity tag (RFC 9110, 8.8.3)."""

    body: bytes
    etag: str


def fold_documents(documents: Iterable[LogDocument], book: PriceBook, *, opted_out: bool = False) -> tuple[Folded, int]:
    """Return what the log tells of one call, and how many of its events the present rules find invalid.

    Raises:
        NoEvents: not one valid event.
    """
    decoded = [decode_logged(raw, document.redacted_at) for document in documents for raw in document.events]
    events = [event for event in decoded if isinstance(event, Event)]
    return fold(events, book, opted_out=opted_out), len(decoded) - len(events)


def render(record: Record) -> Rendered:
    """Return the record as it is served."""
    body = orjson.dumps(record)
    return Rendered(body, f'"{hashlib.blake2b(body, digest_size=_ETAG_BYTES).hexdigest()}"')
