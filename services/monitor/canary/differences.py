"""Where a record differs from the expected one.

Fields are named, and values never: a record that is wrong may hold what belongs to another call.
"""

from collections.abc import Iterator
from itertools import islice
from typing import Any

MOST = 20


def differences(expected: Any, found: Any) -> list[str]:
    """Return the fields that differ, at most `MOST`, as `call_cost.combined_cost`; [] if the values are the same JSON.

    Names are those of the expected value alone: others are "more keys".
    """
    return list(islice(_differences(expected, found, ""), MOST))


def _differences(expected: Any, found: Any, path: str) -> Iterator[str]:
    match expected, found:
        case dict(), dict():
            yield from _of_objects(expected, found, path)
        case list(), list() if len(expected) == len(found):
            for index, (each, other) in enumerate(zip(expected, found, strict=True)):
                yield from _differences(each, other, f"{path}[{index}]")
        case _ if not _same(expected, found):
            yield path or "record"


def _of_objects(expected: dict[str, Any], found: dict[str, Any], path: str) -> Iterator[str]:
    prefix = f"{path}." if path else ""
    for key, value in expected.items():
        if key in found:
            yield from _differences(value, found[key], prefix + key)
        else:
            yield f"{prefix}{key} (missing)"
    if found.keys() - expected.keys():
        yield f"{path or 'record'} (more keys)"


def _same(expected: Any, found: Any) -> bool:
    # In Python True is 1; in JSON it is not.
    return isinstance(expected, bool) == isinstance(found, bool) and bool(expected == found)
