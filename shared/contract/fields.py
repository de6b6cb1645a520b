"""The kinds of fields that events are made of: what each accepts, and the words for it.

Reading is strict: a string is never converted to a number. Durations and latencies are milliseconds, timestamps Unix
milliseconds, money dollars.
"""

import re
from dataclasses import dataclass
from decimal import Decimal
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, Field, GetCoreSchemaHandler, WithJsonSchema
from pydantic_core import CoreSchema
from pydantic_core.core_schema import custom_error_schema

EARLIEST_MS = 946_684_800_000
"""2000-01-01T00:00:00Z."""

LATEST_MS = 4_133_980_800_000
"""2101-01-01T00:00:00Z, the first millisecond that is too late."""

_AMOUNT_LIMIT = 10**9
_AMOUNT_PLACES = 12
_AMOUNT_TEXT = re.compile(rf"-?[0-9]+(\.[0-9]{{1,{_AMOUNT_PLACES}}})?", re.ASCII)


@dataclass(frozen=True, slots=True)
class Needs:
    """An annotation: what a field needs, which completes the sentence "`data.x` must be ...".

    pydantic's errors for the field, those of all branches of a union, are replaced by a single one that carries this
    object.
    """

    words: str
    types: tuple[type, ...]
    """What JSON types, as Python's, are accepted; of any other one the reason is `wrong_type`."""
    form: re.Pattern[str] | None = None
    """A string of another form is of a wrong type."""

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        """Return the field's schema with its errors replaced."""
        return custom_error_schema(
            handler(source), "needs", custom_error_message=self.words, custom_error_context={"needs": self}
        )

    def accepts_type(self, value: Any) -> bool:
        """Return whether the value has an accepted type, though it may be out of bounds."""
        if self.form is not None and isinstance(value, str):
            return self.form.fullmatch(value) is not None
        return type(value) in self.types  # a bool is no int here


def _amount(value: Any) -> Decimal:
    """Return the decimal of a JSON number (by its shortest spelling) or of a plain string of digits."""
    match value:
        case bool():
            raise ValueError("not an amount")
        case int() | float():
            amount = Decimal(repr(value))
        case str() if _AMOUNT_TEXT.fullmatch(value):
            amount = Decimal(value)
        case _:
            raise ValueError("not an amount")
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
        raise ValueError("missing")
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
_AMOUNT_WORDS = "a number or a string like `-12.50`, below 10^9, with at most 12 digits after the point"
_NUMBER = (int, float)
UNIX_MS = Needs("Unix milliseconds in the years 2000 to 2100", _NUMBER)

Text = Annotated[str, Needs("a string", (str,))]
RequiredText = Annotated[str, Field(min_length=1), Needs("a non-empty string", (str,))]
Id = Annotated[str, Field(min_length=1, max_length=256), Needs("a string of 1 to 256 characters", (str,))]
Flag = Annotated[bool, Needs("true or false", (bool,))]
Integer = Annotated[int, Needs("an integer", (int,))]
Revision = Annotated[int, Field(ge=0), Needs("an integer, 0 or more", (int,))]
JsonObject = Annotated[dict[str, Any], Needs("an object", (dict,))]
Timestamp = Annotated[
    # Only a fraction costs a call of a Python function: each word of a transcript has two timestamps.
    Annotated[int, Field(ge=EARLIEST_MS, lt=LATEST_MS)]
    | Annotated[float, Field(ge=EARLIEST_MS, lt=LATEST_MS), AfterValidator(int)],
    Field(union_mode="left_to_right"),
    WithJsonSchema({"type": "number", "minimum": EARLIEST_MS, "exclusiveMaximum": LATEST_MS}),
    UNIX_MS,
]
Milliseconds = Annotated[
    # As a float the next integer above is 2^53 itself.
    Annotated[int, Field(ge=0, le=2**53)] | Annotated[float, Field(ge=0, lt=2**53)],
    Field(union_mode="left_to_right"),
    WithJsonSchema({"type": "number", "minimum": 0, "maximum": 2**53}),
    Needs("milliseconds, a number from 0 to 2^53", _NUMBER),
]
Latency = Annotated[
    Annotated[int, Field(ge=0, le=3_600_000)] | Annotated[float, Field(ge=0, le=3_600_000)],
    Field(union_mode="left_to_right"),
    WithJsonSchema({"type": "number", "minimum": 0, "maximum": 3_600_000}),
    Needs("milliseconds, a number from 0 to 3,600,000", _NUMBER),
]
Amount = Annotated[
    Decimal,
    BeforeValidator(_amount),
    WithJsonSchema(_AMOUNT_SCHEMA),
    Needs(_AMOUNT_WORDS, (*_NUMBER, str), _AMOUNT_TEXT),
]
Quantity = Annotated[
    Decimal,
    BeforeValidator(_amount),
    AfterValidator(_not_negative),
    WithJsonSchema(_QUANTITY_SCHEMA),
    Needs(f"{_AMOUNT_WORDS}, not negative", (*_NUMBER, str), _AMOUNT_TEXT),
]
AnyJson = Annotated[
    Any, AfterValidator(_not_null), WithJsonSchema({"not": {"type": "null"}}), Needs("a string or any other JSON", ())
]
