"""Why a record is no event: a closed set of reasons, and a sentence for the one who sent it.

A sentence shows a value only where it can hold nothing of what was said or of whom: attributes of the envelope, and
numbers where the contract wants numbers. It stands in a readable header of the dead letter.
"""

from enum import StrEnum
from functools import cache
from typing import Any, get_args, get_origin, get_type_hints

from pydantic import ValidationError
from pydantic_core import ErrorDetails
from typing_extensions import is_typeddict

from shared.contract.fields import EARLIEST_MS, Needs

_SHOWN = 64
_SOON_MS = 10**11  # 1973 as milliseconds: below it, a positive number is surely seconds or an offset


class Reason(StrEnum):
    """The reasons for which a record goes to the dead letters."""

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


_WRONG_TYPE = ("_type", "no amount", "a truth value")


def complaint(error: ValidationError, model: type, prefix: str) -> tuple[Reason, str]:
    """Return the reason and the sentence for the first thing that is wrong with `model`'s fields under `prefix`."""
    problems = error.errors(include_url=False)
    first = problems[0]
    keys = [key for key in first["loc"] if isinstance(key, int) or not _is_branch(key)]
    path = ".".join([prefix, *map(str, keys)] if prefix else map(str, keys))
    same = [problem for problem in problems if problem["loc"][: len(keys)] == tuple(keys)]
    if keys == ["specversion"]:
        return Reason.NOT_CLOUDEVENTS, f"`specversion` must be `1.0`{_got(first, prefix)}"
    if first["type"] == "missing" or first["input"] is None:
        return Reason.MISSING, f"`{path}` is missing"
    if all(any(sign in f"{problem['type']} {problem['msg']}" for sign in _WRONG_TYPE) for problem in same):
        return Reason.WRONG_TYPE, f"`{path}` must be {_needs(model, keys)}{_got(first, prefix)}"
    # Of a union's branches the one that took the type knows best: 1703097600.5 is no integer, but seconds.
    bound = next((problem for problem in same if "_type" not in problem["type"]), first)
    return Reason.OUT_OF_BOUNDS, f"`{path}` must be {_needs(model, keys)}{_got(bound, prefix)}"


def _is_branch(key: str) -> bool:
    """Tell whether pydantic put `key` into the location to name a branch of a union, not a field."""
    return key in {"int", "str", "float"} or "constrained-" in key or "[" in key


def _needs(model: type, keys: list[int | str]) -> str:
    hint: Any = model
    words = "an object"
    for key in keys:
        hint = _inside(hint, key)
        words = next((note.words for note in _notes(hint)), words)
    return words


def _inside(hint: Any, key: int | str) -> Any:
    """Return the type of `key` within the type `hint`, whatever Annotated, optional and list there is around it."""
    if is_typeddict(hint):
        return _fields(hint)[str(key)]
    if isinstance(key, int) and get_origin(hint) is list:
        return get_args(hint)[0]
    inner = [argument for argument in get_args(hint) if _leads_on(argument, key)]
    return _inside(inner[0], key)


@cache
def _fields(model: type) -> dict[str, Any]:
    return get_type_hints(model, include_extras=True)


def _leads_on(hint: Any, key: int | str) -> bool:
    if is_typeddict(hint) or (isinstance(key, int) and get_origin(hint) is list):
        return True
    return any(_leads_on(argument, key) for argument in get_args(hint))


def _notes(hint: Any) -> list[Needs]:
    own = [note for note in getattr(hint, "__metadata__", ()) if isinstance(note, Needs)]
    return own[-1:] or [note for argument in get_args(hint) for note in _notes(argument)]


def _got(problem: ErrorDetails, prefix: str) -> str:
    match problem["input"]:
        case dict() if problem["type"] == "missing":
            return ", but is missing"
        case bool():
            return ", not true or false"
        case int() | float() as number if prefix == "" or _wants_number(problem["type"]):
            return f", not {number}{_hint(number, problem)}"
        case str() as text if prefix == "":
            return f", not {text[:_SHOWN]!r}{'…' if len(text) > _SHOWN else ''}"
        case None:
            return ", not null"
        case other:
            return f", not {_KINDS.get(type(other), 'that')}"


def _wants_number(problem: str) -> bool:
    return not problem.startswith(("string", "dict", "list", "bool"))


_KINDS = {str: "this text", int: "a number", float: "a number", list: "a list", dict: "an object"}


def _hint(number: float, problem: ErrorDetails) -> str:
    if problem.get("ctx", {}).get("ge") == EARLIEST_MS and 0 <= number < _SOON_MS:
        return " (seconds, or an offset into the audio?)"
    return ""
