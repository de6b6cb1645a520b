"""Which events the log already holds."""

from collections.abc import Collection

from shared.calls.fold_call import valid_events
from shared.contract.decode_event import Event
from shared.contract.ids import call_key
from shared.process.batching import grouped
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
            logged, _ = valid_events(documents)
            found |= wanted & set(map(identity, logged))
    return found
