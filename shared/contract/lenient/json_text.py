"""JSON as producers send it: with a byte order mark, halves of characters and integers beyond 64 bits."""

import json
import re
from math import isfinite
from typing import Any, NamedTuple

import orjson

from shared.contract import strict_json
from shared.contract.strict_json import ALIKE, DEEP, INT64, LONG_NUMBER, MAX_DEPTH, TooDeep, deeper_than

BYTE_ORDER_MARK = b"\xef\xbb\xbf"
REPLACEMENT = "\ufffd"
MARK = "\udfff"
"""A lone surrogate, which no text has once it was read."""

_HIGH = r"(?:\\u[dD][89abAB][0-9a-fA-F]{2}|[\ud800-\udbff])"
_LOW = r"(?:\\u[dD][c-fC-F][0-9a-fA-F]{2}|[\udc00-\udfff])"
# In runs: each match costs a call of a Python function. Not possessive, which Python 3.11.2 matches wrongly. Bounded:
# each repetition takes memory meanwhile.
_OTHER_ESCAPES = r"(?:\\(?:[^u]|u(?![dD][89a-fA-F]))){1,1000}"
_SURROGATES = re.compile(rf"(?P<high>{_HIGH})(?P<low>{_LOW})|(?P<lone>{_HIGH}|{_LOW})|{_OTHER_ESCAPES}", re.DOTALL)
_MAY_HAVE_SURROGATES = re.compile(rb"\\u[dD][89a-fA-F]|\xed[\xa0-\xbf]")
"""Most texts that are no JSON have none: to look for them takes a tenth of the time to replace them."""
_INT64_DIGITS = len(str(INT64.start))


class BigInteger(str):
    """The digits of a JSON integer beyond signed 64 bits."""

    __slots__ = ()


class Parsed(NamedTuple):
    """The value of a JSON text, each lone surrogate replaced by U+FFFD and each big integer a `BigInteger`.

    `marked` is the same with `MARK` for each lone surrogate: it differs where there was one. None if there was none.
    """

    value: Any
    marked: Any


def parse(text: bytes, max_depth: int = MAX_DEPTH) -> Parsed:
    """Return the value of `text`; of a key that is repeated in an object the last one counts.

    Raises:
        TooDeep: objects and lists are nested deeper than `max_depth`.
        ValueError: `text` is not JSON in UTF-8 (NaN and infinities are not).
    """
    try:
        return Parsed(strict_json.parse(text, max_depth), None)  # most texts are as strict as that
    except ValueError:
        return _parse(text.removeprefix(BYTE_ORDER_MARK), max_depth)


def _parse(text: bytes, max_depth: int) -> Parsed:
    replaced = marked = text
    try:
        value = orjson.loads(text)  # no text of which has a lone surrogate
    except orjson.JSONDecodeError:
        # Whatever it refuses: an integer that is too long for it may stand before a surrogate.
        if _MAY_HAVE_SURROGATES.search(text):
            replaced, marked = _with_surrogates(text, REPLACEMENT), _with_surrogates(text, MARK)
        value = _loads(replaced)
    if deeper_than(value, max_depth):
        raise TooDeep(DEEP)
    if replaced.translate(ALIKE).find(LONG_NUMBER) >= 0:
        value = json.loads(replaced, parse_int=_integer)
    if marked == replaced:
        return Parsed(value, None)
    return Parsed(value, json.loads(marked.decode("utf-8", "surrogatepass"), parse_int=_integer))


def _loads(text: bytes) -> Any:
    """Return the value of a text without lone surrogates."""
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError as error:
        if error.msg.startswith("depth limit"):  # orjson's own limit lies far above ours
            raise TooDeep(DEEP) from error
        if "infinity" not in error.msg:
            raise
    # An integer of more than 308 digits is an infinity to orjson alone.
    try:
        return json.loads(text, parse_int=_integer, parse_float=_finite, parse_constant=_finite)
    except RecursionError as error:
        raise TooDeep(DEEP) from error


def _finite(number: str) -> float:
    value = float(number)
    if not isfinite(value):
        raise ValueError("a number is an infinity, or NaN")
    return value


def _integer(digits: str) -> int | BigInteger:
    # More digits are not converted: int() takes a time that grows with their square, and refuses thousands of them.
    if len(digits) > _INT64_DIGITS or int(digits) not in INT64:
        return BigInteger(digits)
    return int(digits)


def _with_surrogates(text: bytes, lone: str) -> bytes:
    """Return the JSON text with `lone` for each lone surrogate, escaped or not, and each pair as its character.

    Raises:
        UnicodeDecodeError: `text` is not UTF-8, even if surrogates were allowed.
    """

    def written(found: re.Match[str]) -> str:
        if found["lone"]:
            return lone
        if found["high"]:
            pair = _unit(found["high"]), _unit(found["low"])
            return chr(0x10000 + ((pair[0] - 0xD800) << 10) + pair[1] - 0xDC00)
        return found[0]

    changed = _SURROGATES.sub(written, text.decode("utf-8", "surrogatepass"))
    return changed.encode("utf-8", "surrogatepass")


def _unit(spelled: str) -> int:
    return ord(json.loads(f'"{spelled}"')) if spelled.startswith("\\") else ord(spelled)


def dumps(value: Any) -> str:
    """Return JSON as `canonical` compares it: keys sorted, no spaces, big integers as their digits."""
    text = json.dumps(_marked(value), sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return _MARKED_DIGITS.sub(r"\1", text)


_MARKED_DIGITS = re.compile(f'"{MARK}(-?[0-9]+){MARK}"')


def _marked(value: Any) -> Any:
    match value:
        case BigInteger():
            return f"{MARK}{value}{MARK}"
        case dict():
            return {key: _marked(inner) for key, inner in value.items()}
        case list():
            return [_marked(inner) for inner in value]
        case _:
            return value
