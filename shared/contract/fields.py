"""The kinds of fields that events are made of: what publishers are asked for, how it is read, and the words for it.

The types are strict, as JSON Schema shows them. What they refuse is read with care by each field's `Needs.read`.
Durations and latencies are milliseconds, timestamps Unix milliseconds.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from functools import partial
from hashlib import sha256
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, NotRequired, Union, get_args, get_origin

from pydantic import AfterValidator, BeforeValidator, Field, WithJsonSchema

from shared.contract import words
from shared.contract.lenient import json_text, spellings
from shared.contract.timestamps import EARLIEST_MS, LATEST_MS

MOST_DURATION_MS = 30 * 24 * 3600 * 1000
"""30 days."""

MOST_LATENCY_MS = 3_600_000


@dataclass(frozen=True, slots=True)
class Needs:
    """An annotation: what a field needs, which completes the sentence "`data.x` must be ...", and how it is read."""

    words: str
    types: tuple[type, ...]
    """What JSON types, as Python's, are accepted; of any other one the reason is `wrong_type`."""
    read: spellings.Read
    """Reads the value in any spelling that can mean only one thing."""
    instead: Callable[[Any], Any] | None = None
    """What an unreadable value is read as, on the safe side; without it the field is left out."""
    consequence: str = "it is left out"
    """What becomes of an unreadable value, as the end of the sentence."""
    refuses: bool = False
    """An unreadable value makes the whole event invalid, though the field is optional."""
    form: re.Pattern[str] | None = None
    """A string of another form is of a wrong type."""

    def accepts_type(self, value: Any) -> bool:
        """Return whether the value has an accepted type, though it may be out of bounds."""
        if isinstance(value, json_text.BigInteger):
            return int in self.types
        if self.form is not None and isinstance(value, str):
            return self.form.fullmatch(value) is not None
        return type(value) in self.types  # a bool is no int here


def bare(hint: Any) -> Any:
    """Return the type of a field's value when it is present and not null."""
    if get_origin(hint) is NotRequired:
        hint = get_args(hint)[0]
    if get_origin(hint) in (Union, UnionType) and NoneType in get_args(hint):
        return next(part for part in get_args(hint) if part is not NoneType)
    return hint


def needs_of(hint: Any) -> Needs:
    """Return what a field needs; the outermost annotation counts."""
    return next(note for note in reversed(bare(hint).__metadata__) if isinstance(note, Needs))


def _not_negative(amount: Decimal) -> Decimal:
    if amount < 0:
        raise ValueError("out of bounds")
    return amount


def not_null(value: Any) -> Any:
    if value is None:
        raise ValueError("missing")
    return value


def _hashed(value: Any) -> str:
    return f"?{sha256(json_text.dumps(value).encode()).hexdigest()[:16]}"


def _true(_: Any) -> bool:
    return True


def _no_currency(_: Any) -> str:
    return NO_CURRENCY


NO_CURRENCY = "XXX"
"""What a currency that cannot be read is read as: ISO 4217's code for none, which has no exchange rate."""

_OWN_LEG = "it is read as a leg of its own"

_LIMIT, _PLACES = spellings.AMOUNT_LIMIT, spellings.AMOUNT_PLACES
_DIGITS = rf"0*[0-9]{{1,9}}(\.[0-9]{{1,{_PLACES}}})?"
_AMOUNT_SCHEMA: dict[str, Any] = {
    "anyOf": [
        {"type": "number", "exclusiveMinimum": -_LIMIT, "exclusiveMaximum": _LIMIT},
        {"type": "string", "pattern": f"^-?{_DIGITS}$"},
    ]
}
_QUANTITY_SCHEMA: dict[str, Any] = {
    "anyOf": [
        {"type": "number", "minimum": 0, "exclusiveMaximum": _LIMIT},
        {"type": "string", "pattern": rf"^{_DIGITS}$|^-0+(\.0{{1,{_PLACES}}})?$"},
    ]
}
_AMOUNT_WORDS = "a number or a string like `-12.50`, below 10^9"
_AMOUNT_TEXT = re.compile(r"-?[0-9]+(\.[0-9]+)?([eE][+-]?[0-9]+)?", re.ASCII)
_COMPONENT = r"^[a-z][a-z0-9_]{0,63}$"
_STRING: dict[str, Any] = {"type": "string"}
_NUMBER = (int, float)
_TEXT = (str, int)
UNIX_MS = Needs("Unix milliseconds in the years 2000 to 2100", _NUMBER, spellings.timestamp)


def _word(usual: Callable[[str], str], needs: str = "a non-empty string") -> Any:
    return Needs(needs, _TEXT, partial(spellings.word, usual))


def _documented(examples: list[str], description: str, **more: Any) -> Any:
    return WithJsonSchema({**_STRING, **more, "description": description, "examples": examples})


