"""What the timeline shows: things with a beginning and an end, each in its lane."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from itertools import pairwise

from services.console.call.lines import Line
from services.console.call.names import anchor
from shared.contract.decode_event import Event
from shared.fold.call import Call
from shared.fold.conversation.turns import StandingTurn
from shared.fold.details import Details
from shared.fold.lifecycle.session import ENDS

CHARACTERS_PER_SECOND = 15
"""How fast people talk: an end of a turn that nothing states is estimated by it."""

_LABEL = 48
_MOST_LEGS = 6


class Kind(StrEnum):
    """What an item is; lanes of one kind look alike."""

    USER = "user"
    ASSISTANT = "assistant"
    OTHER = "other"
    TOOL = "tool"
    LEG = "leg"
    TRANSFER = "transfer"
    DTMF = "dtmf"
    EVENT = "event"
    END = "end"


LANES = {
    Kind.USER: "User",
    Kind.ASSISTANT: "Assistant",
    Kind.OTHER: "Others",
    Kind.TOOL: "Tools",
    Kind.TRANSFER: "Transfers",
    Kind.DTMF: "DTMF",
    Kind.EVENT: "Events",
    Kind.END: "Ends",
}
"""Lanes from top to bottom; those of legs come before the transfers."""


@dataclass(frozen=True, slots=True)
class Word:
    """A word that was said: when, and how many letters it has."""

    start: int
    end: int
    letters: int


@dataclass(frozen=True, slots=True)
class Item:
    """Something between two moments (Unix milliseconds), the same for what happened at once.

    `target` is the id of the part of the page that tells more. `estimated`: nothing states its end.
    """

    kind: Kind
    lane: str
    start: int
    end: int
    label: str
    target: str
    estimated: bool = False
    words: Sequence[Word] = ()
    failed: bool = False


def items_of(call: Call, details: Details, lines: Sequence[Line], shown: Sequence[Event]) -> list[Item]:
    """Return the items of a call; `shown` are the events that have an entry on the record's timeline."""
    spoken = [_spoken(turn, before) for turn, before in _with_next(call.shown_turns)]
    final = call.ends.final
    return [
        *spoken,
        *(_tool(line) for line in lines if line.tool),
        *_legs(details, call),
        *(_event(event, final=final is not None and event is final.event) for event in shown),
    ]


def of_talk(item: Item) -> bool:
    return item.kind in {Kind.USER, Kind.ASSISTANT, Kind.OTHER}


def _with_next(turns: Sequence[StandingTurn]) -> Iterator[tuple[StandingTurn, int | None]]:
    for turn, following in pairwise(turns):
        yield turn, following.timestamp
    if turns:
        yield turns[-1], None


def _spoken(turn: StandingTurn, following: int | None) -> Item:
    data = turn.event.data
    role, content, start = data["role"], data["content"], turn.timestamp
    kind = Kind(role) if role in {Kind.USER, Kind.ASSISTANT} else Kind.OTHER
    end = data.get("end_timestamp") or max((word.get("end") or 0 for word in data.get("words", ())), default=0)
    item = Item(kind, LANES[kind], start, max(start, end), _short(f"{data.get('speaker') or role}: {content}"), "")
    item = replace(item, target=anchor(turn.event))
    if end >= start and end:
        timed = tuple(_timed(data.get("words", ())))
        return replace(item, words=timed or tuple(_spread(content, start, end)))
    return _estimated(item, content, following)


def _estimated(item: Item, content: str, following: int | None) -> Item:
    end = item.start + len(content) * 1000 // CHARACTERS_PER_SECOND
    if following is not None:
        end = max(item.start, min(end, following))
    return replace(item, end=end, estimated=True, words=tuple(_spread(content, item.start, end)))


def _timed(words: Sequence[dict[str, object]]) -> Iterator[Word]:
    for word in words:
        start, end = word.get("start"), word.get("end")
        if isinstance(start, int) and isinstance(end, int):
            yield Word(start, max(start, end), len(str(word["word"])))


def _spread(content: str, start: int, end: int) -> Iterator[Word]:
    """Yield the words of a text, spread over its time by their letters."""
    words = content.split()
    letters = sum(map(len, words)) + len(words)
    at = float(start)
    for word in words:
        took = (end - start) * (len(word) + 1) / letters
        yield Word(int(at), int(at + took * len(word) / (len(word) + 1)), len(word))
        at += took


def _tool(line: Line) -> Item:
    assert line.tool is not None  # noqa: S101 - the caller's choice
    name = line.tool.name or "result of an unknown call"
    failed = line.tool.successful is False or line.tool.error is not None
    end = line.at if line.tool.ends is None else max(line.at, line.tool.ends)
    label = _short(f"{name}{', failed' if failed else ''}")
    return Item(Kind.TOOL, LANES[Kind.TOOL], line.at, end, label, line.anchor, failed=failed)


def _legs(details: Details, call: Call) -> Iterator[Item]:
    last = call.events.events[-1].time
    for number, leg in enumerate(details["legs"][:_MOST_LEGS]):
        start, end = leg["started_at"], leg["ended_at"]
        if start is None and end is None:
            continue
        begins = end if start is None else start
        ends = (last if end is None else end) or 0
        label = f"leg {leg['leg_id']}: {leg['disconnection_reason'] or 'goes on'}"
        yield Item(
            Kind.LEG, f"Leg {leg['leg_id']}", begins or 0, max(begins or 0, ends), _short(label), f"leg-{number}",
            estimated=end is None,
        )  # fmt: skip


def _event(event: Event, *, final: bool) -> Item:
    if event.type in ENDS:
        kind = Kind.END
    else:
        kind = {"call.transferred": Kind.TRANSFER, "call.dtmf": Kind.DTMF}.get(event.type, Kind.EVENT)
    label = f"{event.type}{', the final end' if final else ''}"
    return Item(kind, LANES[kind], event.time, event.time, _short(label), anchor(event), failed=final)


def _short(text: str) -> str:
    one_line = " ".join(text.split())
    return one_line if len(one_line) <= _LABEL else f"{one_line[: _LABEL - 1]}…"
