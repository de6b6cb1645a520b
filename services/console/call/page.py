"""What one call's page shows, as the templates take it."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from services.console.call.timeline import Timeline, timeline
from shared.fold.details import Details, ToolCallDetail, TurnDetail
from shared.fold.record import Percentiles, Record

_BARS = 24


@dataclass(frozen=True, slots=True)
class Said:
    """A line of the transcript: a turn or a tool call; `anchor` is its id in the page."""

    anchor: str
    at: int
    turn: TurnDetail | None = None
    tool: ToolCallDetail | None = None


@dataclass(frozen=True, slots=True)
class Distribution:
    """The samples of one component: `bars` are heights from 0 to 1 of equal steps from `min` to `max`."""

    component: str
    figures: Percentiles
    bars: Sequence[float]


@dataclass(frozen=True, slots=True)
class Cost:
    """The lines of the cost, and their sum as the record states it; `adds_up` compares both to the cent's millionth."""

    lines: Sequence[tuple[str, float, float | None]]
    total: float
    adds_up: bool


@dataclass(frozen=True, slots=True)
class CallPage:
    """One call."""

    record: Record
    details: Details
    finality: str
    timeline: Timeline
    said: Sequence[Said]
    latency: Sequence[Distribution]
    cost: Cost | None


def call_page(record: Record, details: Details, finality: str) -> CallPage:
    return CallPage(
        record,
        details,
        finality,
        timeline(record, details),
        _said(details),
        [_distribution(name, figures) for name, figures in (record["latency"] or {}).items()],
        _cost(record),
    )


def _said(details: Details) -> list[Said]:
    turns = [Said(f"turn-{n}", turn["timestamp"], turn=turn) for n, turn in enumerate(details["turns"])]
    tools = [
        Said(f"tool-{n}", tool["called_at"] or tool["returned_at"] or 0, tool=tool)
        for n, tool in enumerate(details["tool_calls"])
    ]
    return sorted([*turns, *tools], key=lambda each: each.at)


def _distribution(component: str, figures: Percentiles) -> Distribution:
    least, step = figures["min"], (figures["max"] - figures["min"]) / _BARS or 1.0
    counts = [0] * _BARS
    for value in figures["values"]:
        counts[min(_BARS - 1, int((value - least) / step))] += 1
    most = max(counts) or 1
    return Distribution(component, figures, [count / most for count in counts])


def _cost(record: Record) -> Cost | None:
    cost: Any = record["call_cost"]
    if cost is None:
        return None
    lines = [(line["product"], line["cost"], line["unit_price"]) for line in cost["product_costs"]]
    total = sum((Decimal(str(line[1])) for line in lines), Decimal())
    return Cost(lines, cost["combined_cost"], total == Decimal(str(cost["combined_cost"])))
