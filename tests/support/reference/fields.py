"""The fields of each type and how they are read, implemented a second time; see `reading.py`.

The tables follow those of the contract's page: of each type its required and its optional fields.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from tests.support.reference import words
from tests.support.reference.parsing import InvalidEvent, Json, Problems, is_sensitive, object_of
from tests.support.reference.values import (
    DAY,
    HOUR,
    Unreadable,
    amount,
    boolean,
    free_form,
    identifier,
    integer,
    json_object,
    milliseconds,
    number_between,
    quantity,
    revision,
    text,
    unix_time,
    unreadable_leg,
)

OPT_OUT = "opt_out_sensitive_data_storage"
NO_CURRENCY = "XXX"
"""What an unreadable currency is read as: ISO 4217's code for no currency, which has no exchange rate."""


@dataclass
class Context:
    """The event that a field is read of, and the kinds of problems of a field that is read in spite of them."""

    type: str
    time: int
    kinds: set[str] = field(default_factory=set)


Reader = Callable[[Any, Context], Any]


def _plainly(read: Callable[[Any], Any]) -> Reader:
    return lambda value, _: read(value)


def _word(normalize: Callable[[str], str | None]) -> Reader:
    def read(value: Any, _: Context) -> str:
        word = normalize(text(value))
        if word is None:
            raise Unreadable
        return word

    return read


def _time(value: Any, context: Context) -> int:
    time = unix_time(value)
    if time > context.time + HOUR:
        raise Unreadable("time_ahead")
    return time


def _start(value: Any, context: Context) -> int:
    if context.type == "call.scheduled":
        return unix_time(value)
    if _time(value, context) < context.time - 30 * DAY:
        raise Unreadable
    return _time(value, context)


def _true_if_unreadable(value: Any, context: Context) -> bool:
    try:
        return boolean(value)
    except Unreadable as unreadable:
        context.kinds.add(unreadable.kind)
        return True


def _leg(value: Any, context: Context) -> str:
    try:
        return identifier(value)
    except Unreadable as unreadable:
        context.kinds.add(unreadable.kind)
        return unreadable_leg(value)


def _currency(value: Any, context: Context) -> str:
    if isinstance(value, str) and len(value) == 3 and value.isascii() and value.isalpha():
        return value.upper()
    context.kinds.add("field_unreadable")
    return NO_CURRENCY


def _kind_of_cost(value: Any, _: Context) -> str:
    if not isinstance(value, str) or value.lower() not in ("charge", "adjustment"):
        raise InvalidEvent
    return value.lower()


def _free_form(value: Any, context: Context) -> Any:
    clean, kinds = free_form(value)
    context.kinds |= kinds
    return clean


def _free_form_object(value: Any, context: Context) -> Any:
    return _free_form(json_object(value), context)


def _identifiers(value: Any, context: Context) -> Json:
    return _optional(json_object(value), {"call_sid": _TEXT, "conference_sid": _TEXT}, context)


def _words_of_turn(value: Any, context: Context) -> list[Json]:
    if not isinstance(value, list):
        raise Unreadable
    read = [_word_of_turn(word, context) for word in value]
    return [word for word in read if word is not None]


def _word_of_turn(word: Any, context: Context) -> Json | None:
    try:
        said = text(json_object(word).get("word"))
    except Unreadable as unreadable:
        context.kinds.add(unreadable.kind)
        return None
    return {"word": said, "start": _word_time(word, "start", context), "end": _word_time(word, "end", context)}


def _word_time(word: Json, name: str, context: Context) -> int | None:
    try:
        return None if word.get(name) in (None, "") else _time(word[name], context)
    except Unreadable as unreadable:
        context.kinds.add("time_ahead" if unreadable.kind == "time_ahead" else "word_times_unreadable")
        return None


def _content_of_turn(value: Any, _: Context) -> str:
    return "" if value in (None, "") else text(value)


