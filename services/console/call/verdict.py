"""Why the call has its status, in one sentence."""

from dataclasses import dataclass

from services.console.call.moments import since
from services.console.call.names import anchor
from shared.fold.call import Call
from shared.fold.lifecycle.ends import ACTIVITY
from shared.fold.record import Record


@dataclass(frozen=True, slots=True)
class Verdict:
    """A sentence, and the id of the entry that it speaks of, None if there is none."""

    text: str
    anchor: str | None
    message: str | None = None


def verdict_of(call: Call, record: Record, zero: int) -> Verdict:
    final = call.ends.final
    status = record["call_status"]
    if final is not None:
        event = final.event
        reason = event.data.get("disconnection_reason", "unknown")
        inferred = " It is inferred: nothing arrived any more." if final.inferred else ""
        text = f"{status} because {event.type} came from {event.ordering_key.source} at {since(final.moment, zero)}"
        return Verdict(f"{text} with the reason “{reason}”.{inferred}", anchor(event), event.data.get("message"))
    active = call.events.of(*ACTIVITY)
    if active:
        which = f"the latest of {len(active):,} activities is {active[-1].type}"
        left = "; the ends that came do not count" if call.ends.all else ""
        return Verdict(f"{status} because no end counts{left}: {which} at {since(active[-1].time, zero)}.", None)
    return Verdict(f"{status} because no event shows that the call was answered, and no end arrived.", None)
