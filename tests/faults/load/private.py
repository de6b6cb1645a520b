"""PURE: what an opted-out call must not keep, each piece with a mark by which it is found again.

The fields are those of the contract less those that stay by the reference implementation: a field that is added to the
contract is marked here without further ado, and one that redaction leaves by mistake is found.
"""

from collections.abc import Iterator
from typing import Any, get_type_hints

from pydantic import TypeAdapter, ValidationError

from shared.contract.fields import bare
from shared.contract.payloads import OPT_OUT, TYPES
from tests.support.events.makers import Json
from tests.support.reference.reading_events.redaction import stays

PRIVATE = "between-us"
"""The mark in texts."""
_NUMBER = 729_735_256
"""The mark in numbers, whose digits are found in any text that has the number."""
SENSITIVE = "271828182"
"""Digits of sensitive events: they are nowhere, whether a call opts out or not."""

MARKS = (PRIVATE.encode(), str(_NUMBER).encode())

_TEXT = f"Nobody else knows {PRIVATE}"
_CANDIDATES: tuple[Any, ...] = (
    _TEXT,
    _NUMBER,
    _NUMBER * 1_000 + 1_000_000_000_000,
    _NUMBER / 10**9,
    [{"word": _TEXT, "start": 1_703_097_630_000}],
    {"said": _TEXT},
)
_ONLY_BY_NAME = (True,)
"""What cannot carry a mark: that it is gone is seen by its name alone."""


class Unmarked(Exception):
    """No value of a field carries a mark."""


def taken(kind: str) -> Iterator[tuple[str, Any]]:
    """Yield the fields of a type that opting out takes, and their types."""
    for field, hint in get_type_hints(TYPES[kind], include_extras=True).items():
        if field != OPT_OUT and field not in stays(kind):
            yield field, hint


def private_data(kind: str) -> Json:
    """Return every field of a type that opting out takes, and one that no type has, each marked.

    Raises:
        Unmarked: a field accepts none of the values.
    """
    return {field: _marked(field, hint) for field, hint in taken(kind)} | {"x_private": _TEXT}


def left_fields(body: Json) -> set[str]:
    """Return the fields of a logged event's data that an opted-out call must not keep."""
    data = body.get("data")
    return set(data if isinstance(data, dict) else ()) - stays(body.get("type", "")) - {OPT_OUT}


def is_marked(content: bytes) -> bool:
    return any(mark in content for mark in MARKS)


def _marked(field: str, hint: Any) -> Any:
    accepts = TypeAdapter[Any](bare(hint))
    for value in (*_CANDIDATES, *_ONLY_BY_NAME):
        try:
            accepts.validate_python(value, strict=True)
        except ValidationError:
            continue
        return value
    raise Unmarked(f"`{field}`: give it a value in {__file__}")
