"""Moments, durations and numbers as the pages show them."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime

from services.console.dead_letters.shown import visible

UNKNOWN = "-"
_MINUTE, _HOUR, _DAY = 60, 3_600, 86_400
_FEW = 10


def clock(moment: int | None) -> str:
    """Return a Unix time in milliseconds as a time of day in UTC, to the second."""
    return UNKNOWN if moment is None else datetime.fromtimestamp(moment / 1000, UTC).strftime("%H:%M:%S")


def date(moment: int | None) -> str:
    """Return a Unix time in milliseconds as a date and a time in UTC, to the second."""
    return UNKNOWN if moment is None else datetime.fromtimestamp(moment / 1000, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")


def when(stated: str | None) -> str:
    """Return a time as RFC 3339 states it as a date and a time in UTC, to the second."""
    return UNKNOWN if stated is None else date(int(datetime.fromisoformat(stated).timestamp() * 1000))


def duration(seconds: float | str | None) -> str:
    """Return how long something takes: `45 s`, `3 min 20 s`, `2 h 05 min`; a text, such as `never`, stays."""
    if seconds is None or isinstance(seconds, str):
        return seconds or UNKNOWN
    if seconds < _MINUTE:
        return f"{seconds:.1f} s" if 0 < seconds < _FEW else f"{seconds:.0f} s"
    whole = round(seconds)
    if whole < _HOUR:
        return f"{whole // _MINUTE} min {whole % _MINUTE:02d} s"
    if whole < _DAY:
        return f"{whole // _HOUR} h {whole % _HOUR // _MINUTE:02d} min"
    return f"{whole // _DAY} d {whole % _DAY // _HOUR:02d} h"


def number(value: float | None) -> str:
    """Return a count or a rate: with commas, and a fraction only where it is small."""
    if value is None:
        return UNKNOWN
    return f"{value:.1f}" if 0 < value < _FEW and value % 1 else f"{value:,.0f}"


def text(value: str | None, most: int = 120) -> str:
    """Return a text from outside, cut off after so many characters; what does not print is escaped."""
    if not value:
        return UNKNOWN
    return visible(value if len(value) <= most else f"{value[:most]}…")


FILTERS: Mapping[str, Callable[..., str]] = {
    "clock": clock,
    "date": date,
    "duration": duration,
    "number": number,
    "text": text,
    "when": when,
}
