"""From a document of the log to its events: parsed where the document vouches for them, else validated in full."""

from collections.abc import Iterator
from dataclasses import replace

from shared.contract.decode_event import Event, InvalidEvent, decode_logged
from shared.contract.strict.vouching import CONTRACT_VERSION, WITH_CARE, trusted
from shared.store.models import LogDocument


def decode_document(document: LogDocument) -> list[Event | InvalidEvent]:
    """Return the events of a document, or why they are invalid under the present rules.

    One of another version of the contract, and a redacted one, vouch for nothing.
    """
    if document.contract != CONTRACT_VERSION or document.redacted_at:
        return _in_full(document)
    vouched = document.vouched or bytes(len(document.events))
    try:
        return [
            decode_logged(raw) if reading == WITH_CARE else trusted(raw, reading)
            for raw, reading in zip(document.events, vouched, strict=True)
        ]
    except (LookupError, TypeError, ValueError, ArithmeticError, AttributeError):
        return _in_full(document)  # somebody edited it


def decoded_in_parts(document: LogDocument, events: int) -> Iterator[list[Event | InvalidEvent]]:
    """Yield the same, so many events at a time: between them other tasks can run."""
    for start in range(0, len(document.events), events):
        part = slice(start, start + events)
        yield decode_document(replace(document, events=document.events[part], vouched=document.vouched[part]))


def _in_full(document: LogDocument) -> list[Event | InvalidEvent]:
    return [decode_logged(raw, document.redacted_at) for raw in document.events]
