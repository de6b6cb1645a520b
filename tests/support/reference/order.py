"""The order of events and their canonical form, implemented a second time; see `reading.py`."""

import re
from datetime import UTC, datetime, timedelta
from typing import Any

from tests.support.reference.values import EARLIEST, LATEST, canonical_json

Json = dict[str, Any]

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_HOUR_AND_MINUTE = r"(?:[01]\d|2[0-3]):[0-5]\d"
_TIME = re.compile(
    rf"(\d{{4}}-\d\d-\d\d)[Tt ]({_HOUR_AND_MINUTE}):([0-5]\d|60)(?:\.(\d+))?([Zz]|[+-]{_HOUR_AND_MINUTE})", re.ASCII
)


def ordering_key(event: Json) -> tuple[int, int, str, str, int, str]:
    """Return what events are ordered by, of an event as `ReadCall` has it."""
    sequence, name = event["sequence"], event["id"]
    return (event["time"], len(sequence), sequence, event["source"], len(name), name)


def unix_ms(text: str) -> int | None:
    """Return the Unix milliseconds of an RFC 3339 time of the years 2000 to 2100, a finer fraction cut off.

    None if it is none. A second 60 is the next second.
    """
    match = _TIME.fullmatch(text)
    if match is None:
        return None
    date, minute, second, fraction, zone = match.groups()
    try:
        moment = datetime.fromisoformat(f"{date}T{minute}:00{zone.upper()}")
        since = moment - _EPOCH + timedelta(seconds=int(second))
    except (ValueError, OverflowError):
        return None
    whole = since // timedelta(milliseconds=1) + int(((fraction or "") + "000")[:3])
    return whole if EARLIEST <= whole <= LATEST else None


def rfc3339(time: int) -> str:
    return f"{_EPOCH + timedelta(milliseconds=time):%Y-%m-%dT%H:%M:%S}.{time % 1000:03}Z"


def canonical(event: Json, data: Any, time: int | None) -> bytes:
    """Return the bytes that bodies are compared by; without `time` those that differ in time alone are equal."""
    return canonical_json(
        {
            "specversion": "1.0",
            "id": event["id"],
            "source": event["source"],
            "type": event["type"],
            "subject": event["call"],
            "time": None if time is None else rfc3339(time),
            "organizationid": event["organization"],
            "sequence": event["sequence"] or None,
            "data": data,
        }
    )
