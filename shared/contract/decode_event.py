"""The contract of events: `decode` from a record's bytes to an `Event`.

The usual event is read in one strict pass. Only what that does not accept is read again with care (`lenient`), field by
field: docs/decisions/0014.
"""

from collections.abc import Callable
from decimal import Decimal
from operator import itemgetter
from types import UnionType
from typing import Annotated, Any, NotRequired, Union, get_args, get_origin, get_type_hints

from pydantic import AfterValidator, Field, PlainValidator, TypeAdapter
from pydantic_core import PydanticOmit
from typing_extensions import TypedDict, is_typeddict

from shared.contract import strict_json
from shared.contract.event import CallId, Envelope, Event, InvalidEvent, OrderingKey, OrganizationId
from shared.contract.fields import bare
from shared.contract.lenient import json_text, read_event
from shared.contract.lenient.attributes import PRODUCER_TIME
from shared.contract.lenient.data import AHEAD_MS, OLDEST_START_MS
from shared.contract.modes import ATTRIBUTE_HEADERS, Headers, Mode, framing, is_tombstone, mode, structured
from shared.contract.payloads import OPT_OUT, TYPES, Data
from shared.contract.rejection import Reason, Refused
from shared.contract.timestamps import milliseconds
from shared.contract.topics import MAX_EVENT_BYTES

__all__ = [
    "ATTRIBUTE_HEADERS",
    "CallId",
    "Envelope",
    "Event",
    "Headers",
    "InvalidEvent",
    "Mode",
    "OrderingKey",
    "OrganizationId",
    "canonical",
    "decode",
    "decode_logged",
    "is_tombstone",
    "mode",
    "producer_time",
    "too_large",
]

canonical = read_event.canonical

_FRAMED = (Reason.NOT_JSON, Reason.NOT_AN_OBJECT, Reason.NOT_CLOUDEVENTS)


class _NeedsCare(Exception):
    """The event is not as strict as most are: it is read again.

    No `ValueError`, of which pydantic would make an error of its own, at some cost.
    """


def _left_out(value: Any) -> Any:
    if value is None or value == "":
        raise PydanticOmit
    raise _NeedsCare


def _left_out_if_empty(value: Any) -> Any:
    if value is None or value == "":
        raise PydanticOmit
    return value


_LeftOut = Annotated[Any, PlainValidator(_left_out)]


def _strict_parts(kind: Any) -> Any:
    """Return the type with the objects in it, which have optional fields too, as `_object` makes them."""
    if get_origin(kind) is Annotated:
        inner, *notes = get_args(kind)
        return Annotated[_strict_parts(inner), *notes]
    if get_origin(kind) is list:
        return list[_strict_parts(get_args(kind)[0])]  # type: ignore[misc]
    return _object(kind) if is_typeddict(kind) else kind


def _optional(hint: Any) -> Any:
    """Return the type of an optional field that leaves out null and an empty text."""
    kind = _strict_parts(bare(hint))
    if get_args(kind)[:1] == (Any,):
        return NotRequired[Annotated[kind, AfterValidator(_left_out_if_empty)]]
    inner = get_args(kind)[:1]
    flat = inner[0] if get_origin(inner and inner[0]) in (Union, UnionType) else kind  # one union, not one in another
    return NotRequired[Annotated[flat | _LeftOut, Field(union_mode="left_to_right")]]


def _typed_dict(name: str, hints: dict[str, Any]) -> Any:
    made: Any = TypedDict(name, hints)  # type: ignore[misc]
    made.__pydantic_config__ = Data.__pydantic_config__  # type: ignore[attr-defined]
    return made


def _object(model: Any, *, required: bool = True) -> Any:
    """Return the model without null and empty texts in optional fields."""
    hints = get_type_hints(model, include_extras=True).items()
    return _typed_dict(
        model.__name__,
        {name: hint if required and get_origin(hint) is not NotRequired else _optional(hint) for name, hint in hints},
    )


def _reader(model: Any = None, *, required: bool = True) -> Callable[[Any], Any]:
    """Return what reads a strict event whose `data` is of the model; nothing is required of redacted data.

    Without a model, that of a type that the contract does not know. A single reader takes less time than two.
    """
    attributes = get_type_hints(Envelope, include_extras=True)
    del attributes["traceparent"]  # nothing reads it
    if model is not None:
        del attributes["type"]  # it chose the model
        data = _object(model, required=required)
        attributes["data"] = data if data.__required_keys__ else NotRequired[data | None]
    # Not the adapter's own method, which takes time to pass its many options on.
    read: Callable[[Any], Any] = TypeAdapter(_typed_dict("StrictEvent", attributes)).validator.validate_python
    return read


_READERS = {kind: _reader(model) for kind, model in TYPES.items()}
_REDACTED_READERS = {kind: _reader(model, required=False) for kind, model in TYPES.items()}
_UNKNOWN_TYPE = _reader()

# What a named tuple's own constructor calls, at half its time.
_new = tuple.__new__


