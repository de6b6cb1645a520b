"""How single values are read, implemented a second time; see `reading.py`.

Each function returns the value, or raises `Unreadable` for one that is wrong. Null, and the empty text of an optional
field, are the caller's business. The second half needs the event, or reads wrong values on the safe side.
"""

import hashlib
import json
import math
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from decimal import ROUND_HALF_EVEN, Decimal, InvalidOperation
from decimal import Context as DecimalContext
from fractions import Fraction
from typing import Any

Json = dict[str, Any]

EARLIEST, LATEST = 946_684_800_000, 4_133_980_799_999
"""The years 2000 to 2100, in Unix milliseconds."""
HOUR, DAY = 3_600_000, 86_400_000
NO_CURRENCY = "XXX"
"""What an unreadable currency is read as: ISO 4217's code for no currency, which has no exchange rate."""
_JSON_NUMBER = re.compile(r"-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?")
_INT64 = range(-(2**63), 2**63)
_EXACT = DecimalContext(prec=50, rounding=ROUND_HALF_EVEN)


class InvalidEvent(Exception):
    """The body is no valid event."""


class Unreadable(ValueError):
    """A value is wrong; `kind` is the kind of problem."""

    def __init__(self, kind: str = "field_unreadable") -> None:
        super().__init__(kind)
        self.kind = kind


def text(value: Any) -> str:
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    if not isinstance(value, str) or not value:
        raise Unreadable
    return value


def identifier(value: Any) -> str:
    """Return an id inside `data`: 1 to 256 characters."""
    if len(text(value)) > 256:
        raise Unreadable
    return text(value)


def boolean(value: Any) -> bool:
    known = {"true": True, "false": False}
    if isinstance(value, str) and value.lower() in known:
        return known[value.lower()]
    if not isinstance(value, bool):
        raise Unreadable
    return value


def number(value: Any) -> float:
    """Return a JSON number as it came, or that of a text."""
    if isinstance(value, str) and _JSON_NUMBER.fullmatch(value):
        value = json.loads(value)
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(_as_double(value)):
        raise Unreadable
    return value


def _as_double(value: float) -> float:
    try:
        return float(value)
    except OverflowError:
        return math.inf


def number_between(value: Any, least: int, most: int) -> float:
    if not least <= number(value) <= most:
        raise Unreadable
    return number(value)


def integer(value: Any) -> int:
    """Return an integer within signed 64 bits; it may be written with a fraction of zero."""
    read = number(value)
    if read != math.floor(read) or int(read) not in _INT64:
        raise Unreadable
    return int(read)


def revision(value: Any) -> int:
    if integer(value) < 0:
        raise Unreadable
    return integer(value)


def amount(value: Any) -> Fraction:
    """Return money or a quantity, rounded half-even to 12 places.

    The value of a JSON number is its shortest spelling, and that of a text its digits.
    """
    spelled = value if isinstance(value, str) else repr(number(value))
    if not _JSON_NUMBER.fullmatch(spelled):
        raise Unreadable
    try:
        exact = Decimal(spelled)
    except InvalidOperation as error:
        raise Unreadable from error
    if abs(exact) >= 10**9:
        raise Unreadable
    rounded = Fraction(exact.quantize(Decimal("1e-12"), context=_EXACT))
    if abs(rounded) >= 10**9:
        raise Unreadable
    return rounded


def quantity(value: Any) -> Fraction:
    if amount(value) < 0:
        raise Unreadable
    return amount(value)


def milliseconds(value: Any) -> int:
    """Return a duration of 0 to 30 days in whole milliseconds, a fraction cut off."""
    whole = int(number(value))
    if not 0 <= whole <= 30 * DAY:
        raise Unreadable
    return whole


def unix_time(value: Any) -> int:
    """Return a time in whole Unix milliseconds, a fraction cut off."""
    whole = int(number(value))
    if not EARLIEST <= whole <= LATEST:
        raise Unreadable
    return whole


def json_object(value: Any) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise Unreadable
    return value


def unreadable_leg(value: Any) -> str:
    """Return the `leg_id` of a wrong one: the same for the same value."""
    return "?" + hashlib.sha256(canonical_json(value)).hexdigest()[:16]


