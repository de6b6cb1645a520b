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
from shared.contract.fields import Id, Needs, RequiredText, Text
from shared.contract.payloads import OPT_OUT, TYPES, Data
from shared.contract.problems import Problem
from shared.contract.rejection import Reason, explain
from shared.contract.timestamps import InvalidTime, milliseconds, rfc3339
from shared.contract.topics import MAX_EVENT_BYTES

Headers = Items[tuple[str, bytes | None]]

# Without control characters and `/`, a range of ids in the event log holds exactly one call.
_NAME = r"^[^/\x00-\x1f\x7f-\x9f]+$"
CallId = Annotated[
    str,
    Field(min_length=1, max_length=256, pattern=_NAME),
    Needs("a string of 1 to 256 characters without `/` and control characters", (str,)),
]
OrganizationId = Annotated[
    str,
    Field(min_length=1, max_length=128, pattern=_NAME),
    Needs("a string of 1 to 128 characters without `/` and control characters", (str,)),
]
Sequence = Annotated[
    Annotated[str, Field(max_length=32)] | int,
    Field(union_mode="left_to_right"),
    Needs("a string or an integer of at most 32 characters", (str, int)),
]


class Envelope(TypedDict):
    """The attributes of a CloudEvent 1.0 that are read. Others are ignored."""

    __pydantic_config__ = ConfigDict(strict=True, extra="ignore")  # type: ignore[misc]
    specversion: Annotated[Literal["1.0"], Field(description="`1.0`")]
    id: Id
    source: Id
    type: RequiredText
    subject: Annotated[CallId, Field(description="The call's id")]
    time: Annotated[
        str, Field(json_schema_extra={"format": "date-time"}), Needs("an RFC 3339 time with a zone", (str,))
    ]
    organizationid: OrganizationId
    sequence: NotRequired[Sequence | None]
    traceparent: NotRequired[Text | None]
    data: NotRequired[Any]


class OrderingKey(NamedTuple):
    """Decides which of two conflicting facts wins: the greater key is later.

    Of `sequence` and of `id` the shorter is less, so that `t2` stands before `t10`.
    """

    time: int
    sequence_length: int
    sequence: str
    source: str
    id_length: int
    id: str


class Event(NamedTuple):
    """One valid event.

    `data` is what was read: of a type that the contract knows, the fields that could be read, without null and empty
    ones and with usual words; else the JSON value without what a store cannot keep. A reported cost whose `currency`
    cannot be read has neither `currency` nor `cost`. `raw` is the event as JSON in structured mode, as the event log
    keeps it and `decode_logged` reads it. `redacted_at`: Unix milliseconds, 0 if the event is not redacted; a redacted
    event may lack fields that its type requires. `problems`: what is wrong with it, one for each kind and field.
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
    problems: tuple[Problem, ...] = ()

    @property
    def identity(self) -> tuple[str, str]:
        """`(source, id)`, unique within a call: two events with the same identity are the same occurrence."""
        return (self.ordering_key.source, self.ordering_key.id)


@dataclass(frozen=True, slots=True)
class InvalidEvent:
    """Why a record is not a valid event; `detail` is a sentence for the provider's engineer.

    `opt_out` is the event that enters the log in place of a refused one that opts out (docs/record.md, Opt-out).
    """

    reason: Reason
    detail: str
    opt_out: Event | None = None


class Mode(StrEnum):
    """How a CloudEvent is written in a Kafka record."""

    STRUCTURED = "structured"
    BINARY = "binary"


def _reader(model: Any) -> Callable[[Any], Any]:
    # Not the adapter's own method, which takes time to pass its many options on.
    read: Callable[[Any], Any] = TypeAdapter(model).validator.validate_python
    return read


def _partial(model: type) -> Any:
    partial: Any = TypedDict(model.__name__, get_type_hints(model, include_extras=True), total=False)  # type: ignore[misc]
    partial.__pydantic_config__ = Data.__pydantic_config__  # type: ignore[attr-defined]
    return partial


_ENVELOPE = _reader(Envelope)
_DATA = {name: _reader(model) for name, model in TYPES.items()}
_REDACTED_DATA = {name: _reader(_partial(model)) for name, model in TYPES.items()}
_CE = "ce_"

# What a named tuple's own constructor calls, at half its time.
_new = tuple.__new__

ATTRIBUTE_HEADERS = frozenset(_CE + name for name in Envelope.__annotations__ if name != "data")
"""The headers of binary mode that are read; others are ignored."""


def decode(value: bytes | None, headers: Headers = (), *, arrival: int) -> Event | InvalidEvent:  # noqa: ARG001
    """Return the event in a record's value and headers, in structured or binary mode, or why it is invalid.

    `arrival`: when the record arrived (Unix milliseconds), the time of an event whose own clock is wrong. Does not
    raise, whatever a producer sends.
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
    return InvalidEvent(Reason.TOO_LARGE, f"the value has {size} bytes, the limit is {MAX_EVENT_BYTES}")


def decode_logged(raw: bytes, redacted_at: int = 0) -> Event | InvalidEvent:
    """Return the event in `raw`, JSON in structured mode of any size, or why it is invalid.

    `redacted_at`: when its document in the log was redacted (Unix milliseconds, 0: never).
    """
    try:
        body = strict_json.parse(raw)
    except ValueError as error:
        return _unreadable(error, raw)
    if not isinstance(body, dict):
        return InvalidEvent(Reason.NOT_AN_OBJECT, "the value is JSON, but not an object")
    try:
        envelope = _ENVELOPE(body)
    except ValidationError as error:
        return InvalidEvent(*explain(error))
    try:
        time = milliseconds(envelope["time"])
    except InvalidTime as error:
        return InvalidEvent(Reason.INVALID_TIME, str(error))
    return _event(envelope, time, raw, redacted_at)


def _event(envelope: Envelope, time: int, raw: bytes, redacted_at: int) -> Event | InvalidEvent:
    kind, sent = envelope["type"], envelope.get("data")
    data = sent
    if read := (_REDACTED_DATA if redacted_at else _DATA).get(kind):
        try:
            data = read({} if sent is None else sent)
        except ValidationError as error:
            if not redacted_at:
                return InvalidEvent(*explain(error, "data"))
            data = {}
    sequence = envelope.get("sequence")
    sequence = "" if sequence is None else str(sequence)
    opts_out = isinstance(sent, dict) and sent.get(OPT_OUT) is True
    identifier = envelope["id"]
    ordering_key = _new(OrderingKey, (time, len(sequence), sequence, envelope["source"], len(identifier), identifier))
    organization, call = envelope["organizationid"], envelope["subject"]
    return _new(Event, (organization, call, kind, time, ordering_key, data, opts_out, raw, redacted_at, ()))


def mode(headers: Headers) -> Mode:
    """Return how the record's CloudEvent is written.

    The content type decides, as in the CloudEvents Kafka binding; a record without `ce_` headers is structured too.
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
    # Parsed alone first: `{}, "subject": "another call"` must not become part of the envelope.
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
    hint = " (NaN and infinities are not JSON)" if b"NaN" in value or b"Infinity" in value else ""
    return f"not JSON: {error}{hint}"


def producer_time(raw: bytes) -> str | None:
    """Return the attribute `producertime` of an event of the log: what its producer's wrong clock said, or None."""
    found = strict_json.parse(raw).get("producertime")
    return found if isinstance(found, str) else None


def is_tombstone(value: bytes | None, headers: Headers) -> bool:
    """Return whether a record has no value and is no event either.

    In binary mode a record without a value is an event without `data`.
    """
    return value is None and mode(headers) is not Mode.BINARY


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
