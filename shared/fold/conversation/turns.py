"""What was said (docs/record.md, Turns)."""

from collections.abc import Sequence
from typing import Any, NamedTuple

from shared.contract.decode_event import Event, OrderingKey
from shared.contract.problems import ProblemKind
from shared.fold.conversation.turn_time import stated_time
from shared.fold.events import CallEvents, named_key
from shared.fold.problems import CallProblem
from shared.fold.record import SpokenWord, Turn

_WHOLE = len(SpokenWord.__annotations__)


class StandingTurn(NamedTuple):
    """A turn that stands, and where: at its own timestamp (Unix milliseconds), else at its words', else at its event's.

    `timed` is true if the turn or its words state a time.
    """

    timestamp: int
    ordering_key: OrderingKey
    event: Event
    timed: bool


class Turns(NamedTuple):
    """The turns of a call: the final ones that stand, and those of which no event is final; both in order."""

    final: Sequence[StandingTurn]
    unfinished: Sequence[StandingTurn]

    def shown(self, *, ended: bool) -> Sequence[StandingTurn]:
        """Return the turns of the transcript: one that is not final shows only when the call has ended."""
        return sorted([*self.final, *self.unfinished]) if ended and self.unfinished else self.final


def turns_of(call: CallEvents) -> Turns:
    """Return the turns of the call; none of one that has opted out shows, but their times still count.

    Of the final events of one turn the highest revision stands, of equal ones the latest. Of a turn without a final
    event the highest revision does. A retraction takes away every revision up to its own.
    """
    final: dict[tuple[str, str, bool], Event] = {}
    unfinished: dict[tuple[str, str, bool], Event] = {}
    for event in call.of("transcript.turn"):
        best = unfinished if event.data.get("final") is False else final
        key = named_key(event, "turn_id")
        other = best.get(key)
        if other is None or _revision(event) >= _revision(other):
            best[key] = event
    if unfinished:
        unfinished = {key: event for key, event in unfinished.items() if key not in final}
    for event in call.carrying("transcript.retracted"):
        key = named_key(event, "turn_id")
        for best in (final, unfinished):
            if key in best and _revision(best[key]) <= event.data["revision"]:
                del best[key]
    return Turns(_standing(final), _standing(unfinished) if unfinished else ())


def as_spoken(turn: StandingTurn) -> Turn:
    """Return the turn as the record shows it."""
    data = turn.event.data
    return {
        "role": data["role"],
        "content": data["content"],
        "timestamp": turn.timestamp,
        "words": [word if len(word) == _WHOLE else whole(word) for word in data.get("words") or ()],
    }


def transcript(spoken: Sequence[Turn]) -> str:
    """Return the contents, a line each; empty ones are left out."""
    return "\n".join([turn["content"] for turn in spoken if turn["content"]])


def whole(word: dict[str, Any]) -> SpokenWord:
    """Return a word with every field: most have all and are used as they are."""
    return {"word": word["word"], "start": word.get("start"), "end": word.get("end")}


def unfinished_problems(turns: Turns) -> list[CallProblem]:
    """Return the problems of the turns that an ended call shows though they never became final."""
    return [
        CallProblem(ProblemKind.TURN_NOT_FINAL, turn.event, None, "the call ended before this turn became final")
        for turn in turns.unfinished
    ]


def _standing(best: dict[tuple[str, str, bool], Event]) -> list[StandingTurn]:
    turns = []
    for event in best.values():
        stated = stated_time(event.data)
        timestamp = event.time if stated is None else stated
        turns.append(StandingTurn(timestamp, event.ordering_key, event, stated is not None))
    turns.sort()
    return turns


def _revision(event: Event) -> int:
    revision: int = event.data.get("revision", 0)
    return revision
