"""How much of the benchmark is run."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Plan:
    """`rounds` of everything; `quick`: the headline cells alone."""

    rounds: int = 3
    quick: bool = False
