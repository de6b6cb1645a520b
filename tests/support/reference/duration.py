"""A call's end, gaps, duration and duration so far (docs/record.md, Ends), implemented a second time; milliseconds."""

from collections.abc import Iterable

from tests.support.reference.ends import End, Ends
from tests.support.reference.events import ACTIVITY_TYPES, Json, of_type

Interval = tuple[int, int]


def end_timestamp(ends: Ends) -> int | None:
    """What the final end states; else the earliest moment, at most 30 s before the final end's, of those left.

    Of those left that name the same leg or likewise none.
    """
    final = ends.final
    if final is None:
        return None
    if final.stated_end is not None:
        return final.stated_end
    return min(end.moment for end in ends.left if end.leg == final.leg and end.moment >= final.moment - 30_000)


def gaps(ends: Ends) -> list[Interval]:
    """From the moment of an undone end to the earliest `call.started` that undoes it.

    Of an end that names no leg, or at whose moment no other leg and no share was connected.
    """
    silencing = [end for end in ends.undone if end.leg is None or ends.connections.is_alone_at(end.moment, end.leg)]
    return [(end.moment, min(start["time"] for start in ends.undoing(end))) for end in silencing]


def covered(intervals: Iterable[Interval], begin: int, end: int) -> int:
    """Return the length of the union of the intervals, cut to the time between `begin` and `end`."""
    total = 0
    reached = begin
    for start, stop in sorted(intervals):
        total += max(0, min(stop, end) - max(start, reached))
        reached = max(reached, min(stop, end))
    return total


def talked(ends: Ends, until: int) -> int | None:
    """Return the time from the session's start until then, less the gaps, never below 0; None without a session."""
    start = ends.session.start
    return None if start is None else max(0, until - start - covered(gaps(ends), start, until))


def duration_end(ends: Ends) -> End | None:
    """Return the end that states the duration: the final end, else the latest of another of those left.

    Of those that name no leg.
    """
    stating = [end for end in ends.left if end.leg is None and end.duration_ms is not None]
    return ends.final if ends.final in stating else stating[-1] if stating else None


def stated_duration(ends: Ends) -> int | None:
    """Return that end's `duration_ms` plus those of its source's undone ends that name no leg.

    None unless each of them states one.
    """
    end = duration_end(ends)
    if end is None:
        return None
    undone = [other for other in ends.undone if other.leg is None and other.source == end.source]
    durations = [other.duration_ms for other in [end, *undone]]
    stated = [duration for duration in durations if duration is not None]
    return sum(stated) if len(stated) == len(durations) else None


def call_duration(ends: Ends) -> int | None:
    """The stated duration, if what undone ends add leaves it at most 5 s longer than from session to end.

    Else the end minus the session's start minus the gaps, never below 0; 0 without a session.
    """
    end = end_timestamp(ends)
    if end is None:
        return None
    stated = stated_duration(ends)
    if stated is not None and (not _adds_undone(ends) or _fits(ends, stated, end)):
        return stated
    return talked(ends, end) or 0


def _adds_undone(ends: Ends) -> bool:
    stating = duration_end(ends)
    return any(end.leg is None and stating is not None and end.source == stating.source for end in ends.undone)


def _fits(ends: Ends, stated: int, end: int) -> bool:
    start = ends.session.start
    return start is not None and stated <= end - start + 5_000


def duration_disagrees(ends: Ends) -> End | None:
    """Return the end whose stated duration, with what undone ends add, differs by more than 5 s from the times."""
    stated, end = stated_duration(ends), end_timestamp(ends)
    by_times = None if end is None else talked(ends, end)
    if stated is None or by_times is None or abs(stated - by_times) <= 5_000:
        return None
    return duration_end(ends)


def duration_so_far(ends: Ends, events: list[Json]) -> int:
    """From the session's start to the latest time of an activity, less the gaps; 0 without a session."""
    latest = max((event["time"] for event in of_type(events, *ACTIVITY_TYPES)), default=0)
    return talked(ends, latest) or 0
