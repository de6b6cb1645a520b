"""When a turn was spoken."""

from operator import itemgetter
from typing import Any

_START = itemgetter("start")


def stated_time(data: dict[str, Any]) -> int | None:
    """Return the time that a turn states: its own, else that of its earliest word, else None."""
    timestamp: int | None = data.get("timestamp")
    if timestamp is None and (words := data.get("words")):
        try:
            earliest: int = min(map(_START, words))
        except (KeyError, TypeError):  # the usual words all have a start
            return min([word["start"] for word in words if word.get("start") is not None], default=None)
        return earliest
    return timestamp
