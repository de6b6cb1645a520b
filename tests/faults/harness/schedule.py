"""PURE: the order of the faults, the same for the same seed."""

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Planned:
    """A fault, the pause in seconds before it, and the seed of its random choices."""

    kind: str
    pause: float
    seed: str


def schedule(seed: int, series: str, kinds: Sequence[str], longest_pause: float) -> Iterator[Planned]:
    """Yield the faults of a series without an end: every kind once in random order, then again."""
    rng = random.Random(f"{seed}/{series}")
    number = 0
    while True:
        for kind in rng.sample(kinds, len(kinds)):
            yield Planned(kind, rng.uniform(0, longest_pause), f"{seed}/{series}/{number}")
            number += 1