def canonical_json(value: Any) -> bytes:
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def free_form(value: Any) -> tuple[Any, set[str]]:
    """Return the value without keys that hold a NUL and with large integers as texts; and the kinds of problems."""
    if isinstance(value, dict):
        kept = {key: free_form(inner) for key, inner in value.items() if "\0" not in key}
        left_out = {"key_left_out"} if len(kept) < len(value) else set()
        return {key: clean for key, (clean, _) in kept.items()}, left_out.union(*(kinds for _, kinds in kept.values()))
    if isinstance(value, list):
        items = [free_form(inner) for inner in value]
        return [clean for clean, _ in items], set().union(*(kinds for _, kinds in items))
    if isinstance(value, int) and value not in _INT64:
        return str(value), {"number_as_text"}
    return value, set()


def told_apart(problems: Iterable[tuple[str, str | None]]) -> frozenset[tuple[str, str | None]]:
    """Return the problems (kind and field); a kind that more than 20 fields have is one problem, without a field."""
    found = set(problems)
    for kind in {kind for kind, _ in found}:
        of_kind = {problem for problem in found if problem[0] == kind}
        if len(of_kind - {(kind, None)}) > 20:
            found = found - of_kind | {(kind, None)}
    return frozenset(found)


@dataclass
class Context:
    """The event that a field is read of, and the kinds of problems of a field that is read in spite of them."""

    type: str
    time: int
    kinds: set[str] = field(default_factory=set)


Reader = Callable[[Any, Context], Any]


def plainly(read: Callable[[Any], Any]) -> Reader:
    return lambda value, _: read(value)


def word_of(normalize: Callable[[str], str | None]) -> Reader:
    def read(value: Any, _: Context) -> str:
        word = normalize(text(value))
        if word is None:
            raise Unreadable
        return word

    return read


def time_of(value: Any, context: Context) -> int:
    time = unix_time(value)
    if time > context.time + HOUR:
        raise Unreadable("time_ahead")
    return time


def start_of(value: Any, context: Context) -> int:
    if context.type == "call.scheduled":
        return unix_time(value)
    if time_of(value, context) < context.time - 30 * DAY:
        raise Unreadable
    return time_of(value, context)


def true_if_unreadable(value: Any, context: Context) -> bool:
    try:
        return boolean(value)
    except Unreadable as unreadable:
        context.kinds.add(unreadable.kind)
        return True


def leg_of(value: Any, context: Context) -> str:
    try:
        return identifier(value)
    except Unreadable as unreadable:
        context.kinds.add(unreadable.kind)
        return unreadable_leg(value)


def currency(value: Any, context: Context) -> str:
    if isinstance(value, str) and len(value) == 3 and value.isascii() and value.isalpha():
        return value.upper()
    context.kinds.add("field_unreadable")
    return NO_CURRENCY


def kind_of_cost(value: Any, _: Context) -> str:
    if not isinstance(value, str) or value.lower() not in ("charge", "adjustment"):
        raise InvalidEvent
    return value.lower()


def free_form_of(value: Any, context: Context) -> Any:
    clean, kinds = free_form(value)
    context.kinds |= kinds
    return clean


def free_form_object(value: Any, context: Context) -> Any:
    return free_form_of(json_object(value), context)


def words_of_turn(value: Any, context: Context) -> list[Json]:
    if not isinstance(value, list):
        raise Unreadable
    read = [_word_of_turn(word, context) for word in value]
    return [word for word in read if word is not None]


def _word_of_turn(word: Any, context: Context) -> Json | None:
    try:
        said = text(json_object(word).get("word"))
    except Unreadable as unreadable:
        context.kinds.add(unreadable.kind)
        return None
    return {"word": said, "start": _word_time(word, "start", context), "end": _word_time(word, "end", context)}


def _word_time(word: Json, name: str, context: Context) -> int | None:
    try:
        return None if word.get(name) in (None, "") else time_of(word[name], context)
    except Unreadable as unreadable:
        context.kinds.add("time_ahead" if unreadable.kind == "time_ahead" else "word_times_unreadable")
        return None


def content_of_turn(value: Any, _: Context) -> str:
    return "" if value in (None, "") else text(value)


def content_of_tool(value: Any, context: Context) -> Any:
    return "" if value is None else free_form_of(value, context)
