"""Turns that stand, talk, and the session's start, implemented a second time; see `fold.py`."""

from collections import defaultdict
from dataclasses import dataclass
from typing import Any

from tests.support.reference.events import END_TYPES, Json, latest_of_each, of_type, own_key
from tests.support.reference.order import ordering_key

_DAYS_30 = 30 * 24 * 3_600_000


def _is_final(turn: Json) -> bool:
    return turn["data"].get("final") is not False


def revision(event: Json) -> int:
    stated: int | None = event["data"].get("revision")
    return stated or 0


def _above_retraction(events: list[Json], turns: list[Json]) -> list[Json]:
    """A retraction takes away every revision up to its own, equal ones too."""
    retracted: dict[Any, int] = {}
    for event in of_type(events, "transcript.retracted"):
        key = own_key(event, "turn_id")
        retracted[key] = max(revision(event), retracted.get(key, -1))
    return [turn for turn in turns if revision(turn) > retracted.get(own_key(turn, "turn_id"), -1)]


def _highest_of_each(turns: list[Json]) -> list[Json]:
    """Of one turn the highest `revision` stands, of equal revisions the latest."""
    versions: dict[Any, list[Json]] = defaultdict(list)
    for turn in turns:
        versions[own_key(turn, "turn_id")].append(turn)
    return [max(same, key=lambda turn: (revision(turn), ordering_key(turn))) for same in versions.values()]


def final_turns(events: list[Json]) -> list[Json]:
    """Return the final turns that stand, in no order."""
    final = [turn for turn in of_type(events, "transcript.turn") if _is_final(turn)]
    return _highest_of_each(_above_retraction(events, final))


def unfinal_turns(events: list[Json]) -> list[Json]:
    """A `turn_id` of which no event is final stands as its highest revision above any retraction has it.

    Only when the call has ended. (Without a `turn_id`, which is then the event's own identity, too.)
    """
    turns = of_type(events, "transcript.turn")
    final = {own_key(turn, "turn_id") for turn in turns if _is_final(turn)}
    never_final = [turn for turn in turns if own_key(turn, "turn_id") not in final]
    return _highest_of_each(_above_retraction(events, never_final))


def stated_time(turn: Json) -> int | None:
    """Return the turn's `timestamp`, by default the earliest word's start; None if it states neither."""
    data = turn["data"]
    starts = [word["start"] for word in data.get("words") or [] if word.get("start") is not None]
    stated: int | None = data.get("timestamp")
    return min(starts, default=None) if stated is None else stated


def turn_time(turn: Json) -> int:
    """Return the turn's `timestamp`, by default the earliest word's start, else the event's time."""
    stated = stated_time(turn)
    time: int = turn["time"]
    return time if stated is None else stated


@dataclass(frozen=True)
class Talk:
    """An event that shows that people talk; `moment` in Unix milliseconds."""

    event: Json
    moment: int

    @property
    def is_turn(self) -> bool:
        return bool(self.event["type"] == "transcript.turn")

    @property
    def is_turn_without_time(self) -> bool:
        return self.is_turn and stated_time(self.event) is None


def talk_of(events: list[Json]) -> list[Talk]:
    """Talk is a start, DTMF, a transfer that neither failed nor was cancelled, or a final turn that stands.

    Its moment is a turn's `timestamp`, else the event's time. In the events' order.
    """
    transfers = of_type(events, "call.transferred")
    done = [event for event in transfers if event["data"].get("status") not in ("failed", "cancelled")]
    turns = [Talk(turn, turn_time(turn)) for turn in final_turns(events)]
    others = [Talk(event, event["time"]) for event in [*of_type(events, "call.started", "call.dtmf"), *done]]
    return sorted([*turns, *others], key=lambda talk: ordering_key(talk.event))


def start_of(started: Json) -> int:
    """Each `call.started` gives its `start_timestamp` if it states one, else its time."""
    start: int = started["data"].get("start_timestamp", started["time"])
    return start


@dataclass(frozen=True)
class Session:
    """The session's start, None without a session; the source whose `call.started` gave it; and what was left out."""

    start: int | None
    source: str | None
    left_out: list[Json]


def session_of(events: list[Json]) -> Session:
    """The earliest start that a `call.started` gives; without any, the earliest time of the final turns that stand.

    What lies more than 30 days before the limit is left out; where every `call.started` is, the turns decide.
    """
    earliest = _limit(events) - _DAYS_30
    left_out: list[Json] = []
    starts = [(start_of(event), event) for event in of_type(events, "call.started")]
    turns = [(turn_time(turn), turn) for turn in final_turns(events)]
    for candidates in (starts, turns):
        left_out += [event for start, event in candidates if start < earliest]
        taken = [(start, ordering_key(event), event) for start, event in candidates if start >= earliest]
        if taken:
            start, _, event = min(taken, key=lambda candidate: candidate[:2])
            return Session(start, event["source"] if event["type"] == "call.started" else None, left_out)
    return Session(None, None, left_out)


def _limit(events: list[Json]) -> int:
    """The later of the first end and the latest talk (of turns only those that state a time); else the latest event.

    The first end is the earliest in order, at its event's time: its moment hangs on the session's start.
    """
    first_end = [event["time"] for event in of_type(events, *END_TYPES)][:1]
    talk = [talk.moment for talk in talk_of(events) if not talk.is_turn_without_time]
    limit: int = max([*first_end, *talk], default=events[-1]["time"])
    return limit


def standing_samples(events: list[Json]) -> list[Json]:
    """Of the samples of one source, component and `sample_id` the latest stands; in order."""
    samples = of_type(events, "latency.sampled")
    return latest_of_each(samples, lambda event: (own_key(event, "sample_id"), event["data"]["component"]))