# An empty text is as good as none: readers take it, though the schema allows it.
Text = Annotated[str, Field(min_length=1), WithJsonSchema(_STRING), Needs("a string", _TEXT, spellings.text)]
RequiredText = Annotated[str, Field(min_length=1), Needs("a non-empty string", _TEXT, spellings.required_text)]
SpokenText = Annotated[str, Needs("a string", _TEXT, spellings.text)]
Id = Annotated[
    str,
    Field(min_length=1, max_length=256),
    Needs("a string of 1 to 256 characters", _TEXT, partial(spellings.bounded_text, 256)),
]
LegId = Annotated[
    str,
    Field(min_length=1, max_length=256),
    Needs("a string of 1 to 256 characters", _TEXT, partial(spellings.bounded_text, 256), _hashed, _OWN_LEG),
]
Direction = Annotated[
    str,
    Field(min_length=1),
    AfterValidator(words.direction),
    _documented(
        ["INBOUND", "OUTBOUND"],
        "`INBOUND` or `OUTBOUND`; also read: `in`, `incoming`, `terminating`, `out`, `outgoing`, `originating`, "
        "`outbound-api`, `outbound-dial`",
    ),
    _word(words.direction),
]
CallType = Annotated[
    str,
    Field(min_length=1),
    AfterValidator(words.call_type),
    _documented(
        ["PHONE_CALL", "WEB_CALL"],
        "`PHONE_CALL` or `WEB_CALL`; also read: `phone`, `pstn`, `sip`, `web`, `webrtc`, `browser`",
    ),
    _word(words.call_type),
]
Role = Annotated[
    # The usual words cost no call of a Python function.
    Literal["assistant", "user", "system"] | Annotated[str, Field(min_length=1), AfterValidator(words.role)],
    Field(union_mode="left_to_right"),
    _documented(
        ["assistant", "user", "system"],
        "also read: `agent`, `bot`, `ai` (assistant), `customer`, `caller`, `human` (user)",
        minLength=1,
    ),
    _word(words.role),
]
Status = Annotated[
    str,
    Field(min_length=1),
    AfterValidator(words.status),
    _documented(["requested", "ringing", "bridged", "cancelled", "failed"], "how far the transfer is"),
    _word(words.status),
]
CostKind = Annotated[
    Literal["charge", "adjustment"], Needs("`charge` or `adjustment`", (str,), spellings.cost_kind, refuses=True)
]
Currency = Annotated[
    str,
    Field(pattern=r"^[A-Z]{3}$"),
    Needs("a currency's three letters (ISO 4217)", (str,), spellings.currency, _no_currency, "the amount is left out"),
]
Flag = Annotated[bool, Needs("true or false", (bool,), spellings.flag)]
SafeFlag = Annotated[bool, Needs("true or false", (bool,), spellings.flag, _true, "it is read as true")]
Integer = Annotated[int, Needs("an integer", (int,), partial(spellings.integer, -(2**63)))]
Revision = Annotated[int, Field(ge=0), Needs("an integer, 0 or more", (int,), partial(spellings.integer, 0))]
JsonObject = Annotated[dict[str, Any], Needs("an object", (dict,), spellings.json_object)]
AnyJson = Annotated[Any, Needs("a string or any other JSON", (), spellings.free_form)]
Timestamp = Annotated[
    # Only a fraction costs a call of a Python function: each word of a transcript has two timestamps.
    Annotated[int, Field(ge=EARLIEST_MS, lt=LATEST_MS)]
    | Annotated[float, Field(ge=EARLIEST_MS, lt=LATEST_MS), AfterValidator(int)],
    Field(union_mode="left_to_right"),
    WithJsonSchema({"type": "number", "minimum": EARLIEST_MS, "exclusiveMaximum": LATEST_MS}),
    UNIX_MS,
]
Milliseconds = Annotated[
    Annotated[int, Field(ge=0, le=MOST_DURATION_MS)]
    | Annotated[float, Field(ge=0, le=MOST_DURATION_MS), AfterValidator(int)],
    Field(union_mode="left_to_right"),
    WithJsonSchema({"type": "number", "minimum": 0, "maximum": MOST_DURATION_MS}),
    Needs("milliseconds, a number from 0 to 30 days", _NUMBER, partial(spellings.whole_within, 0, MOST_DURATION_MS)),
]
Latency = Annotated[
    Annotated[int, Field(ge=0, le=MOST_LATENCY_MS)] | Annotated[float, Field(ge=0, le=MOST_LATENCY_MS)],
    Field(union_mode="left_to_right"),
    WithJsonSchema({"type": "number", "minimum": 0, "maximum": MOST_LATENCY_MS}),
    Needs("milliseconds, a number from 0 to 3,600,000", _NUMBER, partial(spellings.number_within, 0, MOST_LATENCY_MS)),
]
Confidence = Annotated[
    Annotated[int, Field(ge=0, le=1)] | Annotated[float, Field(ge=0, le=1)],
    Field(union_mode="left_to_right"),
    WithJsonSchema({"type": "number", "minimum": 0, "maximum": 1}),
    Needs("a number from 0 to 1", _NUMBER, partial(spellings.number_within, 0, 1)),
]
Component = Annotated[
    str,
    Field(pattern=_COMPONENT),
    Needs("a name of lower-case letters, digits and `_`, at most 64 characters", (str,), spellings.component),
]
Amount = Annotated[
    Decimal,
    BeforeValidator(spellings.amount),
    WithJsonSchema(_AMOUNT_SCHEMA),
    Needs(_AMOUNT_WORDS, (*_NUMBER, str), spellings.amount, form=_AMOUNT_TEXT),
]
Quantity = Annotated[
    Decimal,
    BeforeValidator(spellings.amount),
    AfterValidator(_not_negative),
    WithJsonSchema(_QUANTITY_SCHEMA),
    Needs(f"{_AMOUNT_WORDS}, not negative", (*_NUMBER, str), spellings.quantity, form=_AMOUNT_TEXT),
]
ToolContent = Annotated[
    Any,
    AfterValidator(not_null),
    WithJsonSchema({"not": {"type": "null"}}),
    Needs("a string or any other JSON", (), spellings.free_form),
]
