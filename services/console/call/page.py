"""What one call's page shows, as the template takes it."""

import pickle
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from services.console.call.bounds import MOST_KEYS, first_keys, paged
from services.console.call.costs import Cost, cost_of
from services.console.call.ends import EndRow, end_rows
from services.console.call.latency import Distribution, distributions
from services.console.call.lines import MOST_OF_PAGE, PER_PAGE, Line, lines_of
from services.console.call.names import anchor
from services.console.call.samples import Sample, of_turns, samples_of
from services.console.call.timeline.items import items_of
from services.console.call.timeline.picture import Picture, picture
from services.console.call.verdict import Verdict, verdict_of
from shared.calls.read_call import Finality
from shared.contract.decode_event import Event
from shared.fold.call import Call
from shared.fold.call_details import details_of
from shared.fold.conversation.turns import StandingTurn
from shared.fold.details import Details
from shared.fold.record import Record, TimelineEntry
from shared.fold.timeline import shown

MOST_ENTRIES = 500
"""Entries of "What happened" that the page shows."""


@dataclass(frozen=True, slots=True)
class Entry:
    """An entry of the record's timeline; `anchor` is its id in the page."""

    anchor: str
    entry: TimelineEntry


@dataclass(frozen=True, slots=True)
class Said:
    """A turn or a tool call, as a link to it."""

    href: str
    text: str


@dataclass(frozen=True, slots=True)
class Slowest:
    """The reply that took the longest, None if no turn is known to be it, and what was said and called before it."""

    reply: Said | None
    before: Sequence[Said]


@dataclass(frozen=True, slots=True)
class CallPage:
    """One call; `header` is its record without what the other parts show, `zero` is what moments are relative to.

    `header_more`: how many keys of metadata and its like are not in it. `pages` are the lines of the transcript,
    pickled, a page each.
    """

    header: Mapping[str, Any]
    header_more: int
    details: Details
    finality: Finality
    verdict: Verdict
    zero: int
    timeline: Picture
    pages: Sequence[bytes]
    line_count: int
    latency: Sequence[Distribution]
    slowest: Mapping[str, Slowest]
    cost: Cost | None
    ends: Sequence[EndRow]
    end_count: int
    entries: Sequence[Entry]
    entry_count: int
    differs: Mapping[str, Any]

    @property
    def size(self) -> int:
        """How many bytes its transcript takes."""
        return sum(map(len, self.pages))

    def lines(self, page: int) -> Sequence[tuple[Line, str | None]]:
        """Return the lines of a page, the first of which is 1, each with the id of its shape on the timeline."""
        # Pickled by this program or a process of its pool, which nobody else can write to.
        found: list[tuple[Line, str | None]] = pickle.loads(self.pages[page - 1])  # noqa: S301
        return found


def call_page(
    call: Call, record: Record, finality: Finality, currency: str, differs: Mapping[str, Any] | None = None
) -> CallPage:
    """Return the page of a call and its record; `differs` has the stored record's fields that the log gives no more."""
    details = details_of(without_lines(call))
    samples = samples_of(call.events, call.shown_turns)
    turns = [(turn, anchor(turn.event)) for turn in call.shown_turns]
    lines = lines_of(turns, call.tools, of_turns(samples))
    split = list(paged(lines, [line.size for line in lines], PER_PAGE, MOST_OF_PAGE))
    pages = {line.anchor: number for number, part in enumerate(split, 1) for line in part} if len(split) > 1 else {}
    zero = call.session.start if call.session else call.events.events[0].time
    happened = shown(call.events)
    entries = [_entry(event, entry) for event, entry in zip(happened, record["events"], strict=True)]
    latency = distributions(record, samples)[:_MOST_COMPONENTS]
    ends = end_rows(call, details)
    ended = record["end_timestamp"]
    items = items_of(call, details, turns, lines, happened)
    start = call.session.start if call.session else None
    drawn = picture(items, start, ended, lambda target: _href(target, pages))
    spans = drawn.shapes_of
    return CallPage(
        header=_header(record),
        header_more=sum(max(0, len(group) - MOST_KEYS) for group in _groups(record).values()),
        details=_listed(details),
        finality=finality,
        verdict=verdict_of(call, record, zero),
        zero=zero,
        timeline=replace(drawn, shapes_of={each.anchor: spans[each.anchor] for each in entries[:MOST_ENTRIES]}),
        pages=[pickle.dumps([(line, spans.get(line.anchor)) for line in part]) for part in split],
        line_count=len(lines),
        latency=latency,
        slowest=_slowest(latency, call, lines, pages),
        cost=cost_of(record["call_cost"], call.usage, call.reported_costs, currency),
        ends=_first_ends(ends),
        end_count=len(ends),
        entries=entries[:MOST_ENTRIES],
        entry_count=len(entries),
        differs=differs or {},
    )


