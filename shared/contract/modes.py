"""The two modes in which a CloudEvent is written in a Kafka record, and what is often mistaken for them."""

import json
from collections.abc import Sequence
from enum import StrEnum

import orjson

from shared.contract import strict_json
from shared.contract.event import Envelope
from shared.contract.lenient import json_text
from shared.contract.rejection import Reason, Refused, unreadable

Headers = Sequence[tuple[str, bytes | None]]

_CE = "ce_"
_OTHER_PREFIXES = ("ce-", "cloudEvents:", "cloudEvents_")
_GZIP = b"\x1f\x8b"
_REGISTRY_BYTES = 5

ATTRIBUTE_HEADERS = frozenset(_CE + name for name in Envelope.__annotations__ if name != "data")
"""The headers of binary mode that are read; others are ignored."""


class Mode(StrEnum):
    """How a CloudEvent is written in a Kafka record."""

    STRUCTURED = "structured"
    BINARY = "binary"


def mode(headers: Headers) -> Mode:
    """Return how the record's CloudEvent is written.

    The content type decides, as in the CloudEvents Kafka binding; a record without an attribute's header is structured
    too.
    """
    binary = Mode.STRUCTURED
    for name, value in headers:
        if name.lower() == "content-type" and (value or b"").lower().startswith(b"application/cloudevents"):
            return Mode.STRUCTURED
        if name in ATTRIBUTE_HEADERS:
            binary = Mode.BINARY
    return binary


def is_tombstone(value: bytes | None, headers: Headers) -> bool:
    """Return whether a record has no value and is no event either.

    In binary mode a record without a value is an event without `data`.
    """
    return value is None and mode(headers) is not Mode.BINARY


def structured(value: bytes, headers: Headers) -> bytes:
    """Return the binary-mode event as JSON in structured mode, its data byte for byte.

    Raises:
        Refused: an attribute is not UTF-8, or the value is not JSON.
    """
    try:
        attributes = {
            name[len(_CE) :]: text.decode("utf-8", "surrogatepass")
            for name, text in headers
            if text is not None and name in ATTRIBUTE_HEADERS
        }
    except UnicodeDecodeError as error:
        raise Refused(Reason.WRONG_TYPE, "a `ce_` header is not UTF-8") from error
    written = _dumped(attributes)
    if not value:
        return written
    # Parsed alone first: `{}, "subject": "another call"` must not become part of the envelope.
    data = value.removeprefix(json_text.BYTE_ORDER_MARK)
    try:
        _check(data)
    except ValueError as error:
        raise unreadable(error, data) from error
    return b"".join((written[:-1], b"," if attributes else b"", b'"data":', data, b"}"))


def _dumped(attributes: dict[str, str]) -> bytes:
    try:
        return orjson.dumps(attributes)
    except TypeError:  # lone surrogates
        return json.dumps(attributes).encode()


def _check(data: bytes) -> None:
    try:
        strict_json.parse(data, strict_json.MAX_DEPTH - 1)
    except ValueError:
        json_text.parse(data, strict_json.MAX_DEPTH - 1)


def framing(value: bytes, headers: Headers) -> str:
    """Return what a record that is no event looks like, as the end of a sentence, or an empty text."""
    binary = mode(headers) is Mode.BINARY
    return (_bytes_framing(value) or ("" if binary else _json_framing(value))) + _prefixes(headers, binary=binary)


def _bytes_framing(value: bytes) -> str:
    if value.startswith(_GZIP):
        return "; it looks like gzip (1f 8b): use Kafka's own compression"
    if value.startswith(b"\x00") and len(value) > _REGISTRY_BYTES:
        return "; it looks like a schema registry's framing, a zero byte and four more: send plain JSON"
    return ""


def _json_framing(value: bytes) -> str:
    try:
        body = json_text.parse(value).value
    except ValueError:
        return ""
    match body:
        case list():
            return "; it looks like a batch: send each event as a record of its own"
        case str() if body.lstrip().startswith(("{", "[")):
            return "; it is JSON within a JSON text: it was encoded twice"
        case {"schema": _, "payload": _}:
            return "; it looks like an envelope of Kafka Connect or Debezium: send the `payload` alone, without schemas"
        case _:
            return ""


def _prefixes(headers: Headers, *, binary: bool) -> str:
    names = [name for name, _ in headers]
    for prefix in _OTHER_PREFIXES:
        if any(name.lower().startswith(prefix.lower()) for name in names):
            return f"; it has headers `{prefix}...`: in Kafka's binding the prefix is `ce_`"
    if any(name.startswith("CE_") for name in names):
        return "; it has headers `CE_...`: in Kafka's binding the prefix is `ce_`, in lower case"
    if not binary and any(name in ATTRIBUTE_HEADERS for name in names):
        return "; it has headers `ce_...`, but its content type is that of structured mode"
    return ""