def _content_of_tool(value: Any, context: Context) -> Any:
    return "" if value is None else _free_form(value, context)


_TEXT, _ID, _BOOLEAN, _INTEGER = (_plainly(read) for read in (text, identifier, boolean, integer))
_AMOUNT, _MILLISECONDS, _REVISION = (_plainly(read) for read in (amount, milliseconds, revision))

_LEG: dict[str, Reader] = {"leg_id": _leg}
_DETAILS: dict[str, Reader] = {
    "agent_id": _ID,
    "call_type": _word(words.call_type),
    "direction": _word(words.direction),
    "from_number": _TEXT,
    "to_number": _TEXT,
    "start_timestamp": _start,
    "metadata": _free_form_object,
    "telephony_identifier": _identifiers,
    "public_log_url": _TEXT,
    "recording_url": _TEXT,
    OPT_OUT: _true_if_unreadable,
    **_LEG,
}
_END: dict[str, Reader] = {
    "ended_by": _TEXT,
    "end_timestamp": _time,
    "duration_ms": _MILLISECONDS,
    "sip_code": _INTEGER,
    "q850_cause": _INTEGER,
    "inferred": _true_if_unreadable,
    **_LEG,
}

_REQUIRED: dict[str, dict[str, Reader]] = {
    "call.classified": {"answered_by": _TEXT},
    "call.dtmf": {"digits": _TEXT},
    "call.note": {"event": _TEXT},
    "call.ended": {"disconnection_reason": _TEXT},
    "call.failed": {"disconnection_reason": _TEXT},
    "recording.available": {"recording_url": _TEXT},
    "transcript.turn": {"role": _word(words.role), "content": _content_of_turn},
    "transcript.retracted": {"turn_id": _ID, "revision": _REVISION},
    "tool.called": {"name": _TEXT},
    "tool.returned": {"content": _content_of_tool},
    "latency.sampled": {
        "component": _word(words.component),
        "value_ms": _plainly(lambda value: number_between(value, 0, HOUR)),
    },
    "usage.reported": {"product": _TEXT, "quantity": _plainly(quantity)},
    "cost.reported": {"product": _TEXT, "cost": _AMOUNT},
    "call.analyzed": {"analysis": _free_form_object},
}
_OPTIONAL: dict[str, dict[str, Reader]] = {
    "call.scheduled": _DETAILS,
    "call.created": _DETAILS,
    "call.ringing": _DETAILS,
    "call.started": {**_DETAILS, "answered_by": _TEXT},
    "call.updated": {**_DETAILS, "answered_by": _TEXT},
    "call.classified": {"detail": _TEXT, **_LEG},
    "call.transferred": {
        "destination": _TEXT,
        "mode": _TEXT,
        "transfer_id": _ID,
        "status": _word(words.transfer_status),
        **_LEG,
    },
    "call.dtmf": {"sensitive": _true_if_unreadable, **_LEG},
    "call.note": {"data": _free_form_object, **_LEG},
    "call.ended": _END,
    "call.failed": {"message": _TEXT, **_END},
    "recording.available": {
        "recording_id": _ID,
        "channel": _TEXT,
        "duration_ms": _MILLISECONDS,
        "expires_at": _plainly(unix_time),
        **_LEG,
    },
    "transcript.turn": {
        "turn_id": _ID,
        "revision": _REVISION,
        "final": _BOOLEAN,
        "timestamp": _time,
        "end_timestamp": _time,
        "words": _words_of_turn,
        "interrupted": _BOOLEAN,
        "speaker": _TEXT,
        "channel": _TEXT,
        "language": _TEXT,
        "confidence": _plainly(lambda value: number_between(value, 0, 1)),
        "metadata": _free_form_object,
        **_LEG,
    },
    "tool.called": {"tool_call_id": _ID, "arguments": _free_form, "timestamp": _time, "revision": _REVISION},
    "tool.returned": {
        "tool_call_id": _ID,
        "successful": _BOOLEAN,
        "timestamp": _time,
        "duration_ms": _MILLISECONDS,
        "error": _TEXT,
        "revision": _REVISION,
    },
    "latency.sampled": {"sample_id": _ID, "turn_id": _ID},
    "usage.reported": {"unit": _TEXT, "usage_id": _ID},
    "cost.reported": {
        "currency": _currency,
        "kind": _kind_of_cost,
        "unit_price": _AMOUNT,
        "quantity": _AMOUNT,
        "unit": _TEXT,
        "line_id": _ID,
        **_LEG,
    },
}
_FLAG: dict[str, Reader] = {OPT_OUT: _true_if_unreadable}
KNOWN = {*_REQUIRED, *_OPTIONAL}


