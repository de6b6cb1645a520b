"""Reads one value of a field, in any spelling of one meaning (docs/publishing.md, "Spellings that are read").

Each function takes a JSON value that is neither null nor, in an optional field, an empty text. It returns the value as
an event has it, in the type and within the bounds of the field, or raises `Unreadable`. What is an object or a list may
be read in part: then it returns `Partial`.
"""

import re
from collections.abc import Callable
from decimal import Context, Decimal, InvalidOperation
from typing import Any, NamedTuple, cast

from shared.contract import words
from shared.contract.lenient.json_text import BigInteger
from shared.contract.problems import ProblemKind
from shared.contract.strict_json import INT64
from shared.contract.timestamps import EARLIEST_MS, LATEST_MS

Read = Callable[[Any], Any]
Fault = tuple[ProblemKind, str]
"""What is wrong with a part of a field, and the end of the sentence that begins with the field's name."""

AMOUNT_LIMIT = 10**9
AMOUNT_PLACES = 12

_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*)(?P<fraction>(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?)", re.ASCII)
_DIGITS = re.compile(r"-?[0-9]+(?:\.[0-9]+)?", re.ASCII)
_COMPONENT = re.compile(r"[a-z][a-z0-9_]{0,63}", re.ASCII)
_CURRENCY = re.compile(r"[A-Za-z]{3}", re.ASCII)
_INT64_DIGITS = len(str(INT64.start))
_EXACT = Context(prec=60)
_SMALLEST = Decimal(1).scaleb(-AMOUNT_PLACES)
_SECONDS = 0.001
_UNITS = (("seconds", _SECONDS), ("microseconds", 1_000), ("nanoseconds", 1_000_000))
_MOST_SEQUENCE = 32
_FLAGS = {"true": True, "false": False}


class Unreadable(ValueError):
    """The value is of a wrong type, or out of bounds."""


class Partial(NamedTuple):
    """A value that was read in part, and what is wrong with the rest."""

    value: Any
    faults: list[Fault]


def text(value: Any) -> str:
    kind = type(value)
    if kind is str:
        return cast("str", value)
    if kind is int or kind is BigInteger:
        return str(value)
    raise Unreadable


def bounded_text(longest: int, value: Any) -> str:
    read = text(value)
    if not 0 < len(read) <= longest:
        raise Unreadable
    return read


def required_text(value: Any) -> str:
    read = text(value)
    if not read:
        raise Unreadable
    return read


def name(longest: int, form: re.Pattern[str], value: Any) -> str:
    read = bounded_text(longest, value)
    if not form.fullmatch(read):
        raise Unreadable
    return read


def word(usual: Callable[[str], str], value: Any) -> str:
    return usual(required_text(value))


def cost_kind(value: Any) -> str:
    read = words.kind(text(value))
    if read is None:
        raise Unreadable
    return read


def currency(value: Any) -> str:
    if type(value) is not str or not _CURRENCY.fullmatch(value):
        raise Unreadable
    return value.upper()


def component(value: Any) -> str:
    if type(value) is str and _COMPONENT.fullmatch(value):
        return value
    read = words.component(text(value))
    if not _COMPONENT.fullmatch(read):
        raise Unreadable
    return read


def flag(value: Any) -> bool:
    if isinstance(value, bool):
        return value
    read = _FLAGS.get(value.lower()) if isinstance(value, str) else None
    if read is None:
        raise Unreadable
    return read


def number(value: Any) -> int | float:
    """Return a number, or that of a text which is one in JSON."""
    kind = type(value)
    if kind is int or kind is float:
        return cast("int | float", value)
    found = _NUMBER.fullmatch(value) if kind is str else None
    if found is None:
        raise Unreadable
    return float(value) if found["fraction"] or len(value) > _INT64_DIGITS else int(value)


def number_within(lowest: float, highest: float, value: Any) -> int | float:
    read = number(value)
    if not lowest <= read <= highest:
        raise Unreadable
    return read


def whole_within(lowest: float, highest: float, value: Any) -> int:
    """Return a number without its fraction; the bounds hold for the number with it."""
    return int(number_within(lowest, highest, value))


def timestamp(value: Any) -> int:
    """Return Unix milliseconds in the years 2000 to 2100."""
    read = number(value)
    if not EARLIEST_MS <= read < LATEST_MS:
        raise Unreadable
    return int(read)


def integer(lowest: int, value: Any) -> int:
    """Return an integer of 64 bits; `486.0` is one."""
    read = number(value)
    if isinstance(read, float) and not read.is_integer():
        raise Unreadable
    whole = int(read)
    if whole not in INT64 or whole < lowest:
        raise Unreadable
    return whole


def amount(value: Any) -> Decimal:
    """Return the decimal of a JSON number (by its shortest spelling) or of a text, rounded half-even to 12 places."""
    match value:
        case bool() | BigInteger():
            raise Unreadable
        case int() | float():
            spelled = repr(value)
        case str() if _DIGITS.fullmatch(value) or _NUMBER.fullmatch(value):
            spelled = value
        case _:
            raise Unreadable
    try:
        read = Decimal(spelled)
    except InvalidOperation as error:  # an exponent of twenty digits
        raise Unreadable from error
    # copy_abs() and the comparison take a million digits as they are, and any exponent.
    if read.copy_abs() >= AMOUNT_LIMIT:
        raise Unreadable
    exponent = read.as_tuple().exponent
    if isinstance(exponent, int) and exponent < -AMOUNT_PLACES:
        read = _EXACT.quantize(read, _SMALLEST)
    if read.copy_abs() >= AMOUNT_LIMIT:
        raise Unreadable
    return read


def quantity(value: Any) -> Decimal:
    read = amount(value)
    if read < 0:
        raise Unreadable
    return read


def free_form(value: Any) -> Any:
    """Return any JSON without what a store cannot keep, at any depth: keys with NUL, integers beyond 64 bits."""
    faults: set[ProblemKind] = set()
    read = _cleaned(value, faults)
    return Partial(read, [(kind, _LEFT_OUT[kind]) for kind in sorted(faults)]) if faults else read


_LEFT_OUT = {
    ProblemKind.KEY_LEFT_OUT: "has a key with the character NUL, which is left out",
    ProblemKind.NUMBER_AS_TEXT: "has an integer outside signed 64 bits, which is kept as the text of its digits",
}


def _cleaned(value: Any, faults: set[ProblemKind]) -> Any:
    match value:
        case BigInteger():
            faults.add(ProblemKind.NUMBER_AS_TEXT)
            return str(value)
        case dict():
            kept = {key: _cleaned(inner, faults) for key, inner in value.items() if "\x00" not in key}
            if len(kept) < len(value):
                faults.add(ProblemKind.KEY_LEFT_OUT)
            return kept
        case list():
            return [_cleaned(inner, faults) for inner in value]
        case _:
            return value


def json_object(value: Any) -> Any:
    if not isinstance(value, dict):
        raise Unreadable
    return free_form(value)


def fields(readers: dict[str, tuple[Read, str]], value: Any) -> Any:
    """Return an object of optional fields, each with its reader and what it needs."""
    if not isinstance(value, dict):
        raise Unreadable
    read: dict[str, Any] = {}
    faults: list[Fault] = []
    for key, (reader, needs) in readers.items():
        if (inner := value.get(key)) is not None and inner != "":
            try:
                read[key] = reader(inner)
            except Unreadable:
                faults.append((ProblemKind.FIELD_UNREADABLE, f"has a `{key}` that is not {needs}"))
    return Partial(read, faults) if faults else read


def spoken_words(value: Any) -> Any:
    """Return the words of a turn without those that have no usual `word`, and without times that cannot be read.

    A transcript in seconds has thousands of wrong times, so none of them costs an exception.
    """
    if not isinstance(value, list):
        raise Unreadable
    read: list[dict[str, Any]] = []
    faults: dict[ProblemKind, str] = {}
    for each in value:
        spoken = _spoken(each)
        if spoken is None:
            faults.setdefault(ProblemKind.FIELD_UNREADABLE, "has a word without a usable `word`, which is left out")
            continue
        word: dict[str, Any] = {"word": spoken}
        for key in ("start", "end"):
            if (sent := each.get(key)) is not None and sent != "":
                moment = _moment(sent)
                if moment is not None:
                    word[key] = moment
                elif ProblemKind.WORD_TIMES_UNREADABLE not in faults:
                    why = f"has a word whose `{key}` is not Unix milliseconds in the years 2000 to 2100"
                    faults[ProblemKind.WORD_TIMES_UNREADABLE] = why + unit_hint(sent)
        read.append(word)
    return Partial(read, list(faults.items())) if faults else read


def _spoken(value: Any) -> str | None:
    spoken = value.get("word") if isinstance(value, dict) else None
    if type(spoken) is str:
        return spoken or None
    return str(spoken) if isinstance(spoken, BigInteger | int) and not isinstance(spoken, bool) else None


def _moment(value: Any) -> int | None:
    if type(value) is int or type(value) is float:
        return int(value) if EARLIEST_MS <= value < LATEST_MS else None
    try:
        return timestamp(value)
    except Unreadable:
        return None


def unit_hint(value: Any) -> str:
    """Return what a number that is no Unix time in milliseconds looks like, in brackets, or an empty text."""
    try:
        read = number(value)
    except Unreadable:
        return ""
    for unit, factor in _UNITS:
        if EARLIEST_MS * factor <= read < LATEST_MS * factor:
            return f" ({unit}?)"
    return " (an offset into the audio?)" if 0 <= read < EARLIEST_MS * _SECONDS else ""


def sequence(value: Any) -> str:
    """Return a text or an integer as text of at most 32 characters; `3.0` is an integer."""
    read = str(integer(INT64.start, value)) if isinstance(value, float) else text(value)
    if len(read) > _MOST_SEQUENCE:
        raise Unreadable
    return read
