"""PURE: bytes that anybody may have sent, as text for a page."""

from dataclasses import dataclass

from services.console.indented import indented
from services.console.words import visible

MOST_CHARACTERS = 256 * 1024
"""How much of a text is shown."""

MOST_HEX_BYTES = 16 * 1024
"""How many bytes are shown that are no text."""

_MOST_INDENTED_BYTES = 64 * 1024  # more would keep other pages waiting
_LINE = 16


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
    json = indented(text) if len(content) <= _MOST_INDENTED_BYTES else None
    json = None if json is None else visible(json)
    return Shown(len(content), visible(text[:MOST_CHARACTERS]), json, is_cut=len(text) > MOST_CHARACTERS)


def dumped(content: bytes) -> str:
    """Return bytes as lines: the offset, the bytes in hexadecimal, and those that are printable ASCII."""
    lines = (content[first : first + _LINE] for first in range(0, len(content), _LINE))
    return "\n".join(
        f"{number * _LINE:08x}  {line.hex(' '):<{3 * _LINE - 1}}  {line.decode('ascii', 'replace').translate(_DOTS)}"
        for number, line in enumerate(lines)
    )


_DOTS = {**dict.fromkeys(range(32), "."), 127: ".", 0xFFFD: "."}
