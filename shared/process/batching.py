"""Cutting work into pieces of a bounded size."""

from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

T = TypeVar("T")


def grouped(items: Iterable[T], weight: Callable[[T], int], most: int) -> Iterator[list[T]]:
    """Yield the items in groups that together weigh at most `most`; a heavier one is a group of its own."""
    group: list[T] = []
    total = 0
    for item in items:
        size = weight(item)
        if group and total + size > most:
            yield group
            group, total = [], 0
        group.append(item)
        total += size
    if group:
        yield group
