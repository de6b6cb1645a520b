"""Why a record is not a valid event: a closed set of reasons, and a sentence for the engineer who sent it.

The sentence is in a readable header of the dead letter. It shows a value only where that cannot be private content:
attributes of the envelope, and numbers in fields that need numbers. Problems of valid events use the same sentences.
"""

import re
from collections.abc import Mapping
from types import NoneType
from typing import Any

from shared.contract.fields import UNIX_MS, Needs
from shared.contract.lenient.json_text import BigInteger
from shared.contract.lenient.spellings import unit_hint
from shared.contract.problems import Reason as Reason  # noqa: PLC0414 - names it for importers of this module
from shared.contract.strict_json import TooDeep

_DATE = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
_MAX_SHOWN = 64
_MAX_ERROR = 120


OF_BATCHES = frozenset({Reason.BATCH_TOO_LARGE, Reason.UNREADABLE_BATCH})
"""The reasons for which a producer's whole batch is passed over, without its bytes."""


class Refused(ValueError):
    """The event is not valid: the reason, and the sentence."""

    def __init__(self, reason: Reason, detail: str) -> None:
        super().__init__(detail)
        self.reason = reason
        self.detail = detail


_KINDS = {
    NoneType: "null",
    bool: "a boolean",
    int: "a number",
    BigInteger: "a number",
    float: "a number",
    str: "a string",
    list: "a list",
    dict: "an object",
}


def explain(path: str, needs: Needs, value: Any) -> tuple[Reason, str]:
    """Return the reason and the sentence for an invalid field, `data.x`, or attribute, `x`."""
    if value is None:
        return Reason.MISSING, f"`{path}` is missing"
    of_data = path == "data" or path.startswith("data.")
    needs_number = float in needs.types or needs.types == (int,)
    got = _shown(value, numbers=not of_data or needs_number, texts=not of_data)
    sentence = f"`{path}` must be {needs.words}, got {got}"
    if not needs.accepts_type(value):
        dated = needs is UNIX_MS and isinstance(value, str) and _DATE.match(value)
        return Reason.WRONG_TYPE, sentence + (" (a date? it has to be a number)" if dated else "")
    return Reason.OUT_OF_BOUNDS, sentence + (unit_hint(value) if needs is UNIX_MS else "")


def not_cloudevents(body: Mapping[str, Any]) -> Refused:
    got = "but is missing" if "specversion" not in body else f"got {_shown(body['specversion'])}"
    return Refused(Reason.NOT_CLOUDEVENTS, f"`specversion` must be `1.0`, {got}")


def unreadable(error: ValueError, value: bytes, what: str = "the value") -> Refused:
    """Return why a text could not be parsed as JSON."""
    if isinstance(error, TooDeep):
        return Refused(Reason.TOO_DEEP, str(error))
    if not value:
        return Refused(Reason.NOT_JSON, f"{what} is empty")
    if isinstance(error, UnicodeError) or "UTF-8" in str(error):
        return Refused(Reason.NOT_JSON, f"{what} is not JSON: it is not UTF-8")
    hint = " (NaN and infinities are not JSON)" if b"NaN" in value or b"Infinity" in value else ""
    return Refused(Reason.NOT_JSON, f"{what} is not JSON: {str(error)[:_MAX_ERROR]}{hint}")


def _shown(value: Any, *, numbers: bool = True, texts: bool = True) -> str:
    match value:
        case "":
            return "an empty string" if not texts else "''"
        case BigInteger():
            return f"a number of {len(value.lstrip('-'))} digits"
        case int() | float() if numbers and not isinstance(value, bool):
            return str(value)
        case str() if texts:
            return f"{value[:_MAX_SHOWN]!r}{'…' if len(value) > _MAX_SHOWN else ''}"
        case _:
            return _KINDS[type(value)]
