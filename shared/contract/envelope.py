"""The contract of events: the CloudEvents envelope, and `decode` from a record's bytes to an `Event`."""

import json
from collections.abc import Callable
from collections.abc import Sequence as Items
from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated, Any, Literal, NamedTuple, NotRequired, get_type_hints

import orjson
from pydantic import ConfigDict, Field, TypeAdapter, ValidationError
from typing_extensions import TypedDict

from shared.contract import strict_json
from shared.contract.fields import Id, Needs, RequiredText
from shared.contract.payloads import OPT_OUT, TYPES, Data
from shared.contract.rejection import Reason, complaint
from shared.contract.timestamps import InvalidTime, milliseconds, rfc3339
from shared.contract.topics import MAX_EVENT_BYTES

Headers = Items[tuple[str, bytes | None]]

# No control characters and no `/`: ranges of keys in the store stay exactly one call (storage.md).
_NAME = r"^[^/\x00-\x1f\x7f-\x9f]+$"
CallId = Annotated[
    str,
    Field(min_length=1, max_length=256, pattern=_NAME),
    Needs("a text of 1 to 256 characters without `/` and control characters"),
]
OrganizationId = Annotated[
    str,
    Field(min_length=1, max_length=128, pattern=_NAME),
    Needs("a text of 1 to 128 characters without `/` and control characters"),
]
Sequence = Annotated[
    Annotated[str, Field(max_length=32)] | int,
    Field(union_mode="left_to_right"),
    Needs("a text or an integer of at most 32 characters"),
]


class Envelope(TypedDict):
    """A CloudEvent of version 1.0, as far as it is read. Other attributes are ignored."""

    __pydantic_config__ = ConfigDict(strict=True, extra="ignore")  # type: ignore[misc]
    specversion: Annotated[Literal["1.0"], Needs("`1.0`")]
    id: Id
    source: Id
    type: RequiredText
    subject: Annotated[CallId, Field(description="The call's id")]
    time: Annotated[str, Field(json_schema_extra={"format": "date-time"}), Needs("an RFC 3339 time with a zone")]
    organizationid: OrganizationId
    sequence: NotRequired[Sequence | None]
    traceparent: NotRequired[Annotated[str, Needs("a text")] | None]
    data: NotRequired[Any]


class OrderingKey(NamedTuple):
    """What orders events wherever facts are rivals: later is greater, the shorter `sequence` before the longer."""

    time: int
    sequence_length: int
    sequence: str
    source: str
    id: str


@dataclass(frozen=True, slots=True)
class InvalidEvent:
    """A record that is no event, and why, in words that a provider's engineer understands."""

    reason: Reason
    detail: str


class Event(NamedTuple):
    """One valid event.

    `data` is validated and normalized for a type of the contract, and as it came for another. `raw` is the event as
    JSON in structured mode: what the log keeps, and what `decode_logged` reads again. `redacted_at` is when it was
    redacted (Unix milliseconds, 0: never); a redacted event may lack what its type requires.
    """

    organization_id: str
    call_id: str
    type: str
    time: int
    ordering_key: OrderingKey
    data: Any
    opts_out: bool
    raw: bytes
    redacted_at: int = 0

    @property
    def identity(self) -> tuple[str, str]:
        """`(source, id)`: names one occurrence within a call."""
        return (self.ordering_key.source, self.ordering_key.id)


class Mode(StrEnum):
    """How a CloudEvent lies in a Kafka record."""

    STRUCTURED = "structured"
    BINARY = "binary"


def _reader(model: Any) -> Callable[[Any], Any]:
    """Return what reads a value as `model`; past the adapter, which does no more than to pass its many options on."""
    read: Callable[[Any], Any] = TypeAdapter(model).validator.validate_python
    return read


def _partial(model: type) -> Any:
    """Return the model with no field required: a redacted event may lack what its type requires."""
    left: Any = TypedDict(model.__name__, get_type_hints(model, include_extras=True), total=False)  # type: ignore[misc]
    left.__pydantic_config__ = Data.__pydantic_config__  # type: ignore[attr-defined]
    return left


_ENVELOPE = _reader(Envelope)
_DATA = {name: _reader(model) for name, model in TYPES.items()}
_LEFT = {name: _reader(_partial(model)) for name, model in TYPES.items()}
_CE = "ce_"

# What a named tuple's own constructor comes to, twice as fast.
_new = tuple.__new__

ATTRIBUTE_HEADERS = frozenset(_CE + name for name in Envelope.__annotations__ if name != "data")
"""The headers of binary mode that are read; others are ignored."""


def decode(value: bytes | None, headers: Headers = ()) -> Event | InvalidEvent:
    """Return the event that a record's value and headers carry, in structured or in binary mode, or why there is none.

    Never raises for what a producer may send.
    """
    raw = value or b""
    if len(raw) > MAX_EVENT_BYTES:
        return too_large(len(raw))
    try:
        if headers and mode(headers) is Mode.BINARY:
            raw = _structured(raw, headers)
    except UnicodeDecodeError:
        return InvalidEvent(Reason.WRONG_TYPE, "a `ce_` header is not UTF-8")
    except ValueError as error:
        return _unreadable(error, value)
    return decode_logged(raw)


