"""Moments, durations and numbers as the pages show them."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime

UNKNOWN = "\u2013"
_SECOND_MS, _MINUTE_MS, _HOUR_MS, _DAY_MS = 1_000, 60_000, 3_600_000, 86_400_000
_FEW = 10
_KEPT = "\n\t"


def clock(moment: int | None) -> str:
    """Return a Unix time in milliseconds as a time of day in UTC, to the second."""
    return UNKNOWN if moment is None else datetime.fromtimestamp(moment / 1000, UTC).strftime("%H:%M:%S")


def date(moment: int | None) -> str:
    """Return a Unix time in milliseconds as a date and a time in UTC, to the second."""
    return UNKNOWN if moment is None else datetime.fromtimestamp(moment / 1000, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")


def when(stated: str | None) -> str:
    """Return a time as RFC 3339 states it as a date and a time in UTC, to the second."""
    return UNKNOWN if stated is None else date(int(datetime.fromisoformat(stated).timestamp() * 1000))


def length(milliseconds: float) -> str:
    """Return how long something took, unbroken: `412 ms`, `3.4 s`, `45 s`, `5 min 07 s`, `1 h 02 min`, `2 d 03 h`."""
    return _length(milliseconds).replace(" ", "\u00a0")


def _length(milliseconds: float) -> str:
    if 0 < milliseconds < _SECOND_MS:
        return f"{milliseconds:.0f} ms"
    if milliseconds < _MINUTE_MS:
        return f"{milliseconds / _SECOND_MS:.1f}".removesuffix(".0") + " s"
    seconds = round(milliseconds / _SECOND_MS)
    if milliseconds < _HOUR_MS:
        return f"{seconds // 60} min {seconds % 60:02d} s"
    if milliseconds < _DAY_MS:
        return f"{seconds // 3600} h {seconds % 3600 // 60:02d} min"
    return f"{seconds // 86400} d {seconds % 86400 // 3600:02d} h"


def duration(seconds: float | str | None) -> str:
    """Return seconds as `length` does milliseconds; a text, such as `never`, stays."""
    if seconds is None or isinstance(seconds, str):
        return seconds or UNKNOWN
    return length(seconds * _SECOND_MS)


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


def visible(text: str) -> str:
    r"""Escape every character that does not print (controls, bidirectional marks), as in `\x1b`, but keep lines."""
    if text.isprintable():
        return text
    return "".join(
        sign if sign.isprintable() or sign in _KEPT else sign.encode("unicode_escape").decode() for sign in text
    )


FILTERS: Mapping[str, Callable[..., str]] = {
    "clock": clock,
    "date": date,
    "duration": duration,
    "length_of": length,
    "number": number,
    "text": text,
    "when": when,
}
