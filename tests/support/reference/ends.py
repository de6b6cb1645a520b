"""Which ends count and which is the final one (docs/record.md, Ends, rules 1 to 5), implemented a second time.

All times are Unix milliseconds. "More than" and "later" are strict.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

from tests.support.reference.events import ACTIVITY_TYPES, END_TYPES, Json, Order, leg_of, of_type
from tests.support.reference.order import ordering_key
from tests.support.reference.talk import Session, Talk, talk_of

_GENERAL_REASONS = (
    "unknown",
    "unspecified",
    "none",
    "completed",
    "ended",
    "call_ended",
    "hangup",
    "hang_up",
    "normal",
    "normal_clearing",
    "normal_call_clearing",
    "normal_unspecified",
    "normal_hangup",
    "inactivity",
)


@dataclass(frozen=True, eq=False)
class End:
    """A `call.ended` or `call.failed`; compared by identity."""

    event: Json
    stated_end: int | None
    """Its `end_timestamp`, None also where that lies before the session's start."""

    @property
    def time(self) -> int:
        time: int = self.event["time"]
        return time

    @property
    def moment(self) -> int:
        """An end's moment is its `end_timestamp` if it states one, else its time."""
        return self.time if self.stated_end is None else self.stated_end

    @property
    def source(self) -> str:
        return str(self.event["source"])

    @property
    def leg(self) -> str | None:
        return leg_of(self.event)

    @property
    def order(self) -> Order:
        return ordering_key(self.event)

    @property
    def failed(self) -> bool:
        return bool(self.event["type"] == "call.failed")

    @property
    def inferred(self) -> bool:
        return self.event["data"].get("inferred") is True

    @property
    def reason(self) -> str:
        return str(self.event["data"]["disconnection_reason"])

    @property
    def duration_ms(self) -> int | None:
        stated: int | None = self.event["data"].get("duration_ms")
        return stated


def ends_before_start(events: list[Json], session: Session) -> list[Json]:
    """Return the ends whose `end_timestamp` lies before the session's start, which counts as not stated."""
    return [end for end in of_type(events, *END_TYPES) if _is_before(end["data"].get("end_timestamp"), session)]


def _is_before(stated: int | None, session: Session) -> bool:
    return stated is not None and session.start is not None and stated < session.start


def ends_of(events: list[Json], session: Session) -> list[End]:
    """Return all ends, in order."""
    stated = [(end, end["data"].get("end_timestamp")) for end in of_type(events, *END_TYPES)]
    return [End(end, None if _is_before(time, session) else time) for end, time in stated]


class Connections:
    """Which legs and shares of the call are connected, and which are over."""

    def __init__(self, events: list[Json], ends: list[End]) -> None:
        self.ends = ends
        self.starts = of_type(events, "call.started")
        self.legs = {leg for event in events if (leg := leg_of(event)) is not None}
        self.connected_legs = {leg for start in self.starts if (leg := leg_of(start)) is not None}
        self.connected_sources = {start["source"] for start in self.starts if leg_of(start) is None}

    def leg_is_over(self, leg: str) -> bool:
        """A leg is over if it has an end and no `call.started` of it has a later time than its latest end."""
        return _is_over(self._starts_of_leg(leg), self.ends_of_leg(leg))

    def share_is_over(self, source: str) -> bool:
        """A share is over when its source has sent an end that names no leg and no such start has a later time."""
        return _is_over(self._starts_of_share(source), self._ends_of_share(source))

    @property
    def leg_ends_count(self) -> bool:
        """Whether all that is connected is over; where nothing is connected, whether every leg that is named is."""
        if self.connected_legs or self.connected_sources:
            legs_over = all(self.leg_is_over(leg) for leg in self.connected_legs)
            return legs_over and all(self.share_is_over(source) for source in self.connected_sources)
        return all(self.leg_is_over(leg) for leg in self.legs)

    def is_alone_at(self, moment: int, leg: str) -> bool:
        """Whether at the moment no other leg and no share was connected.

        Connected since a start, by its time, until the next moment of an end; what ends at the moment no longer is.
        """
        others = [(self._starts_of_leg(other), self.ends_of_leg(other)) for other in self.connected_legs - {leg}]
        shares = [(self._starts_of_share(source), self._ends_of_share(source)) for source in self.connected_sources]
        return not any(_is_connected_at(moment, starts, ends) for starts, ends in others + shares)

    def ends_of_leg(self, leg: str) -> list[End]:
        return [end for end in self.ends if end.leg == leg]

    def _starts_of_leg(self, leg: str) -> list[Json]:
        return [start for start in self.starts if leg_of(start) == leg]

    def _ends_of_share(self, source: str) -> list[End]:
        return [end for end in self.ends if end.leg is None and end.source == source]

    def _starts_of_share(self, source: str) -> list[Json]:
        return [start for start in self.starts if leg_of(start) is None and start["source"] == source]


def _is_over(starts: list[Json], ends: list[End]) -> bool:
    return bool(ends) and not any(start["time"] > ends[-1].time for start in starts)


def _is_connected_at(moment: int, starts: list[Json], ends: list[End]) -> bool:
    begun = [start["time"] for start in starts if start["time"] <= moment]
    return any(not any(start <= end.moment <= moment for end in ends) for start in begun)


