"""How a call ended: which of its ends count, and which one is final (docs/record.md, Ends)."""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import NamedTuple

from shared.contract.decode_event import Event, OrderingKey
from shared.contract.problems import ProblemKind
from shared.fold.conversation.turns import StandingTurn
from shared.fold.events import CallEvents, leg_of
from shared.fold.lifecycle.end import SAME_MS, End
from shared.fold.lifecycle.evidence import Evidence
from shared.fold.lifecycle.legs import Legs
from shared.fold.lifecycle.nearby import EarliestNearby
from shared.fold.lifecycle.session import ENDS, Session
from shared.fold.problems import CallProblem
from shared.fold.record import CallStatus

ACTIVITY = (
    "call.started",
    "call.transferred",
    "call.dtmf",
    "transcript.turn",
    "transcript.retracted",
    "tool.called",
    "tool.returned",
    "latency.sampled",
)
"""The types of events that make a call ONGOING."""

_GENERAL_REASONS = frozenset(
    {
        *("unknown", "unspecified", "none", "completed", "ended", "call_ended", "hangup", "hang_up", "inactivity"),
        *("normal", "normal_clearing", "normal_call_clearing", "normal_unspecified", "normal_hangup"),
    }
)
_AS_ONE = str.maketrans(" -", "__")


class Ends(NamedTuple):
    """The ends of a call, in order.

    `left` are those that count and neither are undone nor give way to another; `final` is the one of them that decides
    how the call ended, None while it goes on. `undone` has when each undone end was undone (Unix milliseconds).
    """

    all: Sequence[End] = ()
    final: End | None = None
    left: Sequence[End] = ()
    undone: Mapping[OrderingKey, int] = MappingProxyType({})
    overruled: frozenset[OrderingKey] = frozenset()

    def problems(self) -> list[CallProblem]:
        """Return a problem for each end that was undone or overruled, or states a moment before the session."""
        problems: list[CallProblem] = []
        for end in self.all:
            if end.stated is None and end.event.data.get("end_timestamp") is not None:
                detail = "this `end_timestamp` lies before the session's start, and counts as not stated"
                problems.append(CallProblem(ProblemKind.END_BEFORE_START, end.event, "end_timestamp", detail))
            if end.event.ordering_key in self.undone:
                detail = "a later `call.started` undoes this end: the call, or the leg, went on"
                problems.append(CallProblem(ProblemKind.END_UNDONE, end.event, None, detail))
            if end.event.ordering_key in self.overruled:
                detail = "a later end counts instead of this one: the call went on after it"
                problems.append(CallProblem(ProblemKind.END_OVERRULED, end.event, None, detail))
        return problems


NO_ENDS = Ends()


def ends_of(call: CallEvents, session: Session | None, legs: Legs, turns: Sequence[StandingTurn]) -> Ends:
    """Return the ends of the call; `turns` are the final ones that stand."""
    ends = [_read(event, session) for event in call.of(*ENDS)]
    if not ends:
        return NO_ENDS
    counting = [end for end in ends if end.leg is None or legs.ends_count(end.leg)]
    real = [end for end in counting if not end.inferred]
    undone = _undone(real, call.of("call.started"))
    remaining = [end for end in real if end.event.ordering_key not in undone]
    overruled: frozenset[OrderingKey] = frozenset()
    if len(remaining) > 1:
        evidence = Evidence(remaining, call, session, legs, turns)
        overruled = frozenset(end.event.ordering_key for end in remaining if evidence.overrules(end))
    left = [end for end in remaining if end.event.ordering_key not in overruled]
    if not left:
        left = _inferred(counting, ends, call, legs)
    final = left[0] if len(left) == 1 else max(left, key=_weight, default=None)
    return Ends(ends, final, left, undone, overruled)


def status(call: CallEvents, final: End | None) -> CallStatus:
    """Return the status; `final` is the final end."""
    if final is not None:
        return "ERROR" if final.event.type == "call.failed" else "ENDED"
    if any(kind in call.by_type for kind in ACTIVITY):
        return "ONGOING"
    if "call.scheduled" in call.by_type and not ("call.created" in call.by_type or "call.ringing" in call.by_type):
        return "SCHEDULED"
    return "REGISTERED"


def is_general(reason: str) -> bool:
    """Return whether a reason says no more than that the call ended."""
    return reason.lower().translate(_AS_ONE) in _GENERAL_REASONS


def _read(event: Event, session: Session | None) -> End:
    stated = event.data.get("end_timestamp")
    if stated is not None and session is not None and stated < session.start:
        stated = None
    return End(event, stated, leg_of(event), event.data.get("inferred", False))


def _undone(ends: Sequence[End], started: Sequence[Event]) -> dict[OrderingKey, int]:
    """Return the undone ends, and the time of the earliest `call.started` that undoes each.

    One of the same source and leg at a later time undoes an end; and so does another source's that undoes an end of its
    own whose moment is at most 5 s away.
    """
    if not started or not ends or started[-1].time <= ends[0].event.time:
        return {}  # as in most calls
    own = _undone_by_their_own(ends, started)
    near = EarliestNearby((end.moment, at, end.source) for end, at in own)
    undone = {end.event.ordering_key: at for end, at in own}
    for end in ends:
        at = near.earliest(end.moment - SAME_MS, end.moment + SAME_MS, but_for=end.source)
        if at is not None:
            key = end.event.ordering_key
            undone[key] = min(at, undone.get(key, at))
    return undone


def _undone_by_their_own(ends: Sequence[End], started: Sequence[Event]) -> list[tuple[End, int]]:
    """Return the ends that a later start of the same source and leg undoes, and the time of the earliest such start."""
    times: dict[tuple[str, str | None], list[int]] = {}
    for start in started:
        times.setdefault((start.ordering_key.source, leg_of(start)), []).append(start.time)
    own = []
    for end in ends:
        later = times.get((end.source, end.leg), [])
        first = bisect_right(later, end.event.time)
        if first < len(later):
            own.append((end, later[first]))
    return own


def _inferred(counting: Iterable[End], ends: Iterable[End], call: CallEvents, legs: Legs) -> list[End]:
    """Return the inferred ends that count where no real one is left: those with no activity at a later time.

    With one that counts, the ends of connected legs that are over count too if their moments are at most 5 s away.
    """
    last_activity = call.latest_time(*ACTIVITY) or 0
    inferred = [end for end in counting if end.inferred and end.event.time >= last_activity]
    if not inferred:
        return []
    counted = {end.event.ordering_key for end in counting}
    moments = sorted(end.moment for end in inferred)
    with_them = [
        end
        for end in ends
        if end.leg is not None
        and end.event.ordering_key not in counted
        and not (end.inferred and end.event.time < last_activity)
        and legs.connected(end.leg)
        and legs.line(end.leg).over()
        and bisect_left(moments, end.moment - SAME_MS) < bisect_right(moments, end.moment + SAME_MS)
    ]
    return sorted([*inferred, *with_them], key=lambda end: end.event.ordering_key)


def _weight(end: End) -> tuple[bool, bool, bool, OrderingKey]:
    specific = not is_general(end.event.data.get("disconnection_reason", "unknown"))
    return (specific, end.leg is None, end.event.type == "call.failed", end.event.ordering_key)
