"""Strict JSON, fast in the common case."""

import json
from typing import Any

import orjson

MAX_DEPTH = 64
"""How deep objects and lists may be nested, the outermost counted."""

INT64 = range(-(2**63), 2**63)

ALIKE = bytes.maketrans(b"123456789[", b"000000000{")
"""Makes all digits equal, and all opening brackets: a plain search finds them ten times as fast as a pattern."""

# Only an integer of this many digits can exceed 64 signed bits. orjson silently makes it a float or an unsigned one.
LONG_NUMBER = b"0" * 19
"""How a number that may be beyond 64 bits looks once digits are alike."""

_BACKSLASH = ord("\\")
_ESCAPED_NUL = b"\\u0000"
DEEP = f"objects and lists are nested deeper than {MAX_DEPTH}"


class UnsafeJson(ValueError):
    """The text is JSON, but has content that a store or a reader would not keep unchanged."""


class NumberOutOfRange(UnsafeJson):
    """An integer outside signed 64 bits."""


class NulInKey(UnsafeJson):
    """A key of an object contains the character NUL."""


class TooDeep(UnsafeJson):
    """Objects and lists are nested deeper than `MAX_DEPTH`."""


def parse(text: bytes, max_depth: int = MAX_DEPTH) -> Any:
    """Return the value of `text` (UTF-8 JSON); of a key that is repeated in an object the last one counts.

    Raises:
        orjson.JSONDecodeError: `text` is not JSON (NaN, infinities, lone surrogates and invalid UTF-8 are not).
        NumberOutOfRange, NulInKey, TooDeep: `text` is JSON, but is rejected.
    """
    try:
        value = orjson.loads(text)
    except orjson.JSONDecodeError as error:
        if error.msg.startswith("depth limit"):  # orjson's own limit lies far above ours
            raise TooDeep(DEEP) from error
        raise
    alike = text.translate(ALIKE)
    opened = len(text) - len(alike.replace(b"{", b""))  # the fastest way to count bytes
    if opened > max_depth and deeper_than(value, max_depth):
        raise TooDeep(DEEP)
    if alike.rfind(LONG_NUMBER) >= 0:
        json.loads(text, parse_int=_int64)
    if _BACKSLASH in text and _ESCAPED_NUL in text and _has_nul_key(value):
        raise NulInKey("a key contains the character NUL")
    return value


def _int64(digits: str) -> int:
    # More digits are not converted: int() refuses thousands of them with an error of its own.
    if len(digits) > len(str(INT64[0])) or int(digits) not in INT64:
        # The number is not shown: a caller may have typed a card number.
        raise NumberOutOfRange(f"an integer of {len(digits.lstrip('-'))} digits is outside signed 64 bits")
    return int(digits)


def deeper_than(value: Any, depth: int) -> bool:
    """Return whether `value` is nested deeper than `depth`; goes level by level, which cannot exhaust the stack."""
    level = [value]
    for _ in range(depth):
        level = [child for parent in level for child in _children(parent) if isinstance(child, (dict, list))]
        if not level:
            return False
    return True


def _has_nul_key(value: Any) -> bool:
    level = [value]
    while level:
        if any("\x00" in key for parent in level if isinstance(parent, dict) for key in parent):
            return True
        level = [child for parent in level for child in _children(parent)]
    return False


def _children(value: Any) -> Any:
    if isinstance(value, dict):
        return value.values()
    return value if isinstance(value, list) else ()
