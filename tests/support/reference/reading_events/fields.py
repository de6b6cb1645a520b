"""The fields of each type, implemented a second time; see `reading.py`.

The tables follow those of the contract's page: of each type its required and its optional fields. How a value is read
is in `values.py`.
"""

from collections.abc import Callable
from typing import Any

from tests.support.reference.reading_events import values, words
from tests.support.reference.reading_events.parsing import Json, Problems, is_sensitive, object_of
from tests.support.reference.reading_events.values import Context, InvalidEvent, Reader, Unreadable, plainly, word_of

OPT_OUT = "opt_out_sensitive_data_storage"

_TEXT, _ID, _BOOLEAN, _INTEGER = (
    plainly(read) for read in (values.text, values.identifier, values.boolean, values.integer)
)
_AMOUNT, _MILLISECONDS, _REVISION = (plainly(read) for read in (values.amount, values.milliseconds, values.revision))


def _identifiers(value: Any, context: Context) -> Json:
    return _optional(values.json_object(value), {"call_sid": _TEXT, "conference_sid": _TEXT}, context)


_LEG: dict[str, Reader] = {"leg_id": values.leg_of}
_DETAILS: dict[str, Reader] = {
    "agent_id": _ID,
    "call_type": word_of(words.call_type),
    "direction": word_of(words.direction),
    "from_number": _TEXT,
    "to_number": _TEXT,
    "start_timestamp": values.start_of,
    "metadata": values.free_form_object,
    "telephony_identifier": _identifiers,
    "public_log_url": _TEXT,
    "recording_url": _TEXT,
    OPT_OUT: values.true_if_unreadable,
    **_LEG,
}
_END: dict[str, Reader] = {
    "ended_by": _TEXT,
    "end_timestamp": values.time_of,
    "duration_ms": _MILLISECONDS,
    "sip_code": _INTEGER,
    "q850_cause": _INTEGER,
    "inferred": values.true_if_unreadable,
    **_LEG,
}

_REQUIRED: dict[str, dict[str, Reader]] = {
    "call.classified": {"answered_by": _TEXT},
    "call.dtmf": {"digits": _TEXT},
    "call.note": {"event": _TEXT},
    "call.ended": {"disconnection_reason": _TEXT},
    "call.failed": {"disconnection_reason": _TEXT},
    "recording.available": {"recording_url": _TEXT},
    "transcript.turn": {"role": word_of(words.role), "content": values.content_of_turn},
    "transcript.retracted": {"turn_id": _ID, "revision": _REVISION},
    "tool.called": {"name": _TEXT},
    "tool.returned": {"content": values.content_of_tool},
    "latency.sampled": {
        "component": word_of(words.component),
        "value_ms": plainly(lambda value: values.number_between(value, 0, values.HOUR)),
    },
    "usage.reported": {"product": _TEXT, "quantity": plainly(values.quantity)},
    "cost.reported": {"product": _TEXT, "cost": _AMOUNT},
    "call.analyzed": {"analysis": values.free_form_object},
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
        "status": word_of(words.transfer_status),
        **_LEG,
    },
    "call.dtmf": {"sensitive": values.true_if_unreadable, **_LEG},
    "call.note": {"data": values.free_form_object, **_LEG},
    "call.ended": _END,
    "call.failed": {"message": _TEXT, **_END},
    "recording.available": {
        "recording_id": _ID,
        "channel": _TEXT,
        "duration_ms": _MILLISECONDS,
        "expires_at": plainly(values.unix_time),
        **_LEG,
    },
    "transcript.turn": {
        "turn_id": _ID,
        "revision": _REVISION,
        "final": _BOOLEAN,
        "timestamp": values.time_of,
        "end_timestamp": values.time_of,
        "words": values.words_of_turn,
        "interrupted": _BOOLEAN,
        "speaker": _TEXT,
        "channel": _TEXT,
        "language": _TEXT,
        "confidence": plainly(lambda value: values.number_between(value, 0, 1)),
        "metadata": values.free_form_object,
        **_LEG,
    },
    "tool.called": {
        "tool_call_id": _ID,
        "arguments": values.free_form_of,
        "timestamp": values.time_of,
        "revision": _REVISION,
    },
    "tool.returned": {
        "tool_call_id": _ID,
        "successful": _BOOLEAN,
        "timestamp": values.time_of,
        "duration_ms": _MILLISECONDS,
        "error": _TEXT,
        "revision": _REVISION,
    },
    "latency.sampled": {"sample_id": _ID, "turn_id": _ID},
    "usage.reported": {"unit": _TEXT, "usage_id": _ID},
    "cost.reported": {
        "currency": values.currency,
        "kind": values.kind_of_cost,
        "unit_price": _AMOUNT,
        "quantity": _AMOUNT,
        "unit": _TEXT,
        "line_id": _ID,
        **_LEG,
    },
}
_FLAG: dict[str, Reader] = {OPT_OUT: values.true_if_unreadable}
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
        clean, kinds = values.free_form(data)
        return clean, frozenset((kind, None) for kind in kinds)
    read, problems = {}, set()
    for name, value in data.items():
        if "\0" in name:
            problems.add(("key_left_out", None))
        else:
            read[name], kinds = values.free_form(value)
            problems |= {(kind, name) for kind in kinds}
    return read, values.told_apart(problems)
