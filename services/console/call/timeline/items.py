"""What the timeline shows: things with a beginning and an end, each in its lane."""

from collections.abc import Iterator, Sequence
from enum import StrEnum
from typing import NamedTuple

from services.console.call.lines import Line
from services.console.call.names import anchor
from shared.contract.decode_event import Event
from shared.fold.call import Call
from shared.fold.conversation.turns import StandingTurn
from shared.fold.details import Details
from shared.fold.lifecycle.session import ENDS

CHARACTERS_PER_SECOND = 15
"""How fast people talk: an end of a turn that nothing states is estimated by it."""

MOST_WITH_WORDS = 500
"""Turns of a call whose words are shown: in a longer one they would be narrower than a point."""

_LABEL = 48
_READ = 4 * _LABEL
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

_TALK = frozenset({Kind.USER, Kind.ASSISTANT, Kind.OTHER})
_KINDS = {"user": Kind.USER, "assistant": Kind.ASSISTANT}


class Word(NamedTuple):
    """A word that was said: when, and how many letters it has."""

    start: int
    end: int
    letters: int


class Item(NamedTuple):
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
    final: bool = False


def items_of(
    call: Call,
    details: Details,
    turns: Sequence[tuple[StandingTurn, str]],
    lines: Sequence[Line],
    shown: Sequence[Event],
) -> list[Item]:
    """Return the items of a call; `turns` are with their anchors, `shown` have an entry on the record's timeline."""
    final = call.ends.final
    return [
        *_talk(turns),
        *(_tool(line) for line in lines if line.tool),
        *_legs(details, call),
        *(_event(event, final=final is not None and event is final.event) for event in shown),
    ]


def of_talk(item: Item) -> bool:
    return item.kind in _TALK


def _talk(turns: Sequence[tuple[StandingTurn, str]]) -> Iterator[Item]:
    with_words = len(turns) <= MOST_WITH_WORDS
    following = [*(turn.timestamp for turn, _ in turns[1:]), None]
    for (turn, name), then in zip(turns, following, strict=False):
        yield _spoken(turn, name, then, with_words=with_words)


def _spoken(turn: StandingTurn, name: str, following: int | None, *, with_words: bool) -> Item:
    data, start = turn.event.data, turn.timestamp
    role, content, words = data["role"], data["content"], data.get("words", ())
    kind = _KINDS.get(role, Kind.OTHER)
    end = data.get("end_timestamp") or max((word.get("end") or 0 for word in words), default=0)
    estimated = end < start or not end
    if estimated:
        end = start + len(content) * 1000 // CHARACTERS_PER_SECOND
        end = end if following is None else max(start, min(end, following))
    timed: tuple[Word, ...] = ()
    if with_words:
        timed = tuple(() if estimated else _timed(words)) or tuple(_spread(content, start, end))
    label = _short(f"{data.get('speaker') or role}: {content[:_READ]}")
    return Item(kind, LANES[kind], start, end, label, name, estimated, timed)


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
    return Item(kind, LANES[kind], event.time, event.time, _short(label), anchor(event), final=final)


def _short(text: str) -> str:
    one_line = " ".join(text.split())
    return one_line if len(one_line) <= _LABEL else f"{one_line[: _LABEL - 1]}…"
