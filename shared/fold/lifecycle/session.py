"""When the session of a call started (docs/record.md, The session's start)."""

from collections.abc import Sequence
from typing import NamedTuple

from shared.contract.decode_event import Event
from shared.contract.problems import ProblemKind
from shared.fold.conversation.turns import StandingTurn
from shared.fold.events import CallEvents
from shared.fold.problems import CallProblem

ENDS = ("call.ended", "call.failed")
"""The types of ends."""

TALK = ("call.started", "call.dtmf", "call.transferred")
"""The types of events other than turns that show that people talk, if the transfer did not fail."""

_MONTH_MS = 30 * 86_400_000
_HOUR_MS = 3_600_000


class Session(NamedTuple):
    """The session's start in Unix milliseconds, and the source of the `call.started` that gave it, None for a turn."""

    start: int
    source: str | None


def session_of(call: CallEvents, turns: Sequence[StandingTurn]) -> tuple[Session | None, list[CallProblem]]:
    """Return the session, None if there is none, and the problems of the starts that are left out.

    The earliest start that a `call.started` gives, else the earliest standing final turn; `turns` are those. What lies
    more than 30 days before the later of the first end and the latest talk is left out.
    """
    started = [(given_start(event), event) for event in call.of("call.started")]
    candidates = started or [(turn.timestamp, turn.event) for turn in turns]
    if not candidates:
        return None, []
    # No talk is more than an hour after the latest event: a call without old starts needs nothing else.
    if min(start for start, _ in candidates) >= call.events[-1].time + _HOUR_MS - _MONTH_MS:
        return _earliest(candidates, of_turns=not started), []
    earliest = _latest_end_or_talk(call, turns) - _MONTH_MS
    problems = _left_out(candidates, earliest)
    kept = [candidate for candidate in candidates if candidate[0] >= earliest]
    if started and not kept:
        candidates = [(turn.timestamp, turn.event) for turn in turns]
        problems += _left_out(candidates, earliest)
        kept = [candidate for candidate in candidates if candidate[0] >= earliest]
        return (_earliest(kept, of_turns=True) if kept else None), problems
    return (_earliest(kept, of_turns=not started) if kept else None), problems


def given_start(event: Event) -> int:
    """Return the start that a `call.started` gives: the one that it states, else its time."""
    start: int = event.data.get("start_timestamp", event.time)
    return start


def timed_talk(call: CallEvents, turns: Sequence[StandingTurn]) -> list[int]:
    """Return the moments of talk (Unix milliseconds), of turns only of those that state a time."""
    return [event.time for event in talk_events(call)] + [turn.timestamp for turn in turns if turn.timed]


def talk_events(call: CallEvents) -> list[Event]:
    """Return the events other than turns that show that people talk."""
    return [event for event in call.of(*TALK) if _is_talk(event)]


def _is_talk(event: Event) -> bool:
    return event.type != "call.transferred" or event.data.get("status") not in {"failed", "cancelled"}


def _latest_end_or_talk(call: CallEvents, turns: Sequence[StandingTurn]) -> int:
    """Return the later of the first end and the latest talk; without either the latest event."""
    moments = [*(end.time for end in call.of(*ENDS)[:1]), *timed_talk(call, turns)]
    return max(moments, default=call.events[-1].time)


def _earliest(candidates: Sequence[tuple[int, Event]], *, of_turns: bool) -> Session:
    start, event = min(candidates, key=lambda candidate: (candidate[0], candidate[1].ordering_key))
    return Session(start, None if of_turns else event.ordering_key.source)


def _left_out(candidates: Sequence[tuple[int, Event]], earliest: int) -> list[CallProblem]:
    detail = "this start lies more than 30 days before the call's end and talk, and is left out"
    return [
        CallProblem(ProblemKind.START_LEFT_OUT, event, _stating_field(event), detail)
        for start, event in candidates
        if start < earliest
    ]


def _stating_field(event: Event) -> str | None:
    field = "start_timestamp" if event.type == "call.started" else "timestamp"
    return field if field in event.data else None
