"""How a call ended: which of its ends count, and which one is final (docs/record.md, Ends)."""

from collections.abc import Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import NamedTuple

from shared.contract.decode_event import Event, OrderingKey
from shared.contract.problems import ProblemKind
from shared.fold.conversation.turns import StandingTurn
from shared.fold.events import CallEvents, leg_of
from shared.fold.lifecycle.legs import Legs
from shared.fold.lifecycle.session import ENDS, Session, talk_events
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

_SAME_MS = 5_000
"""Moments of one end as two sources state it lie at most so far apart."""

_LATER_MS = 60_000
_AFTERWARDS_MS = 30_000
_GENERAL_REASONS = frozenset(
    {
        *("unknown", "unspecified", "none", "completed", "ended", "call_ended", "hangup", "hang_up", "inactivity"),
        *("normal", "normal_clearing", "normal_call_clearing", "normal_unspecified", "normal_hangup"),
    }
)
_AS_ONE = str.maketrans(" -", "__")


class End(NamedTuple):
    """An end and its moment: the `end_timestamp` that it states, else its event's time (Unix milliseconds).

    `stated` is that `end_timestamp`, None where it states none or one before the session's start.
    """

    event: Event
    stated: int | None
    leg: str | None
    inferred: bool

    @property
    def moment(self) -> int:
        return self.event.time if self.stated is None else self.stated

    @property
    def source(self) -> str:
        return self.event.ordering_key.source


class Ends(NamedTuple):
    """The ends of a call, in order.

    `left` are those that count and neither are undone nor give way to another; `final` is the one of them that tells
    how the call ended, None while it goes on. `undone` has the time (Unix milliseconds) at which each undone end was.
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
                detail = "a later `call.started` of the same source and leg undoes this end: the call went on"
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
    overruled = _overruled(remaining, _Evidence(call, session, legs, turns)) if len(remaining) > 1 else frozenset()
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
    own: list[tuple[End, int]] = []
    for end in ends:
        later = [start.time for start in started if _same_line(start, end) and start.time > end.event.time]
        if later:
            own.append((end, min(later)))
    undone = {end.event.ordering_key: at for end, at in own}
    for end in ends:
        others = [at for other, at in own if other.source != end.source and abs(other.moment - end.moment) <= _SAME_MS]
        if others:
            key = end.event.ordering_key
            undone[key] = min([*others, undone[key]] if key in undone else others)
    return undone


def _same_line(start: Event, end: End) -> bool:
    return start.ordering_key.source == end.source and leg_of(start) == end.leg


class _Evidence:
    """What shows that a call went on after an end."""

    def __init__(self, call: CallEvents, session: Session | None, legs: Legs, turns: Sequence[StandingTurn]) -> None:
        self._legs = legs
        self._session_source = session.source if session else None
        self._talk = [event.time for event in talk_events(call)]
        self._talk += [turn.timestamp for turn in turns if turn.timed]
        self._untimed: dict[str, list[int]] = {}
        for turn in turns:
            if not turn.timed:
                self._untimed.setdefault(turn.ordering_key.source, []).append(turn.timestamp)

    def overrules(self, later: End, earlier: End) -> bool:
        """Return whether an end gives way to another: by talk between them, or because the other knows more."""
        apart = later.moment - earlier.moment
        if apart <= _SAME_MS:
            return False
        if earlier.leg is not None and later.leg != earlier.leg:
            return True
        if apart > _LATER_MS and (self._began(later, earlier) or self._knows_a_leg(later, earlier)):
            return True
        return self._talk_between(earlier.moment + _SAME_MS, later.moment)

    def _began(self, later: End, earlier: End) -> bool:
        source = self._session_source
        return source is not None and later.source == source and earlier.source != source

    def _knows_a_leg(self, later: End, earlier: End) -> bool:
        return (
            later.leg is not None
            and self._legs.connected(later.leg)
            and earlier.source not in self._legs.sources[later.leg]
        )

    def _talk_between(self, after: int, until: int) -> bool:
        """Return whether there was talk later than `after` and not later than `until`.

        Turns that state no time count only if two of one source lie more than 30 s apart: transcripts that are made
        after a call come all at once.
        """
        if any(after < moment <= until for moment in self._talk):
            return True
        for moments in self._untimed.values():
            between = [moment for moment in moments if after < moment <= until]
            if between and max(between) - min(between) > _AFTERWARDS_MS:
                return True
        return False


def _overruled(ends: Sequence[End], evidence: _Evidence) -> frozenset[OrderingKey]:
    return frozenset(
        earlier.event.ordering_key for earlier in ends if any(evidence.overrules(later, earlier) for later in ends)
    )


def _inferred(counting: Iterable[End], ends: Iterable[End], call: CallEvents, legs: Legs) -> list[End]:
    """Return the inferred ends that count where no real one is left: those with no activity at a later time.

    With one that counts, the ends of connected legs that are over count too if their moments are at most 5 s away.
    """
    last_activity = call.latest_time(*ACTIVITY) or 0
    inferred = [end for end in counting if end.inferred and end.event.time >= last_activity]
    if not inferred:
        return []
    counted = {end.event.ordering_key for end in counting}
    with_them = [
        end
        for end in ends
        if end.leg is not None
        and end.event.ordering_key not in counted
        and not (end.inferred and end.event.time < last_activity)
        and legs.connected(end.leg)
        and legs.line(end.leg).over()
        and any(abs(end.moment - other.moment) <= _SAME_MS for other in inferred)
    ]
    return sorted([*inferred, *with_them], key=lambda end: end.event.ordering_key)


def _weight(end: End) -> tuple[bool, bool, bool, OrderingKey]:
    specific = not is_general(end.event.data.get("disconnection_reason", "unknown"))
    return (specific, end.leg is None, end.event.type == "call.failed", end.event.ordering_key)
