"""PURE: how much of a call its page shows: one event can hold a megabyte, and a call any number of them."""

import json
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from typing import Any, TypeVar

from services.console.indented import indented

MOST_CHARACTERS = 20_000
"""Of one text; the API has all."""

_MOST_IN_A_LINE = 2_000

MOST_KEYS = 200
"""Of metadata and its like."""

T = TypeVar("T")


def shortened(text: str, most: int = MOST_CHARACTERS) -> str:
    """Return the text, or its beginning and how long it is."""
    return text if len(text) <= most else f"{text[:most]}… ({len(text):,} characters: the API has all)"


def as_text(value: Any, most: int = _MOST_IN_A_LINE) -> str:
    """Return a value as text, shortened: JSON in one line, but a text as it is."""
    return shortened(value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str), most)


def pretty(text: str) -> str:
    """Return a text in lines if it is a JSON object or list, else as it is; shortened if it is long."""
    return (indented(text) if len(text) <= MOST_CHARACTERS else None) or shortened(text)


def first_keys(values: Mapping[str, Any], most: int = MOST_KEYS) -> dict[str, Any]:
    return dict(islice(values.items(), most))


def paged(lines: Sequence[T], sizes: Sequence[int], per_page: int, most: int) -> Iterator[Sequence[T]]:
    """Yield pages of at most `per_page` lines, and of at most `most` in size unless one line is larger.

    `sizes` are those of the lines. No lines are one empty page.
    """
    begins, size = 0, 0
    for number, each in enumerate(sizes):
        if number > begins and (number - begins >= per_page or size + each > most):
            yield lines[begins:number]
            begins, size = number, 0
        size += each
    yield lines[begins:]