class Ends:
    """The ends of a call, rule by rule; every list is in order."""

    def __init__(self, events: list[Json], session: Session) -> None:
        self.events = events
        self.session = session
        self.all = ends_of(events, session)
        self.connections = Connections(events, self.all)
        self.talk = talk_of(events)

    @cached_property
    def counting(self) -> list[End]:
        """Rule 1: ends that name no leg count; others when all is over, and then of connected legs if any is."""
        connections = self.connections
        something_connected = connections.connected_legs or connections.connected_sources
        legs = connections.connected_legs if something_connected else connections.legs
        return [end for end in self.all if end.leg is None or (connections.leg_ends_count and end.leg in legs)]

    @cached_property
    def real(self) -> list[End]:
        return [end for end in self.counting if not end.inferred]

    def undoing(self, end: End) -> list[Json]:
        """Rule 2: the starts that undo a real end that counts.

        Those of its source, of its leg or likewise none, at a time later than its own; and of another source those that
        undo so an end of their own whose moment is at most 5 s from this one's.
        """
        near = [other for other in self.real if other.source != end.source and abs(other.moment - end.moment) <= 5_000]
        return [
            start
            for start in self.connections.starts
            if _undoes_its_own(start, end) or any(_undoes_its_own(start, other) for other in near)
        ]

    @cached_property
    def undone(self) -> list[End]:
        return [end for end in self.real if self.undoing(end)]

    @cached_property
    def overruled(self) -> list[End]:
        """Rule 3: of the real ends that still count, taken in all pairs at once, those that give way to another."""
        still = [end for end in self.real if end not in self.undone]
        return [end for end in still if any(self._gives_way(end, later) for later in still)]

    def _gives_way(self, end: End, later: End) -> bool:
        if later.moment - end.moment <= 5_000:
            return False
        of_another_leg = end.leg is not None and end.leg != later.leg
        much_later = later.moment - end.moment > 60_000
        return of_another_leg or self._talk_between(end, later) or (much_later and self._is_better_placed(later, end))

    def _talk_between(self, end: End, later: End) -> bool:
        """Talk more than 5 s after the earlier moment and not after the later one.

        A turn without times of its own only if another such turn of its source in between is more than 30 s away from
        it: transcripts made afterwards come all at once.
        """
        between = [talk for talk in self.talk if end.moment + 5_000 < talk.moment <= later.moment]
        return any(not talk.is_turn_without_time or _has_distant_turn(talk, between) for talk in between)

    def _is_better_placed(self, later: End, end: End) -> bool:
        """Of the source that gave the session's start, or of a connected leg that the earlier's source never named."""
        gave_the_start = later.source == self.session.source != end.source
        named = {leg_of(event) for event in self.events if event["source"] == end.source}
        return gave_the_start or (later.leg in self.connections.connected_legs and later.leg not in named)

    @cached_property
    def left(self) -> list[End]:
        """The ends among which the final end is: the real ones that rules 1 to 3 leave, else those of rule 4."""
        real = [end for end in self.real if end not in self.undone and end not in self.overruled]
        return real or self._inferred_left()

    def _inferred_left(self) -> list[End]:
        """Rule 4: inferred ends with no activity at a later time count where no real end is left.

        With one that counts, ends that rule 1 left out, of connected legs that are over, at most 5 s from its moment.
        """
        latest_activity = max((event["time"] for event in of_type(self.events, *ACTIVITY_TYPES)), default=0)
        quiet = [end for end in self.all if not end.inferred or end.time >= latest_activity]
        counting = [end for end in quiet if end.inferred and end in self.counting]
        over = {leg for leg in self.connections.connected_legs if self.connections.leg_is_over(leg)}
        left_out = [end for end in quiet if end not in self.counting and end.leg in over]
        return [end for end in quiet if end in counting or (end in left_out and _is_near_any(end, counting))]

    @cached_property
    def final(self) -> End | None:
        """Rule 5: specific before general, no leg before a leg, failed before ended, then the latest."""
        return max(self.left, key=_rank, default=None)

    def standing(self, end: End) -> str:
        """Details, `ends`: the first of these words that is true."""
        counts = end in self.left
        words = {
            "final": end is self.final,
            "inferred": end.inferred and not counts,
            "leg": end not in self.counting and not counts,
            "undone": end in self.undone,
            "overruled": end in self.overruled,
            "counts": True,
        }
        return next(word for word, is_true in words.items() if is_true)


def _undoes_its_own(start: Json, end: End) -> bool:
    return start["source"] == end.source and leg_of(start) == end.leg and start["time"] > end.time


def _has_distant_turn(talk: Talk, between: Iterable[Talk]) -> bool:
    such = [other for other in between if other.is_turn_without_time and other.event["source"] == talk.event["source"]]
    return any(abs(other.moment - talk.moment) > 30_000 for other in such)


def _is_near_any(end: End, others: Iterable[End]) -> bool:
    return any(abs(end.moment - other.moment) <= 5_000 for other in others)


def _rank(end: End) -> tuple[bool, bool, bool, Order]:
    general = end.reason.lower().replace(" ", "_").replace("-", "_") in _GENERAL_REASONS
    return (not general, end.leg is None, end.failed, end.order)
