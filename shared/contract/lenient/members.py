"""Rewrites members of a JSON object in its text, so that everything else stays as it came."""

import json
import re
from base64 import b64decode, b64encode
from collections.abc import Callable
from typing import NamedTuple

from shared.contract.lenient.json_text import BYTE_ORDER_MARK

# Numbers are not needed, and a conversion of a million digits takes long.
_DECODER = json.JSONDecoder(parse_int=str, parse_float=str)
_SPACE = re.compile(r"[ \t\n\r]*")
_MARK = BYTE_ORDER_MARK.decode()
_DATA = ("data", "data_base64")

Rewrite = Callable[[str, str], str | None]
"""From a member's name and the JSON of its value to other JSON, or None, which leaves the member out."""


class _Member(NamedTuple):
    name: str
    key: str
    value: str


def rewritten(text: bytes, rewrite: Rewrite, **added: str) -> bytes:
    """Return the JSON object `text` with each member's value rewritten, and further members of the given JSON.

    `text` is a valid JSON object, not deeply nested; a byte order mark before it is left out.
    """
    changed = _rewritten(_decoded(text), rewrite, added)
    return changed.encode("utf-8", "surrogatepass")


def without_digits(read_from: str) -> Rewrite:
    """Return what rewrites the members of a sensitive `call.dtmf`: what its data says without its `digits`.

    `read_from`: `data` or `data_base64`, whichever is read. The other is left out, since nobody looks into it.
    """

    def rewrite(name: str, value: str) -> str | None:
        if name not in _DATA:
            return value
        if name != read_from:
            return None
        return _without_digits(value) if name == "data" else _base64_without_digits(value)

    return rewrite


def _without_digits(value: str) -> str:
    match value.lstrip(" \t\n\r" + _MARK)[:1]:
        case "{":
            return _rewritten(value, lambda name, inner: None if name == "digits" else inner, {})
        case '"':
            return _text_without_digits(value)
        case _:
            return value


def _text_without_digits(value: str) -> str:
    inner = json.loads(value)
    return json.dumps(_without_digits(inner)) if inner.lstrip(" \t\n\r" + _MARK).startswith("{") else value


def _base64_without_digits(value: str) -> str:
    inner = _decoded(b64decode(json.loads(value), validate=True))
    return json.dumps(b64encode(_without_digits(inner).encode("utf-8", "surrogatepass")).decode())


def _decoded(text: bytes) -> str:
    return text.decode("utf-8", "surrogatepass")


def _rewritten(text: str, rewrite: Rewrite, added: dict[str, str]) -> str:
    """Return the object with its members rewritten; as it is, if nothing changes.

    Of members of one name the last alone, which is the one that counts, stays.
    """
    sent = _members(text)
    members = list({member.name: member for member in sent}.values())
    values = [rewrite(member.name, member.value) for member in members]
    if not added and len(members) == len(sent) and values == [member.value for member in members]:
        return text
    kept = [f"{member.key}:{value}" for member, value in zip(members, values, strict=True) if value is not None]
    return "{" + ",".join([*kept, *(f'"{name}":{value}' for name, value in added.items())]) + "}"


def _members(text: str) -> list[_Member]:
    """Return the members of the object in their order; each value is parsed once.

    Raises:
        ValueError, RecursionError: the text is no JSON object.
    """
    members: list[_Member] = []
    at = _after_space(text, 1 if text.startswith(_MARK) else 0)
    if text[at : at + 1] != "{":
        raise ValueError("no object")
    at = _after_space(text, at + 1)
    while text[at : at + 1] == '"':
        name, end = _DECODER.raw_decode(text, at)
        key = text[at:end]
        start = _after_space(text, _after_space(text, end) + 1)  # the colon
        _, end = _DECODER.raw_decode(text, start)
        members.append(_Member(name, key, text[start:end]))
        at = _after_space(text, _after_space(text, end) + 1)  # the comma, or the end
    return members


def _after_space(text: str, at: int) -> int:
    found = _SPACE.match(text, at)
    return found.end() if found else at
