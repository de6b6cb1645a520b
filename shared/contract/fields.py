"""The kinds of fields that the contract's types are made of: what each takes, and the words for it.

Reading is strict: no text is taken for a number. Durations and latencies are milliseconds, timestamps Unix
milliseconds, money dollars.
"""

import re
from dataclasses import dataclass
from decimal import Decimal
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, Field, WithJsonSchema

EARLIEST_MS = 946_684_800_000
"""2000-01-01T00:00:00Z."""

LATEST_MS = 4_133_980_800_000
"""2101-01-01T00:00:00Z, which is the first moment too late."""

_AMOUNT_LIMIT = 10**9
_AMOUNT_PLACES = 12
_AMOUNT_TEXT = re.compile(rf"-?[0-9]+(\.[0-9]{{1,{_AMOUNT_PLACES}}})?", re.ASCII)


@dataclass(frozen=True, slots=True)
class Needs:
    """What a field needs, in the words that a dead letter says it with."""

    words: str


def _amount(value: Any) -> Decimal:
    """Return the decimal that a JSON number (by its shortest spelling) or a plain text of digits stands for."""
    match value:
        case bool():
            raise ValueError("a truth value")
        case int() | float():
            amount = Decimal(repr(value))
        case str() if _AMOUNT_TEXT.fullmatch(value):
            amount = Decimal(value)
        case _:
            raise ValueError("no amount")
    # copy_abs() and the comparison take a million digits as they are; normalize(), like any arithmetic, would overflow.
    if amount.copy_abs() >= _AMOUNT_LIMIT:
        raise ValueError("out of bounds")
    exponent = amount.normalize().as_tuple().exponent
    if not isinstance(exponent, int) or -exponent > _AMOUNT_PLACES:
        raise ValueError("out of bounds")
    return amount


def _not_negative(amount: Decimal) -> Decimal:
    if amount < 0:
        raise ValueError("out of bounds")
    return amount


def _not_null(value: Any) -> Any:
    if value is None:
        raise ValueError("absent")
    return value


_DIGITS = rf"0*[0-9]{{1,9}}(\.[0-9]{{1,{_AMOUNT_PLACES}}})?"
_AMOUNT_SCHEMA: dict[str, Any] = {
    "anyOf": [
        {"type": "number", "exclusiveMinimum": -_AMOUNT_LIMIT, "exclusiveMaximum": _AMOUNT_LIMIT},
        {"type": "string", "pattern": f"^-?{_DIGITS}$"},
    ]
}
_QUANTITY_SCHEMA: dict[str, Any] = {
    "anyOf": [
        {"type": "number", "minimum": 0, "exclusiveMaximum": _AMOUNT_LIMIT},
        {"type": "string", "pattern": rf"^{_DIGITS}$|^-0+(\.0{{1,{_AMOUNT_PLACES}}})?$"},
    ]
}
_PLAIN = "a number or a text like `-12.50`, at most 12 digits after the point, below 10^9"

Text = Annotated[str, Needs("a text")]
RequiredText = Annotated[str, Field(min_length=1), Needs("a text that is not empty")]
Id = Annotated[str, Field(min_length=1, max_length=256), Needs("a text of 1 to 256 characters")]
Flag = Annotated[bool, Needs("true or false")]
Integer = Annotated[int, Needs("an integer")]
Revision = Annotated[int, Field(ge=0), Needs("an integer of 0 or more")]
JsonObject = Annotated[dict[str, Any], Needs("an object")]
Timestamp = Annotated[
    # Only a fraction costs a call of a Python function: words have two of these each.
    Annotated[int, Field(ge=EARLIEST_MS, lt=LATEST_MS)]
    | Annotated[float, Field(ge=EARLIEST_MS, lt=LATEST_MS), AfterValidator(int)],
    Field(union_mode="left_to_right"),
    WithJsonSchema({"type": "number", "minimum": EARLIEST_MS, "exclusiveMaximum": LATEST_MS}),
    Needs("Unix milliseconds in the years 2000 to 2100"),
]
Milliseconds = Annotated[
    # As a float the next integer above is 2^53 itself.
    Annotated[int, Field(ge=0, le=2**53)] | Annotated[float, Field(ge=0, lt=2**53)],
    Field(union_mode="left_to_right"),
    WithJsonSchema({"type": "number", "minimum": 0, "maximum": 2**53}),
    Needs("milliseconds, 0 to 2^53"),
]
Latency = Annotated[
    Annotated[int, Field(ge=0, le=3_600_000)] | Annotated[float, Field(ge=0, le=3_600_000)],
    Field(union_mode="left_to_right"),
    WithJsonSchema({"type": "number", "minimum": 0, "maximum": 3_600_000}),
    Needs("milliseconds, 0 to 3,600,000"),
]
Amount = Annotated[Decimal, BeforeValidator(_amount), WithJsonSchema(_AMOUNT_SCHEMA), Needs(_PLAIN)]
Quantity = Annotated[
    Decimal,
    BeforeValidator(_amount),
    AfterValidator(_not_negative),
    WithJsonSchema(_QUANTITY_SCHEMA),
    Needs(f"{_PLAIN}, not negative"),
]
AnyJson = Annotated[
    Any, AfterValidator(_not_null), WithJsonSchema({"not": {"type": "null"}}), Needs("a text or any JSON")
]
