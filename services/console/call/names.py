"""Names of parts of a call's page: the same event has the same name whatever comes later, so that links stay."""

import hashlib

from shared.contract.decode_event import Event
from shared.fold.events import named_key

_BYTES = 6
_NAMED_BY = {"transcript.turn": "turn_id", "transcript.retracted": "turn_id"}
_KINDS = {"transcript.turn": "turn", "transcript.retracted": "turn", "tool.called": "tool", "tool.returned": "tool"}


def anchor(event: Event) -> str:
    """Return the id of an event's part of the page; all revisions of a turn have the same."""
    field = _NAMED_BY.get(event.type)
    key = named_key(event, field) if field else event.identity
    digest = hashlib.blake2s(repr(key).encode(), digest_size=_BYTES).hexdigest()
    return f"{_KINDS.get(event.type, 'event')}-{digest}"
