"""States as numbers for Prometheus' answers, with the text and the colour that Grafana shows for each."""

from collections.abc import Iterable
from enum import StrEnum

from grafana_foundation_sdk.models.dashboard import (
    DashboardSpecialValueMapOptions,
    SpecialValueMap,
    SpecialValueMatch,
    ValueMap,
    ValueMapping,
    ValueMappingResult,
)

from shared.lag.models import Cause, GroupState, Verdict

_GREY = "#8e8e8e"

_COLOURS: dict[StrEnum, str] = {
    Verdict.OK: "green",
    Verdict.CATCHING_UP: "blue",
    Verdict.FALLING_BEHIND: "orange",
    Verdict.STALLED: "red",
    Verdict.NO_OWNER: "purple",
    Cause.NONE: "green",
    Cause.NO_WORKER: "purple",
    Cause.REBALANCE: "blue",
    Cause.KAFKA_UNAVAILABLE: "dark-red",
    Cause.MONGODB_UNAVAILABLE: "red",
    Cause.MONGODB_SLOW: "orange",
    Cause.WORKER_FROZEN: "dark-orange",
    Cause.BACKLOG: "yellow",
    GroupState.STABLE: "green",
    GroupState.REBALANCING: "blue",
    GroupState.EMPTY: "purple",
    GroupState.DEAD: "red",
}
"""Grey where none is named: unknown."""


def number_of_state(metric: str, states: type[StrEnum], *, by: Iterable[str] = ()) -> str:
    """Return the query for the number of the present state of a metric that is 1 for it and 0 for the others.

    The label of the state is the last word of the metric's name. Of several monitors the greatest number counts.
    """
    label = metric.rsplit("_", 1)[-1]
    terms = [f'{metric}{{{label}="{state}"}} * {number}' for number, state in enumerate(states)]
    grouping = f" by ({', '.join(by)}) " if by else ""
    return f"max{grouping}({' or '.join(terms)})"


def texts_of(states: type[StrEnum]) -> list[ValueMapping]:
    """Return what Grafana shows for each number of `number_of_state`, and for no answer."""
    options = {
        str(number): ValueMappingResult(text=state.replace("_", " "), color=_COLOURS.get(state, _GREY), index=number)
        for number, state in enumerate(states)
    }
    return [ValueMap(options), not_known(len(options))]


def answers_or_not() -> list[ValueMapping]:
    """Return what Grafana shows for a dependency: 1 while it does not answer."""
    return _two("answers", "does not answer")


def scraped_or_not() -> list[ValueMapping]:
    """Return what Grafana shows for a process: 0 while Prometheus does not reach it."""
    return _two("does not answer", "answers", colours=("red", "green"))


def _two(zero: str, one: str, colours: tuple[str, str] = ("green", "red")) -> list[ValueMapping]:
    options = {
        str(number): ValueMappingResult(text=text, color=colours[number], index=number)
        for number, text in enumerate((zero, one))
    }
    return [ValueMap(options), not_known(len(options))]


def not_known(index: int = 0) -> SpecialValueMap:
    """Return what Grafana shows where a value is not known: the monitor exports NaN then, never 0."""
    result = ValueMappingResult(text="unknown", color=_GREY, index=index)
    return SpecialValueMap(DashboardSpecialValueMapOptions(SpecialValueMatch.NULL_AND_NAN, result))
