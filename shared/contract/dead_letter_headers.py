"""The headers that the worker adds to a dead letter and the command `callfold` reads."""

import re

from shared.contract.decode_event import ATTRIBUTE_HEADERS, Headers

REPLAYS = "callfold-replays"
"""How often the record has been replayed: 1 after the first time."""

REPLAYED_FROM = "callfold-replayed-from"
"""The dead letter from which the record was last replayed, as `partition:offset` of the dead-letter topic."""

OMITTED = "callfold-omitted-bytes"
"""The size of what was left out: a value that was too large, or a batch, as Kafka holds it, that was not read."""

LAST_OFFSET = "last_offset"
"""The last offset of records that were passed over without being read; `offset` is the first one."""

MOST_REPLAYS = 9999
"""A higher count is not kept."""

_CONTENT_TYPE = "content-type"
_REPLAY_FORMS = {
    REPLAYS: re.compile(rb"[1-9][0-9]{0,3}"),
    REPLAYED_FROM: re.compile(rb"[0-9]{1,9}:[0-9]{1,18}"),
}


def readable(headers: Headers) -> list[tuple[str, bytes]]:
    """Return the headers that `decode` needs; the others may hold anything."""
    return [(name, value) for name, value in headers if value is not None and _reads(name)]


def replay_headers(headers: Headers) -> list[tuple[str, bytes]]:
    return [(name, value) for name, value in headers if value is not None and _is_replay(name, value)]


def kept(headers: Headers) -> list[tuple[str, bytes]]:
    return [*readable(headers), *replay_headers(headers)]


def _reads(name: str) -> bool:
    return name in ATTRIBUTE_HEADERS or name.lower() == _CONTENT_TYPE


def _is_replay(name: str, value: bytes) -> bool:
    form = _REPLAY_FORMS.get(name)
    return form is not None and form.fullmatch(value) is not None
