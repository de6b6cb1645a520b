"""Samples of latency, and which reply each belongs to."""

from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from shared.contract.decode_event import Event
from shared.fold.conversation.latency import standing_samples
from shared.fold.conversation.turns import StandingTurn
from shared.fold.events import CallEvents

REPLIES = ("e2e", "s2s")
"""Components that measure a whole reply."""

SLOW_MS = 1_000
"""A reply that takes longer is marked as slow."""


@dataclass(frozen=True, slots=True)
class Sample:
    """A standing sample; `turn` is the number of the turn that it belongs to, None without one.

    `stated`: the sample names the turn; else it is the latest that began at or before the sample's time.
    """

    component: str
    milliseconds: float
    at: int
    turn: int | None
    stated: bool

    @property
    def slow(self) -> bool:
        return self.component in REPLIES and self.milliseconds > SLOW_MS


def samples_of(call: CallEvents, turns: Sequence[StandingTurn]) -> list[Sample]:
    """Return the samples that stand, in order."""
    events = standing_samples(call)
    if not events:
        return []
    named, begins = _by_name(turns), [turn.timestamp for turn in turns]
    return [_sample(event, named, begins) for event in events]


def of_turns(samples: Iterable[Sample]) -> Mapping[int, Sequence[Sample]]:
    """Return the samples of each turn that has any."""
    found: dict[int, list[Sample]] = {}
    for sample in samples:
        if sample.turn is not None:
            found.setdefault(sample.turn, []).append(sample)
    return found


def _by_name(turns: Sequence[StandingTurn]) -> Mapping[tuple[str | None, str], int]:
    """Return the numbers of turns by source and `turn_id`, and by `turn_id` alone where one source alone has it."""
    named: dict[tuple[str | None, str], int] = {}
    shared: set[str] = set()
    for number, turn in enumerate(turns):
        if (name := turn.event.data.get("turn_id")) is not None:
            named[turn.ordering_key.source, name] = number
            if (None, name) in named:
                shared.add(name)
            named[None, name] = number
    for name in shared:
        del named[None, name]
    return named


def _sample(event: Event, named: Mapping[tuple[str | None, str], int], begins: Sequence[int]) -> Sample:
    data, name = event.data, event.data.get("turn_id")
    turn = named.get((event.ordering_key.source, name), named.get((None, name))) if name is not None else None
    stated = turn is not None
    if turn is None and (before := bisect_right(begins, event.time)):
        turn = before - 1
    return Sample(data["component"], data["value_ms"], event.time, turn, stated)
