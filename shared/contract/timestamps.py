"""The conversions of time: RFC 3339 with a zone, Unix milliseconds, `datetime`."""

import re
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache

EARLIEST_MS = 946_684_800_000
"""2000-01-01T00:00:00Z."""

LATEST_MS = 4_133_980_800_000
"""2101-01-01T00:00:00Z, the first millisecond that is too late."""

_RFC3339 = re.compile(r"(\d{4}-\d\d-\d\d)[Tt ](\d\d):(\d\d):(\d\d)(?:\.(\d+))?(?:[Zz]|([+-])(\d\d):(\d\d))", re.ASCII)
_NO_ZONE = re.compile(r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d(\.\d+)?", re.ASCII)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_PLACES = 3  # digits of a second's fraction that are kept
_USUAL_LENGTH = len("2023-12-20T18:45:00.000Z")
_THOUSANDTHS = {f"{number:03}": number for number in range(1000)}
_LAST_HOUR, _LAST_MINUTE, _LEAP_SECOND = 23, 59, 60


class InvalidTime(ValueError):
    """The text is not a valid event time; the message explains why."""


def milliseconds(text: str) -> int:
    """Return the Unix milliseconds of an RFC 3339 time; a finer fraction is cut off.

    Raises:
        InvalidTime: the text is not RFC 3339, has no zone, names no existing day, or lies outside 2000 to 2100 (UTC).
    """
    # The usual form, `2023-12-20T18:45:00.000Z`: the events of one second come together, so that its text is cached.
    if len(text) == _USUAL_LENGTH and text[-1] == "Z" and text[19] == ".":
        thousandths = _THOUSANDTHS.get(text[20:23])
        if thousandths is not None:
            try:
                return _second(text[:19]) + thousandths
            except InvalidTime:
                return parse(text)  # for an error that quotes the whole text
    fraction = text[20:-1]
    if len(fraction) >= _PLACES and text[19] == "." and text[-1] == "Z" and fraction.isdigit() and fraction.isascii():
        try:
            return _second(text[:19]) + int(fraction[:_PLACES])
        except InvalidTime:
            return parse(text)  # for an error that quotes the whole text
    return parse(text)


@lru_cache(maxsize=4096)
def _second(text: str) -> int:
    """Return the Unix milliseconds at which a second `2023-12-20T18:45:00` in UTC begins."""
    return parse(f"{text}Z")


def parse(text: str) -> int:
    """Return the same as `milliseconds`, without its fast path."""
    match = _RFC3339.fullmatch(text)
    if match is None:
        why = "has no zone" if _NO_ZONE.fullmatch(text) else "is not an RFC 3339 time"
        raise InvalidTime(f"`time` {why}: {text[:64]}")
    day, hour, minute, second, fraction, sign, zone_hour, zone_minute = match.groups()
    seconds = _seconds(text, int(hour), int(minute), int(second)) + _day(day)
    if sign:
        offset = _seconds(text, int(zone_hour), int(zone_minute), 0)
        seconds += -offset if sign == "+" else offset
    result = seconds * 1000 + (int(fraction[:3].ljust(3, "0")) if fraction else 0)
    if not EARLIEST_MS <= result < LATEST_MS:
        raise InvalidTime(f"`time` is outside the years 2000 to 2100: {text[:64]}")
    return result


def rfc3339(unix_ms: int) -> str:
    """Return the time in UTC as the canonical form spells it: `2023-12-20T18:45:00.000Z`."""
    return f"{from_unix_ms(unix_ms):%Y-%m-%dT%H:%M:%S}.{unix_ms % 1000:03d}Z"


def from_unix_ms(unix_ms: int) -> datetime:
    return _EPOCH + timedelta(milliseconds=unix_ms)


def to_unix_ms(moment: datetime) -> int:
    """Return a time with a zone as Unix milliseconds, a finer fraction cut off."""
    return (moment - _EPOCH) // timedelta(milliseconds=1)  # timestamp() * 1000 is a millisecond off now and then


def _seconds(text: str, hour: int, minute: int, second: int) -> int:
    # RFC 3339 allows a 61st second; it counts as the first one of the next minute.
    if hour > _LAST_HOUR or minute > _LAST_MINUTE or second > _LEAP_SECOND:
        raise InvalidTime(f"`time` is not a time of day: {text[:64]}")
    return hour * 3600 + minute * 60 + second


@lru_cache(maxsize=4096)
def _day(text: str) -> int:
    """Return the Unix seconds at which a day `2023-12-20` begins."""
    try:
        return (date.fromisoformat(text).toordinal() - _EPOCH.toordinal()) * 86400
    except ValueError as error:
        raise InvalidTime(f"`time` names a day that does not exist: {text}") from error
