"""What shows that a call went on after an end (docs/record.md, Overruled ends)."""

from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence

from shared.fold.conversation.turns import StandingTurn
from shared.fold.events import CallEvents
from shared.fold.lifecycle.end import SAME_MS, End
from shared.fold.lifecycle.legs import Legs
from shared.fold.lifecycle.session import Session, timed_talk

_LATER_MS = 60_000
_AFTERWARDS_MS = 30_000


class Evidence:
    """Says which of the real ends that count give way to a later one.

    Whatever shows that an end gives way to another also shows it for any later one of the same kind. So only the latest
    of each kind is asked, and the time grows with the number of ends, not with its square.
    """

    def __init__(
        self,
        ends: Sequence[End],
        call: CallEvents,
        session: Session | None,
        legs: Legs,
        turns: Sequence[StandingTurn],
    ) -> None:
        self._legs = legs
        self._session_source = session.source if session else None
        self._latest = max(end.moment for end in ends)
        self._latest_of_leg = _latest((end.leg, end.moment) for end in ends)
        self._latest_two = sorted(self._latest_of_leg.items(), key=lambda item: item[1], reverse=True)[:2]
        self._latest_of_session = max((end.moment for end in ends if end.source == self._session_source), default=None)
        self._latest_of_unnamed: dict[str, int | None] = {}
        self._talk = sorted(moment for moment in timed_talk(call, turns) if moment <= self._latest)
        self._untimed_talk = self._latest_untimed(turns)

    def overrules(self, end: End) -> bool:
        """Return whether an end gives way to a later one."""
        return (
            self._talk_after(end.moment + SAME_MS)
            or self._is_of_another_leg(end)
            or _is_after(self._of_session(end), end.moment + _LATER_MS)
            or _is_after(self._of_unnamed_leg(end.source), end.moment + _LATER_MS)
        )

    def _talk_after(self, moment: int) -> bool:
        """Return whether there was talk later than `moment` and not later than the latest end."""
        if moment >= self._latest:
            return False
        return bisect_right(self._talk, moment) < len(self._talk) or _is_after(self._untimed_talk, moment)

    def _latest_untimed(self, turns: Iterable[StandingTurn]) -> int | None:
        """Return the latest moment of a turn that states no time, and that another such turn of its source follows.

        That other one has to be more than 30 s later: transcripts that are made after a call come all at once.
        """
        by_source: dict[str, list[int]] = {}
        for turn in turns:
            if not turn.timed and turn.timestamp <= self._latest:
                by_source.setdefault(turn.ordering_key.source, []).append(turn.timestamp)
        followed: list[int] = []
        for moments in by_source.values():
            before = max(moments) - _AFTERWARDS_MS
            followed += [moment for moment in moments if moment < before]
        return max(followed, default=None)

    def _is_of_another_leg(self, end: End) -> bool:
        if end.leg is None:
            return False
        others = [moment for leg, moment in self._latest_two if leg != end.leg]
        return bool(others) and others[0] > end.moment + SAME_MS

    def _of_session(self, end: End) -> int | None:
        """Return the latest end of the source that gave the session's start, None for an end of that source."""
        if self._session_source is None or end.source == self._session_source:
            return None
        return self._latest_of_session

    def _of_unnamed_leg(self, source: str) -> int | None:
        """Return the latest end of a connected leg that the source never named."""
        if source not in self._latest_of_unnamed:
            moments = [
                moment
                for leg, moment in self._latest_of_leg.items()
                if leg is not None and self._legs.connected(leg) and source not in self._legs.sources[leg]
            ]
            self._latest_of_unnamed[source] = max(moments, default=None)
        return self._latest_of_unnamed[source]


def _latest(moments: Iterable[tuple[str | None, int]]) -> Mapping[str | None, int]:
    latest: dict[str | None, int] = {}
    for leg, moment in moments:
        latest[leg] = max(moment, latest.get(leg, moment))
    return latest


def _is_after(moment: int | None, other: int) -> bool:
    return moment is not None and moment > other
