"""Which events the log holds already."""

from collections.abc import Collection, Iterable

from shared.contract.envelope import Event, decode_logged
from shared.contract.ids import call_key
from shared.process.batching import grouped
from shared.store.ids import LogDocument
from shared.store.ports import Store

_READ_BYTES = 4 * 1024 * 1024

Identity = tuple[str, str, str]
"""The key of the call, and what names an event within it."""


def identity(event: Event) -> Identity:
    """Return what names an event among all."""
    return (call_key(event.organization_id, event.call_id), *event.identity)


async def logged(store: Store, events: Collection[Event]) -> set[Identity]:
    """Return the names of those of the events that the log holds.

    Raises:
        StoreUnavailable: the store does not answer.
    """
    calls = {identity(event)[0] for event in events}
    sizes = await store.sizes(calls)
    asked = {identity(event) for event in events}
    found: set[Identity] = set()
    for group in grouped((call for call in calls if sizes.get(call)), sizes.__getitem__, _READ_BYTES):
        for documents in (await store.read(group)).values():
            found |= asked & {identity(event) for event in _events(documents)}
    return found


def _events(documents: Iterable[LogDocument]) -> Iterable[Event]:
    for document in documents:
        for raw in document.events:
            event = decode_logged(raw, document.redacted_at)
            if isinstance(event, Event):
                yield event
