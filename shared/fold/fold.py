"""The fold: from the events of a call to its record. Each group of rules is a file of this folder.

The invariant: the record depends on the set of distinct valid events of the call, on the price book and on the version
of these rules, and on nothing else: not on the order of events, on how often each was delivered, on batches or topics,
on crashes, or on which worker folded the call.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from shared.contract.decode_event import Event
from shared.contract.ids import record_id
from shared.fold.call import Call, call_of
from shared.fold.conversation.latency import latency
from shared.fold.conversation.tools import with_tool_calls
from shared.fold.conversation.turns import as_spoken, transcript
from shared.fold.facts import analysis
from shared.fold.lifecycle.duration import end_timestamp, seconds
from shared.fold.lifecycle.ends import status
from shared.fold.prices import PriceBook
from shared.fold.problems import counts
from shared.fold.record import Record
from shared.fold.timeline import timeline

RULES_VERSION = 2
"""Increased with every change of a rule that can change a record."""


@dataclass(frozen=True, slots=True)
class Folded:
    """A call's record; `events` counts the distinct ones, `conflicts` the bodies that lost to another version.

    `problems` has how many problems there are of each kind that has any.
    """

    record: Record
    ended: bool
    events: int
    conflicts: int
    problems: Mapping[str, int]


def fold(events: Iterable[Event], book: PriceBook, *, opted_out: bool = False) -> Folded:
    """Return the record of the call whose events these are, in any order and repeated or not.

    `opted_out`: the call has opted out, even if no event here says so.

    Raises:
        NoEvents: `events` is empty.
    """
    return folded(call_of(events, book, opted_out=opted_out))


def folded(call: Call) -> Folded:
    """Return the record that the events of a call add up to."""
    events_of_call = call.events
    return Folded(
        _record(call),
        ended=call.ends.final is not None,
        events=len(events_of_call.events),
        conflicts=events_of_call.conflicts,
        problems=counts(call.problems) if call.problems else {},
    )


def _record(call: Call) -> Record:
    events, facts, final = call.events, call.facts, call.ends.final
    first = events.events[0]
    session_start = call.session.start if call.session else None
    from_number, to_number = facts.value("from_number"), facts.value("to_number")
    spoken = [as_spoken(turn) for turn in call.shown_turns]
    return {
        "id": record_id(first.organization_id, first.call_id),
        "agent_id": facts.value("agent_id"),
        "call_id": first.call_id,
        "organization_id": first.organization_id,
        "call_status": status(events, final),
        "call_type": call.call_type,
        "direction": call.direction,
        "from_number": from_number,
        "to_number": to_number,
        "start_timestamp": facts.start_timestamp(session_start),
        "end_timestamp": end_timestamp(call.ends),
        "call_duration": None if final is None else seconds(call.duration),
        "disconnection_reason": final.event.data.get("disconnection_reason") if final else None,
        "recording_url": facts.recording_url(),
        "public_log_url": facts.value("public_log_url"),
        "opt_out_sensitive_data_storage": events.opted_out,
        "metadata": facts.metadata(),
        "events": timeline(events, session_start, {"direction": call.direction, "from": from_number, "to": to_number}),
        "transcript": transcript(spoken),
        "transcript_object": spoken,
        "transcript_with_tool_calls": with_tool_calls(call.shown_turns, spoken, call.tools),
        "latency": latency(events),
        "call_analysis": analysis(events),
        "call_cost": call.cost,
        "telephony_identifier": facts.telephony_identifier(),
    }
