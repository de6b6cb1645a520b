"""The timeline of a call as a picture: who spoke when, tools, and what else happened, on one line of time."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import pairwise

from shared.fold.details import Details, ToolCallDetail, TurnDetail
from shared.fold.record import Record, TimelineEntry

WIDTH = 1_000.0
"""The picture's width, in its own units."""

GAP_MS = 3_000
"""A silence of at least so long is shown as a gap."""

_LEAST_WIDTH = 1.5  # narrower ones could neither be seen nor clicked


class Lane(StrEnum):
    """The rows of the picture, from top to bottom."""

    USER = "user"
    ASSISTANT = "assistant"
    TOOLS = "tools"
    EVENTS = "events"


@dataclass(frozen=True, slots=True)
class Span:
    """Something that took time or happened at once; `x` and `width` are of `WIDTH`, `anchor` is an id in the page.

    `estimated`: its end is not stated, and taken to be when the next one begins.
    """

    lane: Lane
    x: float
    width: float
    label: str
    anchor: str
    estimated: bool = False


@dataclass(frozen=True, slots=True)
class Timeline:
    """The spans of a call between two Unix times in milliseconds; `gaps` are silences as `(x, width, seconds)`."""

    begins: int
    ends: int
    spans: Sequence[Span]
    gaps: Sequence[tuple[float, float, float]]

    @property
    def seconds(self) -> float:
        return (self.ends - self.begins) / 1000


def timeline(record: Record, details: Details) -> Timeline:
    """Return what the events of a call make of its time; an empty call has a timeline of a millisecond."""
    moments = list(_moments(record, details))
    begins, ends = min(moments, default=0), max(moments, default=1)
    scale = _Scale(begins, max(ends, begins + 1))
    spoken = _ends_of_turns(details["turns"], scale.ends)
    spans = [
        *(_turn(scale, number, turn, spoken[number]) for number, turn in enumerate(details["turns"])),
        *(_tool(scale, number, tool) for number, tool in enumerate(details["tool_calls"])),
        *(_event(scale, number, entry) for number, entry in enumerate(record["events"])),
    ]
    talk = sorted((turn["timestamp"], spoken[number][0]) for number, turn in enumerate(details["turns"]))
    return Timeline(begins, scale.ends, [span for span in spans if span], list(_gaps(scale, talk)))


@dataclass(frozen=True, slots=True)
class _Scale:
    begins: int
    ends: int

    def x(self, moment: int) -> float:
        return round(WIDTH * (moment - self.begins) / (self.ends - self.begins), 2)

    def span(self, lane: Lane, start: int, end: int, label: str, anchor: str, *, estimated: bool = False) -> Span:
        x = self.x(start)
        width = max(_LEAST_WIDTH, round(self.x(max(start, end)) - x, 2))
        return Span(lane, min(x, WIDTH - _LEAST_WIDTH), width, label, anchor, estimated)


def _moments(record: Record, details: Details) -> Iterator[int]:
    for moment in (record["start_timestamp"], record["end_timestamp"]):
        if moment is not None:
            yield moment
    for entry in record["events"]:
        yield entry["timestamp"]
    for turn in details["turns"]:
        yield turn["timestamp"]
        if (end := _stated_end(turn)) is not None:
            yield end
    for tool in details["tool_calls"]:
        yield from (moment for moment in (tool["called_at"], tool["returned_at"]) if moment is not None)


def _stated_end(turn: TurnDetail) -> int | None:
    if turn["end_timestamp"] is not None:
        return turn["end_timestamp"]
    return max((word["end"] for word in turn["words"] if word["end"] is not None), default=None)


def _ends_of_turns(turns: Sequence[TurnDetail], last: int) -> list[tuple[int, bool]]:
    """Return each turn's end, and whether it is estimated."""
    following = [*(later["timestamp"] for _, later in pairwise(turns)), last]
    ends = zip(map(_stated_end, turns), following, strict=False)
    return [(max(stated, 0), False) if stated is not None else (then, True) for stated, then in ends]


def _turn(scale: _Scale, number: int, turn: TurnDetail, end: tuple[int, bool]) -> Span:
    lane = Lane.ASSISTANT if turn["role"] == "assistant" else Lane.USER
    label = f"{turn['speaker'] or turn['role']}: {turn['content']}"
    return scale.span(lane, turn["timestamp"], end[0], label, f"turn-{number}", estimated=end[1])


def _tool(scale: _Scale, number: int, tool: ToolCallDetail) -> Span | None:
    moments = [moment for moment in (tool["called_at"], tool["returned_at"]) if moment is not None]
    if not moments:
        return None
    name = tool["name"] or "a tool of unknown name"
    return scale.span(Lane.TOOLS, moments[0], moments[-1], name, f"tool-{number}", estimated=len(moments) == 1)


def _event(scale: _Scale, number: int, entry: TimelineEntry) -> Span:
    return scale.span(Lane.EVENTS, entry["timestamp"], entry["timestamp"], entry["event"], f"event-{number}")


def _gaps(scale: _Scale, talk: Sequence[tuple[int, int]]) -> Iterator[tuple[float, float, float]]:
    """Yield the silences between turns; `talk` is in the order of its beginnings."""
    heard = None
    for start, end in talk:
        if heard is not None and start - heard >= GAP_MS:
            yield scale.x(heard), round(scale.x(start) - scale.x(heard), 2), (start - heard) / 1000
        heard = max(end, heard or end)
