"""Numbers of the lag as text for people."""

import time
from collections.abc import Sequence
from math import isinf

from shared.lag.models import Cause, Lag, PartitionLag, Verdict

UNKNOWN = "-"
_MINUTE, _HOUR, _DAY = 60, 3_600, 86_400
_BARS = "▁▂▃▄▅▆▇█"
_PLAIN_BARS = "_.:-=+*#"
_FEW = 10


def seconds(value: float | None) -> str:
    """Return an age in seconds."""
    return UNKNOWN if value is None else f"{value:.1f}"


def rate(value: float | None) -> str:
    """Return a rate; only a small one has a fraction."""
    if value is None:
        return UNKNOWN
    return f"{value:.1f}" if 0 < value < _FEW else f"{value:.0f}"


def duration(value: float | None) -> str:
    """Return how long something takes: `45s`, `3m20s`, `2h05m`, `3d04h`, `never`."""
    if value is None:
        return UNKNOWN
    if isinf(value):
        return "never"
    whole = round(value)
    if whole < _MINUTE:
        return f"{whole}s"
    if whole < _HOUR:
        return f"{whole // _MINUTE}m{whole % _MINUTE:02d}s"
    if whole < _DAY:
        return f"{whole // _HOUR}h{whole % _HOUR // _MINUTE:02d}m"
    return f"{whole // _DAY}d{whole % _DAY // _HOUR:02d}h"


def judgement(verdict: Verdict, cause: Cause) -> str:
    """Return the verdict, with its cause where there is one."""
    return str(verdict) if cause is Cause.NONE else f"{verdict}: {cause}"


def summary(lag: Lag) -> str:
    """Return one line on the whole group."""
    began = ""
    if lag.since is not None:
        clock = time.strftime("%H:%M:%S", time.localtime(lag.since))
        began = f" since {clock} ({duration(max(lag.at - lag.since, 0.0))})"
    members = "members unknown" if lag.members is None else f"{lag.members} member{'s' * (lag.members != 1)}"
    state = f"group {lag.state}, {members}; Kafka {lag.kafka}; MongoDB {lag.mongodb}"
    return f"{lag.group}: {judgement(lag.verdict, lag.cause)}{began}; {state}"


def name(part: PartitionLag) -> str:
    """Return a partition with the last part of its topic's name, as the topics differ in it."""
    return f"{part.topic.rpartition('.')[2]}-{part.partition}"


def sparkline(values: Sequence[float | None], *, plain: bool = False) -> str:
    """Return a bar for each value, the highest for the greatest, and a space for one that is not known."""
    bars = _PLAIN_BARS if plain else _BARS
    most = max((value for value in values if value is not None), default=0)
    steps = len(bars) - 1
    return "".join(" " if value is None else bars[round(value / most * steps) if most else 0] for value in values)
