"""How the bytes of an event are read as far as its envelope, implemented a second time; see `reading.py`."""

import base64
import binascii
import json
import math
import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, NoReturn

from tests.support.reference.reading_events.values import InvalidEvent, Unreadable, boolean, text, told_apart

Json = dict[str, Any]
Problems = frozenset[tuple[str, str | None]]
"""Kinds of problems, each with the top-level field of `data`, None for the envelope."""

_LARGEST, _DEEPEST = 2**20, 64
_SURROGATE = re.compile("[\ud800-\udfff]")
_CONTENT_TYPE_OF_JSON = re.compile(r"\s*(application/json|text/json|[^;]*\+json)\s*(;.*)?", re.IGNORECASE | re.DOTALL)


@dataclass(frozen=True)
class Envelope:
    """A body with a usable envelope: `time` and `producer_time` are the texts, `data_to_log` is as it came.

    But it is decoded from `data_base64` and has no sensitive digits. `data` is the same without lone surrogates.
    """

    id: str
    source: str
    type: str
    subject: str
    organization: str
    sequence: str
    time: str | None
    producer_time: str | None
    data: Any
    data_to_log: Any
    lost_digits: bool
    problems: Problems


def read_envelope(raw: bytes) -> Envelope:
    body = parse_json(raw)
    if len(raw) > _LARGEST or not isinstance(body, dict) or _depth(body) > _DEEPEST:
        raise InvalidEvent
    attributes = replaced({name: value for name, value in body.items() if name != "data"})
    if attributes.get("specversion") not in ("1.0", 1.0) or attributes["specversion"] is True:
        raise InvalidEvent
    data = body["data"] if body.get("data") is not None else _from_base64(attributes)
    kind = _required(attributes, "type", 256, forbidden="")
    data_to_log, lost_digits = _without_sensitive_digits(kind, data)
    problems = _surrogates(body | {"data": data_to_log})
    sequence = _attribute(attributes, "sequence")
    if sequence is None or len(sequence) > 32:
        sequence = ""
        problems |= set() if attributes.get("sequence") in (None, "") else {("field_unreadable", None)}
    return Envelope(
        id=_required(attributes, "id", 256),
        source=_required(attributes, "source", 256),
        type=kind,
        subject=_call_id(attributes),
        organization=_required(attributes, "organizationid", 128, forbidden="/"),
        sequence=sequence,
        time=_attribute(attributes, "time"),
        producer_time=None if attributes.get("producertime") is None else _attribute(attributes, "producertime") or "",
        data=replaced(data_to_log),
        data_to_log=data_to_log,
        lost_digits=lost_digits,
        problems=problems,
    )


def _attribute(attributes: Json, name: str) -> str | None:
    try:
        return text(attributes.get(name))
    except Unreadable:
        return None


def _required(attributes: Json, name: str, longest: int, forbidden: str | None = None) -> str:
    """Return a required attribute; where `forbidden` is given, neither it nor control characters may be in it."""
    value = _attribute(attributes, name)
    if value is None or len(value) > longest:
        raise InvalidEvent
    if forbidden is not None and any(letter in forbidden or unicodedata.category(letter) == "Cc" for letter in value):
        raise InvalidEvent
    return value


def _call_id(attributes: Json) -> str:
    value = _required(attributes, "subject", 256, forbidden="")
    if value in (".", ".."):
        raise InvalidEvent
    return value


def _from_base64(attributes: Json) -> Any:
    """Return what `data_base64` holds, None without it; lone surrogates are left in it."""
    if attributes.get("data_base64") is None:
        return None
    content_type = attributes.get("datacontenttype") or "application/json"
    if not isinstance(content_type, str) or not _CONTENT_TYPE_OF_JSON.fullmatch(content_type):
        raise InvalidEvent
    try:
        data = parse_json(base64.b64decode(attributes["data_base64"], validate=True))
    except (binascii.Error, TypeError, ValueError) as error:
        raise InvalidEvent from error
    if _depth(data) >= _DEEPEST:
        raise InvalidEvent
    return data


def _without_sensitive_digits(kind: str, data: Any) -> tuple[Any, bool]:
    fields = _opened(data)
    if kind != "call.dtmf" or not isinstance(fields, dict) or "digits" not in fields or not is_sensitive(fields):
        return data, False
    return {name: value for name, value in fields.items() if name != "digits"}, True


def is_sensitive(fields: Json) -> bool:
    said = fields.get("sensitive")
    try:
        return False if said in (None, "") else boolean(said)
    except Unreadable:
        return True


def object_of(data: Any) -> Json | None:
    """Return `data`, or the object that its text holds, without lone surrogates; None if it is no object."""
    data = _opened(data)
    return replaced(data) if isinstance(data, dict) else None


def _opened(data: Any) -> Any:
    """Return the value that a text holds, or another value as it is; lone surrogates are left in it."""
    if not isinstance(data, str):
        return data
    try:
        inside = parse_json(replaced(data).encode())
    except InvalidEvent:
        return None
    return inside if _depth(inside) < _DEEPEST else None


# JSON


def parse_json(raw: bytes) -> Any:
    """Return the value of a JSON text; lone surrogates are left in it.

    Of keys that are equal, once lone surrogates are replaced, the last counts.
    """
    try:
        decoded = raw.decode("utf-8-sig")
        value = json.loads(decoded, object_pairs_hook=_last_counts, parse_constant=_refuse, parse_float=_finite)
    except (ValueError, RecursionError) as error:
        raise InvalidEvent from error
    return value


def _last_counts(pairs: list[tuple[str, Any]]) -> Json:
    return dict({replaced(key): (key, value) for key, value in pairs}.values())


def _finite(digits: str) -> float:
    value = float(digits)
    if not math.isfinite(value):
        raise ValueError(digits)
    return value


def _refuse(constant: str) -> NoReturn:
    raise ValueError(constant)


def _depth(value: Any) -> int:
    """Return how deep objects and lists are nested, level by level since calls cannot be nested as deep."""
    level, depth = [value], 0
    while level := [inner for inner in level if isinstance(inner, dict | list)]:
        depth += 1
        level = [child for inner in level for child in (inner.values() if isinstance(inner, dict) else inner)]
    return depth


# Lone surrogates


def replaced(value: Any) -> Any:
    """Return the value with U+FFFD for each lone surrogate."""
    if isinstance(value, str):
        return _SURROGATE.sub("\ufffd", value)
    if isinstance(value, list):
        return [replaced(inner) for inner in value]
    if isinstance(value, dict):
        return {replaced(key): replaced(inner) for key, inner in value.items()}
    return value


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, list):
        for inner in value:
            yield from _texts(inner)
    elif isinstance(value, dict):
        for key, inner in value.items():
            yield key
            yield from _texts(inner)


def _surrogates(body: Json) -> Problems:
    """Return where lone surrogates were replaced."""
    data = body["data"]
    inside = _opened(data)
    places: list[tuple[str | None, Any]] = [(None, [name, value]) for name, value in body.items() if name != "data"]
    places += [(replaced(name), [name, value]) for name, value in inside.items()] if isinstance(inside, dict) else []
    places += [] if isinstance(data, dict) else [(None, data)]
    fields = {field for field, value in places if any(map(_SURROGATE.search, _texts(value)))}
    return told_apart(("surrogate_replaced", field) for field in fields)
