"""Which events the log already holds."""

from collections.abc import Collection, Iterable

from shared.calls.decode_document import decode_document
from shared.contract.decode_event import Event
from shared.contract.ids import call_key
from shared.process.batching import grouped
from shared.store.models import LogDocument
from shared.store.ports import Store

_READ_BYTES = 4 * 1024 * 1024

Identity = tuple[str, str, str]
"""The key of the call, and the event's source and id."""


def identity(event: Event) -> Identity:
    return (call_key(event.organization_id, event.call_id), *event.identity)


async def already_ingested(store: Store, events: Collection[Event]) -> set[Identity]:
    """Return the identities of those of the events that the log holds.

    Raises:
        StoreUnavailable: the store does not answer.
    """
    calls = {identity(event)[0] for event in events}
    sizes = await store.sizes(calls)
    wanted = {identity(event) for event in events}
    found: set[Identity] = set()
    for group in grouped((call for call in calls if sizes.get(call)), sizes.__getitem__, _READ_BYTES):
        for documents in (await store.read(group)).values():
            found |= wanted & {identity(event) for event in _events(documents)}
    return found


def _events(documents: Iterable[LogDocument]) -> Iterable[Event]:
    for document in documents:
        yield from (event for event in decode_document(document) if isinstance(event, Event))
