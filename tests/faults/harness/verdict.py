"""PURE: what a run came to: what was produced beside what is stored and what the API says."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

import orjson

from tests.support.events.makers import Json

Record = dict[str, Any]
Identity = tuple[str, str]


@dataclass(slots=True)
class Verdict:
    """How many of what went wrong; all of it is 0, or empty, after a good run."""

    lost: int = 0
    """Events that were accepted, and that the log or the record does not tell of, or that are a dead letter."""
    is_due: int = 0
    """Events that a record tells of twice, and costs that are too high."""
    differing: list[str] = field(default_factory=list)
    """Calls whose record, as the API gives it, is not that of the reference fold."""
    private_left: int = 0
    """Documents that hold what an opted-out call may not keep, after the sweep too."""
    uncommitted: int = 0
    """Records that were still not committed when one clean worker had long had nothing else to do."""
    poison_missing: int = 0
    """Records that are no events and not among the dead letters."""
    hung: int = 0
    """Workers that neither worked nor ended."""
    failed: int = 0
    """Workers that ended by themselves, and not as they were told."""
    missed: list[str] = field(default_factory=list)
    """Faults that did not come about."""

    @property
    def good(self) -> bool:
        """Whether nothing went wrong."""
        return not any(asdict(self).values())

    def compare(self, call: str, expected: Record, found: Record | None, missing_in_log: int) -> None:
        """Take in what the API gives for a call, and how many of its events the log does not have."""
        if found == expected and not missing_in_log:
            return
        self.differing.append(call)
        wanted, got = Counter(_things(expected)), Counter(_things(found or {}))
        costs, told = _costs(expected), _costs(found or {})
        self.lost += max(missing_in_log, (wanted - got).total(), sum(told.get(p, 0) < c for p, c in costs.items()))
        self.is_due += sum(number for thing, number in (got - wanted).items() if thing in wanted)
        self.is_due += sum(told.get(product, 0) > cost for product, cost in costs.items())


def _things(record: Record) -> Iterator[bytes]:
    """Yield what a record holds one by one of an event."""
    for listed in ("events", "transcript_object", "transcript_with_tool_calls"):
        for entry in record.get(listed, ()):
            yield orjson.dumps([listed, entry])
    for component, told in (record.get("latency") or {}).items():
        for value in told["values"]:
            yield orjson.dumps([component, value])


def _costs(record: Record) -> Mapping[str, float]:
    lines = (record.get("call_cost") or {}).get("product_costs", ())
    return {line["product"]: line["cost"] for line in lines}


def identities(events: Iterable[Json]) -> set[Identity]:
    """Return what names each event within its call."""
    return {(event["source"], event["id"]) for event in events}
