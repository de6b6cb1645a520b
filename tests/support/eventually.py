"""Waits of the tests: each is a condition with a time limit, and one setting scales every limit.

`CALLFOLD_TEST_PATIENCE=3 make test` multiplies all of them by three, pytest's own limit per test included: for a
machine that is slow, or busy with other work. A limit costs time only where a test fails, so limits are generous.
"""

import asyncio
import inspect
import os
import time
from collections.abc import Callable
from typing import Any, TypeVar

T = TypeVar("T")

_FACTOR = float(os.environ.get("CALLFOLD_TEST_PATIENCE", "1"))
_PAUSE_SECONDS = 0.05


def scaled(seconds: float) -> float:
    """Return a time limit, multiplied by `CALLFOLD_TEST_PATIENCE`."""
    return seconds * _FACTOR


async def eventually(holds: Callable[[], Any], within: float = 60.0) -> Any:
    """Return `holds()`, or what it awaits, once it is true; fail if it is not within so many seconds, scaled."""
    deadline = time.monotonic() + scaled(within)
    while True:
        result = holds()
        if inspect.isawaitable(result):
            result = await result
        if result:
            return result
        assert time.monotonic() < deadline, f"{holds} is not true within {scaled(within):.0f} s"
        await asyncio.sleep(_PAUSE_SECONDS)


def eventually_blocking(holds: Callable[[], T], within: float = 60.0) -> T:
    """Do as `eventually` where no loop runs."""
    deadline = time.monotonic() + scaled(within)
    while not (result := holds()):
        assert time.monotonic() < deadline, f"{holds} is not true within {scaled(within):.0f} s"
        time.sleep(_PAUSE_SECONDS)
    return result
