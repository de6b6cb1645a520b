"""PURE: bytes that anybody may have sent, as text for a page."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

import orjson

MOST_CHARACTERS = 256 * 1024
"""How much of a text is shown."""

MOST_HEX_BYTES = 16 * 1024
"""How many bytes are shown that are no text."""

_MOST_INDENTED_BYTES = 64 * 1024  # deep nesting makes it hundreds of times as long
_LINE = 16
_INDENT = "  "
_MARK = re.compile(r'"(?:[^"\\]|\\.)*"|[{}\[\],:]|[^\s{}\[\],:"]+')
_OPENING, _CLOSING = frozenset("{["), frozenset("}]")
_KEPT = "\n\t"


@dataclass(frozen=True, slots=True)
class Shown:
    """Bytes as a page shows them: `text`, or `hexadecimal` where they are not UTF-8; `json` is the text indented.

    All three are None if there are no bytes at all. `is_cut`: there are more bytes than are shown.
    """

    size: int
    text: str | None = None
    json: str | None = None
    hexadecimal: str | None = None
    is_cut: bool = False


def shown(content: bytes | None) -> Shown | None:
    """Return the bytes as a page shows them, None for none."""
    if content is None:
        return None
    try:
        text = content.decode()
    except UnicodeDecodeError:
        return Shown(len(content), hexadecimal=dumped(content[:MOST_HEX_BYTES]), is_cut=len(content) > MOST_HEX_BYTES)
    json = visible(indented(text)) if len(content) <= _MOST_INDENTED_BYTES and _is_nested_json(content) else None
    return Shown(len(content), visible(text[:MOST_CHARACTERS]), json, is_cut=len(text) > MOST_CHARACTERS)


def visible(text: str) -> str:
    r"""Escape every character that does not print (controls, bidirectional marks), as in `\x1b`, but keep lines."""
    if text.isprintable():
        return text
    return "".join(
        sign if sign.isprintable() or sign in _KEPT else sign.encode("unicode_escape").decode() for sign in text
    )


def indented(json: str) -> str:
    """Return a JSON text in lines; every name, number and text in it stays as it was sent."""
    return "".join(_indented(json))


def dumped(content: bytes) -> str:
    """Return bytes as lines: the offset, the bytes in hexadecimal, and those that are printable ASCII."""
    lines = (content[first : first + _LINE] for first in range(0, len(content), _LINE))
    return "\n".join(
        f"{number * _LINE:08x}  {line.hex(' '):<{3 * _LINE - 1}}  {line.decode('ascii', 'replace').translate(_DOTS)}"
        for number, line in enumerate(lines)
    )


_DOTS = {**dict.fromkeys(range(32), "."), 127: ".", 0xFFFD: "."}


def _is_nested_json(content: bytes) -> bool:
    try:
        return isinstance(orjson.loads(content), dict | list)
    except ValueError:
        return False


def _indented(json: str) -> Iterator[str]:
    depth, before = 0, ""
    for mark in _MARK.findall(json):
        depth -= mark in _CLOSING
        if before == "," or (before in _OPENING) != (mark in _CLOSING and before != ""):
            yield f"\n{_INDENT * depth}"
        yield f"{mark} " if mark == ":" else mark
        depth += mark in _OPENING
        before = mark
