"""The search for the events behind a value: a set that alone gives it, and of which none can be left out."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Found(Generic[T]):
    """What is left, in the given order; `minimal`: without any one of them it no longer holds."""

    left: Sequence[T]
    minimal: bool


def smallest(given: Sequence[T], holds: Callable[[Sequence[T]], bool], effort: int) -> Found[T]:
    """Return what is left of `given` when all is left out without which it still `holds`; it holds for `given`.

    What comes first is left out first. It is left out in halves, quarters and so on, then one by one, until none can
    be: Zeller's delta debugging ("Simplifying and Isolating Failure-Inducing Input", 2002) without its complements.
    `effort` bounds the sum of the sizes that are tried; when it is used up, what is left need not be minimal.
    """
    left = list(given)
    size = max(1, len(left))
    while True:
        changed = False
        start = 0
        while start < len(left):
            tried = left[:start] + left[start + size :]
            effort -= len(tried) + 1
            if effort < 0:
                return Found(left, minimal=False)
            if holds(tried):
                left, changed = tried, True
            else:
                start += size
        if size == 1 and not changed:
            return Found(left, minimal=True)
        size = max(1, size // 2)
