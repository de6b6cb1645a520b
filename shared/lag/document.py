"""The lag as JSON: what `callfold lag --json` prints and the monitor's `/lag` returns."""

from dataclasses import asdict
from math import isinf
from typing import Any

from shared.contract.timestamps import rfc3339
from shared.lag.models import Lag

NEVER = "never"
"""In place of a number of seconds, as JSON has no infinity."""

_DIGITS = 3


def document(lag: Lag) -> dict[str, Any]:
    """Return the lag as an object of JSON: times in RFC 3339, null for what is not known.

    `drain_seconds` and `headroom_seconds` are "never" where the time does not end.
    """
    content = asdict(lag)
    total = {name: _number(content.pop(name)) for name in ("lag", "lag_seconds", "drain_seconds")}
    partitions = [_partition(part) for part in content.pop("partitions")]
    content |= {"at": _time(lag.at), "since": _time(lag.since), "hidden": list(content.pop("hidden"))}
    return {**content, "partitions": partitions, "total": total}


def _partition(part: dict[str, Any]) -> dict[str, Any]:
    return {name: _number(value) for name, value in part.items()} | {"since": _time(part["since"])}


def _number(value: Any) -> Any:
    if not isinstance(value, float):
        return value
    return NEVER if isinf(value) else round(value, _DIGITS)


def _time(unix_seconds: float | None) -> str | None:
    return None if unix_seconds is None else rfc3339(round(unix_seconds * 1000))
