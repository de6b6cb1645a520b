"""The headers of a dead letter, which the worker writes and the command `callfold` reads."""

import re

from shared.contract.envelope import ATTRIBUTE_HEADERS, Headers

REPLAYS = "callfold-replays"
"""How often the record has been sent back to its topic: 1 after the first time."""

REPLAYED_FROM = "callfold-replayed-from"
"""The dead letter that the record was sent back from last, as `partition:offset` of its topic."""

OMITTED = "callfold-omitted-bytes"
"""How many bytes the value had that the topic for dead letters did not take."""

MOST_REPLAYS = 9999
"""A higher count is not kept."""

_CONTENT_TYPE = "content-type"
_MARKS = {
    REPLAYS: re.compile(rb"[1-9][0-9]{0,3}"),
    REPLAYED_FROM: re.compile(rb"[0-9]{1,9}:[0-9]{1,18}"),
}


def readable(headers: Headers) -> list[tuple[str, bytes]]:
    """Return the headers that are needed to read the record again: the rest of them may hold anything."""
    return [(name, value) for name, value in headers if value is not None and _reads(name)]


def marks(headers: Headers) -> list[tuple[str, bytes]]:
    """Return the headers that a replay gave the record, of those that are what they should be."""
    return [(name, value) for name, value in headers if value is not None and _is_mark(name, value)]


def kept(headers: Headers) -> list[tuple[str, bytes]]:
    """Return the headers of a record that its dead letter keeps."""
    return [*readable(headers), *marks(headers)]


def _reads(name: str) -> bool:
    return name in ATTRIBUTE_HEADERS or name.lower() == _CONTENT_TYPE


def _is_mark(name: str, value: bytes) -> bool:
    form = _MARKS.get(name)
    return form is not None and form.fullmatch(value) is not None
