"""The promises of decision 13, each by the beginning of its row in the table."""

from collections.abc import Iterator
from enum import StrEnum
from pathlib import Path

ROOT = Path(__file__).parents[2]
DECISION = ROOT / "docs" / "decisions" / "0013-guarantees.md"


class Promise(StrEnum):
    """What is guaranteed."""

    DELIVERED = "An event that Kafka acknowledged"
    COUNTED_ONCE = "Each distinct `(source, id)`"
    FOLD_OF_THE_SET = "The record is the fold of the set"
    READ_AS_VALIDATED = "An event counts as the present rules"
    DEAD_LETTERS = "An invalid record is in the dead-letter topic"
    OUTAGES = "No failure of MongoDB or Kafka"
    STOPPING = "When a single worker stops"
    BROKEN_ALONE = "A call that cannot be folded"
    OPTED_OUT = "When a call has opted out"
    NOT_QUOTED = "No log of a process"
    IDLE = "A call whose end nobody reports"
    DELETED = "A call that was deleted"
    REBUILT = "The records can be made again"

    UNREADABLE = "A batch that is too large"
    WATERMARKS = "All events of a partition that arrived"
    TRANSACTIONS = "Marks of transactions"
    AS_OF = "An answer with `X-Callfold-As-Of`"
    TOPICS = "A topic that is made anew"
    REMOVED = "Records that Kafka removed"
    CLOCKS = "No clock of a producer"
    RESTORED = "After MongoDB was restored"
    NOWHERE = "What opting out takes"


WITHOUT_A_MUTANT = frozenset(
    {
        Promise.AS_OF,
        Promise.RESTORED,
        Promise.NOWHERE,
    }
)
"""Promises for which no mistake is planted yet: their tests stand alone."""


def rows() -> Iterator[tuple[str, str]]:
    """Yield each row of the decision's table: what is guaranteed, and what shows it."""
    for line in DECISION.read_text().splitlines():
        if line.startswith("| ") and not line.startswith("| guaranteed"):
            _, guaranteed, shown_by, _ = line.split("|")
            yield guaranteed.strip(), shown_by.strip()
