"""Why a record is not a valid event: a closed set of reasons, and a sentence for the engineer who sent it.

The sentence is in a readable header of the dead letter. It shows a value only where that cannot be private content:
attributes of the envelope, and numbers in fields that need numbers.
"""

from enum import StrEnum
from types import NoneType
from typing import Any

from pydantic import ValidationError

from shared.contract.fields import UNIX_MS, Needs

_MAX_SHOWN = 64
_SECONDS_BELOW = 10**11  # 1973 in Unix milliseconds: a lower number is seconds, or an offset into the audio


class Reason(StrEnum):
    """The reasons for which a record becomes a dead letter."""

    TOO_LARGE = "too_large"
    NOT_JSON = "not_json"
    NOT_AN_OBJECT = "not_an_object"
    NUMBER_OUT_OF_RANGE = "number_out_of_range"
    NUL_IN_KEY = "nul_in_key"
    TOO_DEEP = "too_deep"
    NOT_CLOUDEVENTS = "not_cloudevents"
    MISSING = "missing"
    WRONG_TYPE = "wrong_type"
    OUT_OF_BOUNDS = "out_of_bounds"
    INVALID_TIME = "invalid_time"


_CONTAINERS = {"dict_type": Needs("an object", (dict,)), "list_type": Needs("a list", (list,))}
"""Objects and lists keep pydantic's own errors: `Needs` around them would replace those of the fields inside."""

_KINDS = {
    NoneType: "null",
    bool: "a boolean",
    int: "a number",
    float: "a number",
    str: "a string",
    list: "a list",
    dict: "an object",
}


def explain(error: ValidationError, prefix: str = "") -> tuple[Reason, str]:
    """Return the reason and the sentence for the first invalid field; `prefix` is `data`, or empty for the envelope."""
    first = error.errors(include_url=False)[0]
    path = ".".join(map(str, [prefix, *first["loc"]] if prefix else first["loc"]))
    value, absent = first["input"], first["type"] == "missing"
    if path == "specversion":
        got = "but is missing" if absent else f"got {_shown(value, numbers=True, texts=True)}"
        return Reason.NOT_CLOUDEVENTS, f"`specversion` must be `1.0`, {got}"
    if absent or value is None:
        return Reason.MISSING, f"`{path}` is missing"
    needs: Needs = _CONTAINERS.get(first["type"]) or first["ctx"]["needs"]
    got = _shown(value, numbers=not prefix or int in needs.types, texts=not prefix)
    sentence = f"`{path}` must be {needs.words}, got {got}"
    if not needs.accepts_type(value):
        return Reason.WRONG_TYPE, sentence
    hint = needs == UNIX_MS and 0 <= value < _SECONDS_BELOW
    return Reason.OUT_OF_BOUNDS, sentence + (" (seconds, or an offset into the audio?)" if hint else "")


def _shown(value: Any, *, numbers: bool, texts: bool) -> str:
    match value:
        case int() | float() if numbers and not isinstance(value, bool):
            return str(value)
        case str() if texts:
            return f"{value[:_MAX_SHOWN]!r}{'…' if len(value) > _MAX_SHOWN else ''}"
        case "":
            return "an empty string"
        case _:
            return _KINDS[type(value)]
