"""PURE: which fault comes when: the same for the same seed."""

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Planned:
    """A fault, the pause in seconds before it, and the seed of whatever is chosen in it."""

    kind: str
    pause: float
    seed: str


def schedule(seed: int, lane: str, kinds: Sequence[str], longest_pause: float) -> Iterator[Planned]:
    """Yield the faults of a lane without an end: each kind once in a shuffled deck, then another deck."""
    rng = random.Random(f"{seed}/{lane}")
    number = 0
    while True:
        for kind in rng.sample(kinds, len(kinds)):
            yield Planned(kind, rng.uniform(0, longest_pause), f"{seed}/{lane}/{number}")
            number += 1