def too_large(size: int) -> InvalidEvent:
    """Return why a value of so many bytes is no event."""
    return InvalidEvent(Reason.TOO_LARGE, f"the value has {size} bytes, at most {MAX_EVENT_BYTES} are taken")


def decode_logged(raw: bytes, redacted_at: int = 0) -> Event | InvalidEvent:
    """Return the event that `raw`, JSON in structured mode of whatever size, stands for, or why it does not.

    `redacted_at`: when the log's document was redacted (Unix milliseconds, 0: never).
    """
    try:
        body = strict_json.parse(raw)
    except ValueError as error:
        return _unreadable(error, raw)
    if not isinstance(body, dict):
        return InvalidEvent(Reason.NOT_AN_OBJECT, "the value is JSON, but no object")
    try:
        envelope = _ENVELOPE(body)
    except ValidationError as error:
        return InvalidEvent(*complaint(error, Envelope, ""))
    try:
        time = milliseconds(envelope["time"])
    except InvalidTime as error:
        return InvalidEvent(Reason.INVALID_TIME, str(error))
    return _event(envelope, time, raw, redacted_at)


def _event(envelope: Envelope, time: int, raw: bytes, redacted_at: int) -> Event | InvalidEvent:
    kind, sent = envelope["type"], envelope.get("data")
    data = sent
    if read := (_LEFT if redacted_at else _DATA).get(kind):
        try:
            data = read({} if sent is None else sent)
        except ValidationError as error:
            if not redacted_at:
                return InvalidEvent(*complaint(error, TYPES[kind], "data"))
            data = {}
    sequence = envelope.get("sequence")
    sequence = "" if sequence is None else str(sequence)
    opts_out = isinstance(sent, dict) and sent.get(OPT_OUT) is True
    ordering_key = _new(OrderingKey, (time, len(sequence), sequence, envelope["source"], envelope["id"]))
    organization, call = envelope["organizationid"], envelope["subject"]
    return _new(Event, (organization, call, kind, time, ordering_key, data, opts_out, raw, redacted_at))


def mode(headers: Headers) -> Mode:
    """Return how the record's CloudEvent is written.

    As the CloudEvents Kafka binding has it (the content type decides), but a record without `ce_` headers counts as
    structured even if nothing says so.
    """
    binary = Mode.STRUCTURED
    for name, value in headers:
        if name.lower() == "content-type" and (value or b"").lower().startswith(b"application/cloudevents"):
            return Mode.STRUCTURED
        if name.startswith(_CE):
            binary = Mode.BINARY
    return binary


def _structured(value: bytes, headers: Headers) -> bytes:
    """Return the binary-mode event as JSON in structured mode, its data byte for byte."""
    attributes = {
        name[len(_CE) :]: text.decode() for name, text in headers if text is not None and name in ATTRIBUTE_HEADERS
    }
    if not value:
        return orjson.dumps(attributes)
    # Read by itself first: `{}, "subject": "another call"` must not become part of the envelope.
    strict_json.parse(value, strict_json.MAX_DEPTH - 1)
    return b"".join((orjson.dumps(attributes)[:-1], b"," if attributes else b"", b'"data":', value, b"}"))


def _unreadable(error: ValueError, value: bytes | None) -> InvalidEvent:
    match error:
        case strict_json.NumberOutOfRange():
            return InvalidEvent(Reason.NUMBER_OUT_OF_RANGE, str(error))
        case strict_json.NulInKey():
            return InvalidEvent(Reason.NUL_IN_KEY, str(error))
        case strict_json.TooDeep():
            return InvalidEvent(Reason.TOO_DEEP, str(error))
        case _:
            return InvalidEvent(Reason.NOT_JSON, _not_json(error, value or b""))


def _not_json(error: ValueError, value: bytes) -> str:
    if not value:
        return "the value is empty"
    if "UTF-8" in str(error):
        return "not JSON: the value is not UTF-8"
    hint = " (NaN and infinities are no JSON)" if b"NaN" in value or b"Infinity" in value else ""
    return f"not JSON: {error}{hint}"


def canonical(raw: bytes) -> bytes:
    """Return the form in which two bodies under one identity are compared (record.md, Conflicts).

    `raw` is a valid event in structured mode.
    """
    body = strict_json.parse(raw)
    sequence = body.get("sequence")
    form = {
        name: body.get(name) for name in ("specversion", "id", "source", "type", "subject", "organizationid", "data")
    }
    form["time"] = rfc3339(milliseconds(body["time"]))
    form["sequence"] = None if sequence is None else str(sequence)
    return json.dumps(form, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
