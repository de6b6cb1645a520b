"""Reads with care an event that the strict pass does not accept, and names its problems."""

import json
from collections.abc import Iterator
from hashlib import sha256
from typing import Any, NamedTuple

import orjson

from shared.contract.event import Event, InvalidEvent, OrderingKey
from shared.contract.lenient import json_text, members
from shared.contract.lenient.attributes import (
    PRODUCER_TIME,
    Attributes,
    clock_problem,
    read_attributes,
    read_time,
    unreadable_time,
)
from shared.contract.lenient.data import AHEAD_MS, is_sensitive, read_data, read_opt_out
from shared.contract.lenient.json_text import BigInteger, Parsed
from shared.contract.lenient.sent_data import SentData, opened, read_from, sent_data
from shared.contract.payloads import OPT_OUT
from shared.contract.problems import Problem, ProblemKind, distinct
from shared.contract.rejection import Reason, Refused, unreadable
from shared.contract.timestamps import EARLIEST_MS, LATEST_MS, rfc3339

OPT_OUT_SOURCE = "/callfold/opt-out"
"""The source of the event that enters the log in place of a refused one that opts out."""

_DATA = ("data", "data_base64")


class _Read(NamedTuple):
    """The parts of an event; `data` is what it sent, or the object that a text holds. `time` is None if unreadable."""

    parsed: Parsed
    attributes: Attributes
    time: int | None
    sent: SentData
    data: SentData


def read_sent(raw: bytes, arrival: int, body: Any = None) -> Event | InvalidEvent:
    """Return the event of a record that arrived at `arrival`; its `raw` is rewritten where it may not be kept.

    `body` is what the strict pass has parsed, None if it could not.
    """
    try:
        read = _parsed(raw, body)
    except Refused as refused:
        return InvalidEvent(refused.reason, refused.detail)
    changed = _as_kept(raw, read, max(EARLIEST_MS, min(arrival, LATEST_MS - 1)))
    return _read(raw, read, 0) if changed is None else read_logged(changed)


def read_logged(raw: bytes, redacted_at: int = 0, body: Any = None) -> Event | InvalidEvent:
    """Return the event that the log has as `raw`; `body` as above."""
    try:
        return _read(raw, _parsed(raw, body), redacted_at)
    except Refused as refused:
        return InvalidEvent(refused.reason, refused.detail)


def canonical(raw: bytes) -> bytes:
    """Return the form in which two bodies under one identity are compared (docs/record.md, Conflicts)."""
    read = _parsed(raw)
    attributes = read.attributes
    if is_sensitive(attributes.type, read.data.value):
        read = _parsed(members.rewritten(raw, members.without_digits(read_from(read.parsed.value))))
    form = {
        "specversion": "1.0",
        "id": attributes.id,
        "source": attributes.source,
        "type": attributes.type,
        "subject": attributes.call_id,
        "time": rfc3339(_time(read)),
        "organizationid": attributes.organization_id,
        "sequence": attributes.sequence or None,
        "data": read.sent.value,
    }
    return json_text.dumps(form).encode()


def _parsed(raw: bytes, body: Any = None) -> _Read:
    try:
        parsed = json_text.parse(raw) if body is None else Parsed(body, None)
    except ValueError as error:
        raise unreadable(error, raw) from error
    if not isinstance(parsed.value, dict):
        raise Refused(Reason.NOT_AN_OBJECT, "the value is JSON, but not an object")
    attributes, sent = read_attributes(parsed.value), sent_data(parsed)
    return _Read(parsed, attributes, read_time(parsed.value.get("time")), sent, opened(sent))


def _as_kept(raw: bytes, read: _Read, arrival: int) -> bytes | None:
    """Return the event as the log may keep it: with a right clock, no `producertime` of a producer, no secret digits.

    None if that is `raw` itself.
    """
    wrong = read.time is None or read.time > arrival + AHEAD_MS
    sensitive = is_sensitive(read.attributes.type, read.data.value)
    if not wrong and not sensitive and PRODUCER_TIME not in read.parsed.value:
        return None
    left_out = {PRODUCER_TIME, "time"} if wrong else {PRODUCER_TIME}
    without_digits = members.without_digits(read_from(read.parsed.value)) if sensitive else None

    def kept(name: str, value: str) -> str | None:
        if name in left_out:
            return None
        return without_digits(name, value) if without_digits else value

    added = {"time": f'"{rfc3339(arrival)}"', PRODUCER_TIME: _as_text(read.parsed)} if wrong else {}
    changed = members.rewritten(raw, kept, **added)
    return changed if changed != raw else None


def _as_text(parsed: Parsed) -> str:
    """Return the producer's own `time` as JSON text: empty if there was none, or none that is a text."""
    value = (parsed.marked or parsed.value).get("time")
    if isinstance(value, int) and not isinstance(value, bool):
        value = str(value)
    return json.dumps(str(value)) if isinstance(value, str | BigInteger) else '""'


def _time(read: _Read) -> int:
    if read.time is None:
        raise unreadable_time(read.parsed.value.get("time"))
    return read.time


def _read(raw: bytes, read: _Read, redacted_at: int) -> Event | InvalidEvent:
    try:
        time = _time(read)
    except Refused as refused:
        return InvalidEvent(refused.reason, refused.detail, type=read.attributes.type)
    try:
        return _event(raw, read, time, redacted_at)
    except Refused as refused:
        opts_out, _ = read_opt_out(read.data.value)
        opt_out = _opt_out_alone(read, time) if opts_out else None
        return InvalidEvent(refused.reason, refused.detail, opt_out, read.attributes.type)


def _event(raw: bytes, read: _Read, time: int, redacted_at: int) -> Event:
    organization, call, kind, source, identifier, sequence, _ = read.attributes
    sent = read.data
    opts_out, problems = read_opt_out(sent.value)
    data, found = read_data(kind, sent.value, sent.marked, time, redacted=redacted_at > 0)
    ordering_key = OrderingKey(time, len(sequence), sequence, source, len(identifier), identifier)
    all_problems = distinct([*_of_envelope(read), *problems, *found])
    return Event(organization, call, kind, time, ordering_key, data, opts_out, raw, redacted_at, all_problems)


def _of_envelope(read: _Read) -> Iterator[Problem]:
    body, marked = read.parsed
    if PRODUCER_TIME in body:
        yield clock_problem(body[PRODUCER_TIME])
    if marked is not None and any(
        name not in marked or marked[name] != value for name, value in body.items() if name not in _DATA
    ):
        why = "an attribute has a lone surrogate (half of a character), which is read as U+FFFD"
        yield Problem(ProblemKind.SURROGATE_REPLACED, None, why)
    yield from read.attributes.problems


def _opt_out_alone(read: _Read, time: int) -> Event:
    """Return the event that enters the log in place of a refused one that opts out.

    It sets the flag alone, and its identity is its own: it is no conflict with the refused event when that is sent
    again in order.
    """
    body, attributes = read.parsed.value, read.attributes
    event = {
        "specversion": "1.0",
        "id": sha256(f"{attributes.source}\0{attributes.id}".encode()).hexdigest(),
        "source": OPT_OUT_SOURCE,
        "type": "call.updated",
        "subject": attributes.call_id,
        "time": rfc3339(time),
        "organizationid": attributes.organization_id,
        **({PRODUCER_TIME: body[PRODUCER_TIME]} if PRODUCER_TIME in body else {}),
        "data": {OPT_OUT: True},
    }
    raw = orjson.dumps(event)
    return _event(raw, _parsed(raw), time, 0)