def decode(value: bytes | None, headers: Headers = (), *, arrival: int) -> Event | InvalidEvent:
    """Return the event in a record's value and headers, in structured or binary mode, or why it is invalid.

    `arrival`: when the record arrived (Unix milliseconds), the time of an event whose own clock is wrong. Does not
    raise, whatever a producer sends.
    """
    raw = value or b""
    if len(raw) > MAX_EVENT_BYTES:
        return too_large(len(raw))
    if headers and mode(headers) is Mode.BINARY:
        try:
            raw = structured(raw, headers)
        except Refused as refused:
            return InvalidEvent(refused.reason, refused.detail)
    body = None
    try:
        body = strict_json.parse(raw)
        return _strict(raw, body, arrival + AHEAD_MS, 0)
    except (ValueError, _NeedsCare):
        found = read_event.read_sent(raw, arrival, body)
    if isinstance(found, InvalidEvent) and found.reason in _FRAMED:
        return InvalidEvent(found.reason, found.detail + framing(value or b"", headers))
    return found


def too_large(size: int) -> InvalidEvent:
    return InvalidEvent(Reason.TOO_LARGE, f"the value has {size} bytes, the limit is {MAX_EVENT_BYTES}")


def decode_logged(raw: bytes, redacted_at: int = 0) -> Event | InvalidEvent:
    """Return the event in `raw`, JSON in structured mode of any size, or why it is invalid.

    `redacted_at`: when its document in the log was redacted (Unix milliseconds, 0: never).
    """
    body = None
    try:
        body = strict_json.parse(raw)
        return _strict(raw, body, _ANY_TIME, redacted_at)
    except (ValueError, _NeedsCare):
        return read_event.read_logged(raw, redacted_at, body)


def producer_time(raw: bytes) -> str | None:
    """Return the attribute `producertime` of an event of the log: what its producer's wrong clock said, or None."""
    found = json_text.parse(raw).value.get(PRODUCER_TIME)
    return None if found is None else str(found)


_ANY_TIME = 2**63


def _strict(raw: bytes, body: Any, latest: int, redacted_at: int) -> Event:
    """Return the event if nothing is wrong with it and nothing has to be read as anything else; `body` is `raw` parsed.

    `latest`: the greatest time that a clock which is right can give.

    Raises:
        ValueError, _NeedsCare: the event has to be read with care.
    """
    try:
        kind = body["type"]
        read = (_REDACTED_READERS if redacted_at else _READERS).get(kind, _UNKNOWN_TYPE)
    except (TypeError, KeyError) as error:
        raise _NeedsCare from error
    event = read(body)
    time = milliseconds(event["time"])
    if time > latest or PRODUCER_TIME in body:
        raise _NeedsCare
    data, opts_out = event.get("data"), False
    if data is None:
        if "data_base64" in body:
            raise _NeedsCare
        data = {} if kind in _READERS else None
    else:
        sent = body["data"]
        if type(sent) is dict:
            if OPT_OUT in sent:
                flag = sent[OPT_OUT]
                opts_out = flag is True
                if not (opts_out or flag is None or flag is False):
                    raise _NeedsCare
        elif type(sent) is str:  # it may hold an object
            raise _NeedsCare
    if kind in _CHECKS and not _CHECKS[kind](data, time):
        raise _NeedsCare
    sequence, identifier = event.get("sequence"), event["id"]
    sequence = "" if sequence is None else str(sequence)
    ordering_key = _new(OrderingKey, (time, len(sequence), sequence, event["source"], len(identifier), identifier))
    organization, call = event["organizationid"], event["subject"]
    return _new(Event, (organization, call, kind, time, ordering_key, data, opts_out, raw, redacted_at, ()))


# Times inside data that may be wrong though they are times, and what else no type can say.

Check = Callable[[dict[str, Any], int], bool]
_NOTHING = Decimal(0)
_START, _END = itemgetter("start"), itemgetter("end")


def _start_near(data: dict[str, Any], time: int) -> bool:
    start: int | None = data.get("start_timestamp")
    return start is None or time - OLDEST_START_MS <= start <= time + AHEAD_MS


def _end_near(data: dict[str, Any], time: int) -> bool:
    end: int = data.get("end_timestamp", 0)
    return end <= time + AHEAD_MS


def _timestamp_near(data: dict[str, Any], time: int) -> bool:
    stated: int = data.get("timestamp", 0)
    return stated <= time + AHEAD_MS


def _turn_near(data: dict[str, Any], time: int) -> bool:
    latest = time + AHEAD_MS
    if data.get("timestamp", 0) > latest or data.get("end_timestamp", 0) > latest:
        return False
    words = data.get("words")
    if not words:
        return True
    try:
        return bool(max(map(_START, words)) <= latest and max(map(_END, words)) <= latest)
    except KeyError:
        return all(word.get("start", 0) <= latest and word.get("end", 0) <= latest for word in words)


def _digits_known(data: dict[str, Any], _: int) -> bool:
    return "digits" in data and not data.get("sensitive")


def _no_negative_charge(data: dict[str, Any], _: int) -> bool:
    cost: Decimal = data.get("cost", _NOTHING)  # a redacted event may have none
    return cost >= 0 or data.get("kind") == "adjustment"


_CHECKS: dict[str, Check] = {
    "call.created": _start_near,
    "call.ringing": _start_near,
    "call.started": _start_near,
    "call.updated": _start_near,
    "call.dtmf": _digits_known,
    "call.ended": _end_near,
    "call.failed": _end_near,
    "transcript.turn": _turn_near,
    "tool.called": _timestamp_near,
    "tool.returned": _timestamp_near,
    "cost.reported": _no_negative_charge,
}
