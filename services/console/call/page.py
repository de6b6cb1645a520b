"""What one call's page shows, as the template takes it."""

import pickle
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from services.console.call.costs import Cost, cost_of
from services.console.call.ends import EndRow, end_rows
from services.console.call.latency import Distribution, distributions
from services.console.call.lines import PER_PAGE, Line, lines_of
from services.console.call.names import anchor
from services.console.call.samples import of_turns, samples_of
from services.console.call.timeline.items import items_of
from services.console.call.timeline.picture import Picture, picture
from services.console.call.verdict import Verdict, verdict_of
from shared.calls.read_call import Finality
from shared.fold.call import Call
from shared.fold.call_details import details_of
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
class Before:
    """What was said last before a moment, as a link to it."""

    href: str
    text: str


@dataclass(frozen=True, slots=True)
class CallPage:
    """One call; `header` is its record without what the other parts show, `zero` is what moments are relative to.

    `pages` are the lines of the transcript, pickled, a page each.
    """

    header: Mapping[str, Any]
    details: Details
    finality: Finality
    verdict: Verdict
    zero: int
    timeline: Picture
    pages: Sequence[bytes]
    line_count: int
    latency: Sequence[Distribution]
    before: Mapping[str, Before]
    cost: Cost | None
    ends: Sequence[EndRow]
    entries: Sequence[Entry]
    entry_count: int
    differs: Mapping[str, Any]

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
    pages = {line.anchor: number // PER_PAGE + 1 for number, line in enumerate(lines)}
    zero = call.session.start if call.session else call.events.events[0].time
    entries = [Entry(anchor(event), entry) for event, entry in zip(shown(call.events), record["events"], strict=True)]
    latency = distributions(record, samples)
    ended = record["end_timestamp"]
    items = items_of(call, details, turns, lines, shown(call.events))
    start = call.session.start if call.session else None
    drawn = picture(items, start, ended, lambda target: _href(target, pages, len(lines)))
    spans = drawn.shapes_of
    placed = [(line, spans.get(line.anchor)) for line in lines]
    return CallPage(
        header={name: value for name, value in record.items() if name not in _SHOWN_ELSEWHERE},
        details=_listed(details),
        finality=finality,
        verdict=verdict_of(call, record, zero),
        zero=zero,
        timeline=replace(drawn, shapes_of={each.anchor: spans[each.anchor] for each in entries[:MOST_ENTRIES]}),
        pages=[pickle.dumps(placed[at : at + PER_PAGE]) for at in range(0, len(lines) or 1, PER_PAGE)],
        line_count=len(lines),
        latency=latency,
        before=_before(latency, call, pages, len(lines)),
        cost=cost_of(record["call_cost"], call.usage, call.reported_costs, currency),
        ends=end_rows(call, details),
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


def without_lines(call: Call) -> Call:
    """Return the call as if nothing had been said: the transcript shows that, and of a long call it takes seconds."""
    return call._replace(shown_turns=(), tools=None)


def _listed(details: Details) -> Details:
    """Return the details with no list longer than the page shows."""
    return {  # type: ignore[return-value]
        name: value[:_LISTED] if isinstance(value, list) else value for name, value in details.items()
    }


def _href(target: str, pages: Mapping[str, int], lines: int) -> str:
    """Return the address of a part of the page by its id: a line of a long transcript may be on another page."""
    page = pages.get(target)
    return f"#{target}" if page is None or lines <= PER_PAGE else f"?page={page}#{target}"


def _before(latency: Sequence[Distribution], call: Call, pages: Mapping[str, int], lines: int) -> dict[str, Before]:
    found = {}
    for each in latency:
        if each.slowest is not None and each.slowest.turn is not None and call.shown_turns:
            turn = call.shown_turns[each.slowest.turn]
            data = turn.event.data
            text = " ".join(f"{data.get('speaker') or data['role']}: {data['content']}".split())
            text = text if len(text) <= _BEFORE else f"{text[: _BEFORE - 1]}…"
            found[each.component] = Before(_href(anchor(turn.event), pages, lines), text)
    return found
