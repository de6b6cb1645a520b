"""Reading JSON as strictly as the contract asks, at the speed of the common case."""

import json
from typing import Any

import orjson

MAX_DEPTH = 64
"""Objects and lists within each other, the outermost counted."""

INT64 = range(-(2**63), 2**63)

_ONE_DIGIT = bytes.maketrans(b"123456789", b"000000000")
"""Makes all digits the same, so that a run of them is found by plain search: a pattern takes ten times as long."""

# Only a run of this many digits can be an integer that 64 signed bits do not hold. orjson takes such a one for a
# float or an unsigned integer without a word.
_LONG_NUMBER = b"0" * 19
_BACKSLASH = ord("\\")
_ESCAPED_NUL = b"\\u0000"
_DEEP = f"objects and lists lie deeper than {MAX_DEPTH} within each other"


class UnsafeJson(ValueError):
    """The text is JSON, but holds what a store or a reader could not keep as it is."""


class NumberOutOfRange(UnsafeJson):
    """An integer outside signed 64 bits."""


class NulInKey(UnsafeJson):
    """A key of an object holds the character NUL."""


class TooDeep(UnsafeJson):
    """Objects and lists lie deeper within each other than `MAX_DEPTH`."""


def parse(text: bytes, max_depth: int = MAX_DEPTH) -> Any:
    """Return the value that `text` (UTF-8 JSON) stands for; of a key that stands twice in an object the last counts.

    Raises:
        orjson.JSONDecodeError: it is not JSON (NaN, an infinity, a lone surrogate and invalid UTF-8 are not).
        NumberOutOfRange, NulInKey, TooDeep: it is, but is refused.
    """
    try:
        value = orjson.loads(text)
    except orjson.JSONDecodeError as error:
        if error.msg.startswith("depth limit"):  # orjson's own limit lies far above ours
            raise TooDeep(_DEEP) from error
        raise
    # Leaving them out is how bytes are counted fastest.
    opened = len(text) - len(text.replace(b"{", b"").replace(b"[", b""))
    if opened > max_depth and _deeper_than(value, max_depth):
        raise TooDeep(_DEEP)
    if text.translate(_ONE_DIGIT).rfind(_LONG_NUMBER) >= 0:
        json.loads(text, parse_int=_int64)
    if _BACKSLASH in text and _ESCAPED_NUL in text and _has_nul_key(value):
        raise NulInKey("a key holds the character NUL")
    return value


def _int64(digits: str) -> int:
    # A longer run of digits is not converted: int() refuses thousands of them with an error of its own.
    if len(digits) > len(str(INT64[0])) or int(digits) not in INT64:
        # Which one is not said: it may be a card's number that somebody typed.
        raise NumberOutOfRange(f"an integer of {len(digits.lstrip('-'))} digits is outside signed 64 bits")
    return int(digits)


def _deeper_than(value: Any, depth: int) -> bool:
    """Tell whether `value` nests deeper than `depth`; walks level by level, so that no text exhausts the stack."""
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
