"""When an idle call is ended, and the event that ends it."""

import uuid
from collections.abc import Iterable
from dataclasses import dataclass

import orjson

from shared.config.policies import Policy
from shared.contract.decode_event import Event
from shared.contract.timestamps import rfc3339
from shared.fold.call import NoEvents, lifecycle_of
from shared.fold.events import call_events
from shared.fold.facts import Facts
from shared.fold.lifecycle.ends import ACTIVITY, status
from shared.fold.lifecycle.session import ENDS
from shared.fold.record import CallStatus

SOURCE = "/callfold/closer"
"""The source of inferred ends."""

_NAMESPACE = uuid.UUID("9b0f6c58-2d1e-5c0a-8f57-1c7a3f4e6b90")


@dataclass(frozen=True, slots=True)
class OpenCall:
    """A call without an end: `planned` is its record's start, None if unknown.

    `latest` is the time of its latest activity or end, of a call without either that of its latest event: an invoice
    that comes later is no talk. Both are Unix milliseconds.
    """

    organization_id: str
    call_id: str
    status: CallStatus
    latest: int
    planned: int | None

    def due(self, last_arrival: int, policy: Policy) -> int:
        """Return when the call will have been idle for too long (Unix milliseconds), if nothing more arrives."""
        match self.status:
            case "SCHEDULED":
                return max(last_arrival, self.planned or 0) + 1000 * policy.close_scheduled_seconds
            case "REGISTERED":
                return last_arrival + 1000 * policy.close_registered_seconds
            case _:
                return last_arrival + 1000 * policy.close_ongoing_seconds


def open_call(events: Iterable[Event]) -> OpenCall | None:
    """Return the open call that `events`, all of one call, make; None if it has an end.

    Raises:
        NoEvents: there are no events.
    """
    call = call_events(events, opted_out=False)  # the log has the event that opts out
    if not call.events:
        raise NoEvents("a call without events cannot be ended")
    lifecycle = lifecycle_of(call)
    if lifecycle.ends.final is not None:
        return None
    latest = call.events[-1]
    until = call.latest_time(*ACTIVITY, *ENDS)
    planned = Facts(call).start_timestamp(lifecycle.session.start if lifecycle.session else None)
    return OpenCall(
        latest.organization_id,
        latest.call_id,
        status(call, None),
        latest.time if until is None else until,
        planned,
    )


def inferred_end(call: OpenCall) -> bytes:
    """Return the event that ends a call at `latest`, as JSON in structured mode.

    It depends on the call and that time alone: published by several workers, or several times, it is one event.
    """
    name = f"{call.organization_id}/{call.call_id}/{call.latest}"
    event = {
        "specversion": "1.0",
        "id": str(uuid.uuid5(_NAMESPACE, name)),
        "source": SOURCE,
        "type": "call.ended",
        "subject": call.call_id,
        "time": rfc3339(call.latest),
        "organizationid": call.organization_id,
        "data": {"disconnection_reason": "inactivity", "inferred": True},
    }
    return orjson.dumps(event)