def opt_out_flag(data: Any) -> bool | None:
    """Return the flag of an event of any type, None without one; one that cannot be read is true."""
    flag: bool | None = _optional(object_of(data) or {}, _FLAG, Context("", 0)).get(OPT_OUT)
    return flag


def read_data(kind: str, time: int, data: Any, *, perhaps_redacted: bool = False) -> tuple[Any, Problems]:
    """Return what is read of `data`, and its problems; `time` is the event's.

    Of a known type these are the known fields that could be read; of another one the whole value. Raise `InvalidEvent`
    where a required field cannot be read; of an event that is perhaps redacted it may be missing.
    """
    fields = object_of(data)
    _, of_flag = _read_each(_FLAG, _optional, fields or {}, kind, time)
    if kind not in KNOWN:
        read, problems = _read_unknown(data if fields is None else fields)
        return read, problems | of_flag
    no_object = fields is None and data not in (None, "")
    fields = fields or {}
    needed = {} if kind == "call.dtmf" and is_sensitive(fields) else _REQUIRED.get(kind, {})
    if perhaps_redacted:
        needed = {name: reader for name, reader in needed.items() if name in fields}
    required, of_required = _read_each(needed, _required, fields, kind, time)
    optional, of_optional = _read_each(_OPTIONAL.get(kind, {}), _optional, fields, kind, time)
    read = required | optional
    if kind == "cost.reported" and read.get("kind") != "adjustment" and read.get("cost", 0) < 0:
        raise InvalidEvent
    of_data: Problems = frozenset({("field_unreadable", None)} if no_object else ())
    return read, of_data | of_flag | of_required | of_optional


def _read_each(
    readers: dict[str, Reader], read_one: Callable[..., Json], fields: Json, kind: str, time: int
) -> tuple[Json, Problems]:
    read: Json = {}
    problems: set[tuple[str, str | None]] = set()
    for name, reader in readers.items():
        context = Context(kind, time)
        read |= read_one(fields, {name: reader}, context)
        problems |= {(problem, name) for problem in context.kinds}
    return read, frozenset(problems)


def _required(fields: Json, readers: dict[str, Reader], context: Context) -> Json:
    try:
        return {name: reader(fields[name], context) for name, reader in readers.items()}
    except (KeyError, Unreadable) as error:
        raise InvalidEvent from error


def _optional(fields: Json, readers: dict[str, Reader], context: Context) -> Json:
    """Return the fields that are set and can be read; null and the empty text set nothing."""
    read = {}
    for name, reader in readers.items():
        if fields.get(name) not in (None, ""):
            try:
                read[name] = reader(fields[name], context)
            except Unreadable as unreadable:
                context.kinds.add(unreadable.kind)
    return read


def _read_unknown(data: Any) -> tuple[Any, Problems]:
    if not isinstance(data, dict):
        clean, kinds = free_form(data)
        return clean, frozenset((kind, None) for kind in kinds)
    read, problems = {}, set()
    for name, value in data.items():
        if "\0" in name:
            problems.add(("key_left_out", None))
        else:
            read[name], kinds = free_form(value)
            problems |= {(kind, name) for kind in kinds}
    return read, frozenset(problems)
