"""PURE: dead letters by reason and by who sent them."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from services.console.dead_letters.rows import Row
from shared.contract.problems import Reason

MOST_SENDERS = 25
"""Lines of the table of senders."""

MOST_CHOICES = 100
"""Values that the form offers for one field."""

LONGEST_CHOICE = 300
"""Characters; a longer value is no choice: an address would not hold it."""

MEANINGS: Mapping[str, str] = {
    Reason.TOO_LARGE: "The event is over 1 MiB, or over 4 MiB with its headers.",
    Reason.NOT_JSON: "The value is not JSON in UTF-8.",
    Reason.NOT_AN_OBJECT: "The value is JSON, but not an object.",
    Reason.TOO_DEEP: "Objects and lists are nested too deep.",
    Reason.NOT_CLOUDEVENTS: "It is no CloudEvent of version 1.0.",
    Reason.NOT_BASE64: "The field data_base64 cannot be decoded.",
    Reason.MISSING: "A required attribute or field is missing.",
    Reason.WRONG_TYPE: "A required attribute or field has a value of the wrong type.",
    Reason.OUT_OF_BOUNDS: "A required attribute or field has a value that is not allowed.",
    Reason.BATCH_TOO_LARGE: "A producer's whole batch is too large to be read; its bytes are not kept.",
    Reason.UNREADABLE_BATCH: "A producer's whole batch cannot be read; its bytes are not kept.",
}


@dataclass(frozen=True, slots=True)
class Sender:
    """How many dead letters have the same organization, source and reason; `first` and `last` are Unix milliseconds."""

    organization: str | None
    source: str | None
    reason: str | None
    count: int
    first: int
    last: int


def by_reason(rows: Iterable[Row]) -> list[tuple[str | None, int]]:
    """Return each reason with its count, the most frequent first."""
    return Counter(row.reason for row in rows).most_common()


def senders(rows: Iterable[Row]) -> list[Sender]:
    """Return who sent what, the most frequent first."""
    moments: dict[tuple[str | None, str | None, str | None], list[int]] = {}
    for row in rows:
        moments.setdefault((row.organization, row.source, row.reason), []).append(row.moment)
    found = [Sender(*who, len(when), min(when), max(when)) for who, when in moments.items()]
    return sorted(found, key=lambda sender: (-sender.count, -sender.last))


def choices(rows: Iterable[Row], name: str) -> Sequence[str]:
    """Return the most frequent values of a field, in the order of the alphabet."""
    found = Counter(value for row in rows if (value := getattr(row, name)) and len(value) <= LONGEST_CHOICE)
    return sorted(value for value, _ in found.most_common(MOST_CHOICES))
