"""The transcript: what was said and which tools were used, line by line."""

from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from typing import Any, NamedTuple

from services.console.call.bounds import pretty, shortened
from services.console.call.names import anchor
from services.console.call.samples import Sample
from services.console.words import length
from shared.contract.decode_event import Event
from shared.fold.conversation.tools import ToolEntry, ToolUse, arguments, as_text
from shared.fold.conversation.turns import StandingTurn

PER_PAGE = 500
"""Lines of the transcript on one page."""

MOST_OF_PAGE = 400_000
"""Characters of the transcript on one page."""

_MOST_COMPONENTS = 20


class Line(NamedTuple):
    """A turn, or a tool call with its result; `anchor` is its id in the page, `at` when it began."""

    anchor: str
    at: int
    role: str
    who: str
    content: str = ""
    notes: Sequence[str] = ()
    samples: Sequence[Sample] = ()
    tool: "Tool | None" = None

    @property
    def slowest(self) -> Sequence[tuple[Sample, int]]:
        """The slowest sample of each component, and how many there are of it."""
        of_component: dict[str, list[Sample]] = {}
        for sample in self.samples:
            of_component.setdefault(sample.component, []).append(sample)
        shown = islice(of_component.values(), _MOST_COMPONENTS)
        return [(max(each, key=_milliseconds), len(each)) for each in shown]

    @property
    def size(self) -> int:
        """Its characters."""
        texts = (self.content, *((self.tool.asked, self.tool.answered, self.tool.error) if self.tool else ()))
        return sum(len(text) for text in texts if text)

    @property
    def slow(self) -> bool:
        return any(sample.slow for sample in self.samples)


class Tool(NamedTuple):
    """A tool call; `asked` and `answered` are text, JSON indented; what is not known is None."""

    name: str | None
    asked: str | None
    answered: str | None
    successful: bool | None
    error: str | None
    took: str | None
    ends: int | None = None


def _milliseconds(sample: Sample) -> float:
    return sample.milliseconds


def lines_of(
    turns: Sequence[tuple[StandingTurn, str]], tools: ToolUse | None, samples: Mapping[int, Sequence[Sample]]
) -> list[Line]:
    """Return the lines in the order of the record: a result stands with its call; `turns` are with their anchors."""
    placed = [
        ((turn.timestamp, turn.ordering_key), _spoken(turn, name, samples.get(number, ())))
        for number, (turn, name) in enumerate(turns)
    ]
    placed += [((entry.timestamp, entry.ordering_key), line) for entry, line in _used(tools)]
    placed.sort(key=lambda each: each[0])
    return [line for _, line in placed]


def _spoken(turn: StandingTurn, name: str, samples: Sequence[Sample]) -> Line:
    data = turn.event.data
    role = data["role"]
    who = data.get("speaker") or role
    return Line(name, turn.timestamp, role, who, shortened(data["content"]), tuple(_notes(data)), samples)


def _notes(data: Mapping[str, Any]) -> Iterator[str]:
    if data.get("final") is False:
        yield "never became final"
    if data.get("interrupted"):
        yield "interrupted"
    if revision := data.get("revision"):
        yield f"revision {revision}"
    if (confidence := data.get("confidence")) is not None:
        yield f"confidence {confidence:.0%}"
    for name in ("language", "channel"):
        if value := data.get(name):
            yield f"{name} {value}"
    if leg := data.get("leg_id"):
        yield f"leg {leg}"


def _used(tools: ToolUse | None) -> Iterator[tuple[ToolEntry, Line]]:
    if tools is None:
        return
    for called in tools.called:
        yield called, _tool(called, called.event, tools.results.get(called.ordering_key))
    for result in tools.alone():
        yield result, _tool(result, None, result)


def _tool(entry: ToolEntry, called: Event | None, returned: ToolEntry | None) -> Line:
    answer: Mapping[str, Any] = returned.event.data if returned else {}
    tool = Tool(
        name=called.data["name"] if called else None,
        asked=pretty(arguments(called)) if called else None,
        answered=pretty(as_text(answer["content"])) if returned else None,
        successful=answer.get("successful"),
        error=None if answer.get("error") is None else shortened(answer["error"]),
        took=_took(entry, returned, answer.get("duration_ms")),
        ends=returned.timestamp if returned else None,
    )
    return Line(anchor(entry.event), entry.timestamp, "tool", "tool", tool=tool)


def _took(entry: ToolEntry, returned: ToolEntry | None, stated: int | None) -> str | None:
    if stated is not None:
        return length(stated)
    if returned is None or returned is entry:
        return None
    return length(max(0, returned.timestamp - entry.timestamp))
