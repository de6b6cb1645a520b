"""The lag as a table."""

import sys
from collections import defaultdict

from services.ops.console import print_result, print_table, width
from services.ops.lag.words import UNKNOWN, duration, judgement, name, rate, seconds, summary
from shared.lag.models import Lag, PartitionLag

_NUMBERS = ("records", "seconds", "in/s", "out/s", "drains_in")
_WIDE = ("topic", "partition", *_NUMBERS, "owner", "verdict", "cause")
_NARROW = ("partition", *_NUMBERS, "verdict")
_WIDE_COLUMNS = 130


def print_lag(lag: Lag) -> None:
    """Print a line for each partition and the total: all columns, or what a narrow terminal has room for."""
    if sys.stdout.isatty() and width() < _WIDE_COLUMNS:
        print_result(summary(lag))
        print_table(_NARROW, [*map(_narrow, lag.partitions), _narrow_total(lag)], _NUMBERS)
        for line in owners(lag):
            print_result(line)
        return
    if sys.stdout.isatty():
        print_result(summary(lag))
    print_table(_WIDE, [*map(_wide, lag.partitions), _wide_total(lag)], ("partition", *_NUMBERS))


def numbers(part: PartitionLag) -> list[str]:
    """Return the cells of records, seconds, in/s, out/s and drains_in."""
    return [
        UNKNOWN if part.lag is None else str(part.lag),
        seconds(part.lag_seconds),
        rate(part.arrivals_per_second),
        rate(part.commits_per_second),
        duration(part.drain_seconds),
    ]


def owners(lag: Lag) -> list[str]:
    """Return a line for each owner, with its partitions."""
    owned: defaultdict[str, list[str]] = defaultdict(list)
    for part in lag.partitions:
        owned[part.owner or "no owner is known"].append(name(part))
    return [f"{owner}: {' '.join(parts)}" for owner, parts in sorted(owned.items())]


def _wide(part: PartitionLag) -> list[object]:
    return [part.topic, part.partition, *numbers(part), part.owner, part.verdict, part.cause]


def _narrow(part: PartitionLag) -> list[object]:
    return [name(part), *numbers(part), judgement(part.verdict, part.cause)]


def _wide_total(lag: Lag) -> list[object]:
    return [f"total ({lag.group})", "", *_total(lag), "", lag.verdict, lag.cause]


def _narrow_total(lag: Lag) -> list[object]:
    return ["total", *_total(lag), judgement(lag.verdict, lag.cause)]


def _total(lag: Lag) -> list[str]:
    arrivals = [part.arrivals_per_second for part in lag.partitions]
    commits = [part.commits_per_second for part in lag.partitions]
    return [
        UNKNOWN if lag.lag is None else str(lag.lag),
        seconds(lag.lag_seconds),
        rate(_sum(arrivals)),
        rate(_sum(commits)),
        duration(lag.drain_seconds),
    ]


def _sum(values: list[float | None]) -> float | None:
    return None if None in values else sum(value for value in values if value is not None)