_SHOWN_ELSEWHERE = frozenset(
    (
        *("events", "transcript", "transcript_object", "transcript_with_tool_calls", "latency"),
        "call_cost",
    )
)
_LISTED = 200
_BEFORE = 60
_MOST_BEFORE = 5
_MOST_COMPONENTS = 50
_MOST_DATA = 50


def _groups(record: Record) -> dict[str, Mapping[str, Any]]:
    groups = ("metadata", "telephony_identifier", "call_analysis")
    return {name: record[name] or {} for name in groups}  # type: ignore[literal-required]


def _header(record: Record) -> dict[str, Any]:
    """Return what the head of the page shows of the record."""
    plain = {name: value for name, value in record.items() if name not in _SHOWN_ELSEWHERE}
    return plain | {name: first_keys(group) for name, group in _groups(record).items()}


def _entry(event: Event, entry: TimelineEntry) -> Entry:
    return Entry(anchor(event), {**entry, "data": first_keys(entry["data"], _MOST_DATA)})


def _first_ends(ends: Sequence[EndRow]) -> Sequence[EndRow]:
    """Return as many as the page shows, the final one first where they are too many."""
    if len(ends) <= _LISTED:
        return ends
    return sorted(ends, key=lambda end: end.standing != "final")[:_LISTED]


def without_lines(call: Call) -> Call:
    """Return the call as if nothing had been said: the transcript shows that, and of a long call it takes seconds."""
    return call._replace(shown_turns=(), tools=None)


def _listed(details: Details) -> Details:
    """Return the details with no list longer than the page shows."""
    return {  # type: ignore[return-value]
        name: value[:_LISTED] if isinstance(value, list) else value for name, value in details.items()
    }


def _href(target: str, pages: Mapping[str, int]) -> str:
    """Return the address of a part of the page by its id; `pages` has the lines of a transcript of several pages."""
    page = pages.get(target)
    return f"#{target}" if page is None else f"?page={page}#{target}"


def _slowest(
    latency: Sequence[Distribution], call: Call, lines: Sequence[Line], pages: Mapping[str, int]
) -> dict[str, Slowest]:
    """Return of each component the turn that its slowest sample belongs to, and what stands before it."""
    places = {line.anchor: place for place, line in enumerate(lines)}
    found = {}
    for each in latency:
        if each.slowest is not None and each.slowest.turn is not None and call.shown_turns:
            turn = call.shown_turns[each.slowest.turn]
            place = places[anchor(turn.event)]
            if _is_reply(each.slowest, turn):
                found[each.component] = Slowest(_said(lines[place], pages), _before(lines, place, pages))
            else:
                found[each.component] = Slowest(None, [_said(lines[place], pages)])
    return found


def _before(lines: Sequence[Line], place: int, pages: Mapping[str, int]) -> Sequence[Said]:
    """Return what was said last before a line, and the tools since."""
    first = place - 1
    while first > 0 and lines[first].tool is not None and place - first < _MOST_BEFORE:
        first -= 1
    return [_said(line, pages) for line in lines[max(first, 0) : place]]


def _is_reply(sample: Sample, turn: StandingTurn) -> bool:
    """Return whether a sample measures this turn: it names it, or was taken when an agent began it."""
    return sample.stated or (turn.event.data["role"] != "user" and sample.at == turn.timestamp)


def _said(line: Line, pages: Mapping[str, int]) -> Said:
    if line.tool is not None:
        took = f" ({line.tool.took})" if line.tool.took else ""
        return Said(_href(line.anchor, pages), f"tool {line.tool.name or 'of unknown name'}{took}")
    text = " ".join(f"{line.who}: {line.content[:_BEFORE]}".split())
    cut = len(text) > _BEFORE or len(line.content) > _BEFORE
    return Said(_href(line.anchor, pages), f"{text[: _BEFORE - 1]}…" if cut else text)
