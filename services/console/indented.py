"""PURE: JSON that anybody may have sent, in lines."""

import re
from collections.abc import Iterator

import orjson

MOST_LEVELS = 32
"""Deeper JSON is not indented: most of it would be space."""

MOST_TIMES = 4
"""JSON that would become longer than this many times is not indented, but to `ALWAYS_ALLOWED` characters it may."""

ALWAYS_ALLOWED = 4 * 1024

_INDENT = "  "
_MARK = re.compile(r'"(?:[^"\\]|\\.)*"|[{}\[\],:]|[^\s{}\[\],:"]+')
_OPENING, _CLOSING = frozenset("{["), frozenset("}]")


def indented(json: str) -> str | None:
    """Return a JSON object or list in lines; every name, number and text in it stays as it was sent.

    None: the text is neither, is nested too deep, or would become too long.
    """
    if not _is_nested_json(json):
        return None
    parts, left = [], max(ALWAYS_ALLOWED, MOST_TIMES * len(json))
    for level, part in _indented(json):
        left -= len(part)
        if level > MOST_LEVELS or left < 0:
            return None
        parts.append(part)
    return "".join(parts)


def _is_nested_json(text: str) -> bool:
    try:
        return isinstance(orjson.loads(text), dict | list)
    except ValueError:
        return False


def _indented(json: str) -> Iterator[tuple[int, str]]:
    """Yield the parts of the text, each with how many objects and lists are open after it."""
    level, before = 0, ""
    for found in _MARK.finditer(json):
        mark = found[0]
        level -= mark in _CLOSING
        if before == "," or (before in _OPENING) != (mark in _CLOSING and before != ""):
            yield level, f"\n{_INDENT * level}"
        level += mark in _OPENING
        yield level, f"{mark} " if mark == ":" else mark
        before = mark
