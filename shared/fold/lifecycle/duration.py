"""How long a call was (docs/record.md, end_timestamp and call_duration)."""

from collections.abc import Sequence

from shared.contract.problems import ProblemKind
from shared.fold.events import CallEvents
from shared.fold.lifecycle.connected import Connected
from shared.fold.lifecycle.end import End
from shared.fold.lifecycle.ends import ACTIVITY, Ends
from shared.fold.lifecycle.legs import Legs
from shared.fold.lifecycle.session import Session
from shared.fold.problems import CallProblem

_SAME_END_MS = 30_000
_TOLERANCE_MS = 5_000


def end_timestamp(ends: Ends) -> int | None:
    """Return when the call ended (Unix milliseconds), None while it goes on.

    What the final end states; else the earliest moment, at most 30 s before the final end's, of those left that name
    the same leg or likewise none.
    """
    final = ends.final
    if final is None or final.stated is not None:
        return None if final is None else final.stated
    earliest = final.moment - _SAME_END_MS
    return min(end.moment for end in ends.left if end.leg == final.leg and end.moment >= earliest)


def duration(call: CallEvents, session: Session | None, ends: Ends, legs: Legs) -> tuple[int, list[CallProblem]]:
    """Return the duration in milliseconds, so far while the call goes on, and a problem if a stated one disagrees.

    What the ends state counts if each part of the call is stated and together they are at most 5 s longer than the call
    was; else the times count.
    """
    if ends.final is None:
        until = call.latest_time(*ACTIVITY)
        return (0 if session is None or until is None else _between(session.start, until, ends, legs)), []
    stop = end_timestamp(ends)
    by_times = None if session is None or stop is None else _between(session.start, stop, ends, legs)
    end = stating_end(ends)
    parts = [] if end is None else _parts(end, ends)
    if end is None or None in parts:
        return by_times or 0, []
    stated = sum(part or 0 for part in parts)
    problems = []
    if by_times is not None and abs(stated - by_times) > _TOLERANCE_MS:
        detail = f"the stated duration is {stated} ms, by the times it was {by_times} ms"
        problems.append(CallProblem(ProblemKind.DURATION_DISAGREES, end.event, "duration_ms", detail))
    fits = session is not None and stop is not None and stated <= stop - session.start + _TOLERANCE_MS
    return (stated if len(parts) == 1 or fits else by_times or 0), problems


def stating_end(ends: Ends) -> End | None:
    """Return the end whose `duration_ms` is the call's: the final one, else the latest of those left; or None.

    Only one that names no leg states the call's.
    """
    if ends.final is None:
        return None
    candidates: list[End] = [ends.final, *reversed(ends.left)]
    for end in candidates:
        if end.leg is None and "duration_ms" in end.event.data:
            return end
    return None


def seconds(milliseconds: int) -> float:
    """Return milliseconds as seconds, whole ones as integers: JSON shows 30 and not 30.0."""
    whole, rest = divmod(milliseconds, 1000)
    return milliseconds / 1000 if rest else whole


def _parts(end: End, ends: Ends) -> list[int | None]:
    """Return what an end states, and what its source's undone ends do, which ended the parts of the call before."""
    before = [
        other.event.data.get("duration_ms")
        for other in ends.all
        if other.event.ordering_key in ends.undone and other.source == end.source and other.leg is None
    ]
    return [end.event.data["duration_ms"], *before]


def _between(start: int, stop: int, ends: Ends, legs: Legs) -> int:
    """Return the milliseconds from start to stop without the gaps, never below 0."""
    gaps = _gaps(ends, legs) if ends.undone else ()
    return max(0, stop - start) - _covered([(max(start, begin), min(stop, end)) for begin, end in gaps])


def _gaps(ends: Ends, legs: Legs) -> list[tuple[int, int]]:
    """Return the times when nobody was connected: from an undone end to the `call.started` that undoes it."""
    undone = [end for end in ends.all if end.event.ordering_key in ends.undone]
    connected = Connected(legs, ends.all) if any(end.leg is not None for end in undone) else None
    return [
        (end.moment, ends.undone[end.event.ordering_key])
        for end in undone
        if end.leg is None or connected is None or not connected.others_at(end.leg, end.moment)
    ]


def _covered(gaps: Sequence[tuple[int, int]]) -> int:
    """Return how many milliseconds the union of the gaps covers; a gap that ends before it begins covers none."""
    covered = 0
    until: int | None = None
    for begin, end in sorted(gaps):
        first = begin if until is None else max(begin, until)
        if end > first:
            covered += end - first
            until = end
    return covered
