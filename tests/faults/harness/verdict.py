"""PURE: the verdict on a run: compares the produced events with the log and the API's records."""

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
    """Counts of failures; all are 0, or empty, if the run is correct."""

    lost: int = 0
    """Accepted events that are missing in the log or the record, or that became a dead letter."""
    duplicated: int = 0
    """Events that a record has twice, and costs that are too high."""
    differing: list[str] = field(default_factory=list)
    """Calls whose record from the API differs from the reference implementation's."""
    private_left: int = 0
    """Documents with private content of an opted-out call after the sweep, or with sensitive digits of any."""
    private_shown: list[str] = field(default_factory=list)
    """Where private content is shown: answers of the API, headers of dead letters, logs of processes."""
    uncommitted: int = 0
    """Records that the last worker did not commit in time."""
    poison_missing: int = 0
    """Invalid records that are not among the dead letters."""
    poison_changed: int = 0
    """Dead letters that have another value than the record, or another reason."""
    hung: int = 0
    """Workers that neither became ready nor ended."""
    failed: int = 0
    """Workers that ended with an unexpected status."""
    alerts_without_cause: list[str] = field(default_factory=list)
    """Alerts that fired, for a person to be woken, although no fault explains them."""
    missed: list[str] = field(default_factory=list)
    """Faults that did not happen."""

    @property
    def good(self) -> bool:
        return not any(asdict(self).values())

    def compare(self, call: str, expected: Record, found: Record | None, missing_in_log: int) -> None:
        """Compare the record of a call from the API, and count the events that its log lacks."""
        if found == expected and not missing_in_log:
            return
        self.differing.append(call)
        wanted, got = Counter(_things(expected)), Counter(_things(found or {}))
        costs, got_costs = _costs(expected), _costs(found or {})
        self.lost += max(missing_in_log, (wanted - got).total(), sum(got_costs.get(p, 0) < c for p, c in costs.items()))
        self.duplicated += sum(number for thing, number in (got - wanted).items() if thing in wanted)
        self.duplicated += sum(got_costs.get(product, 0) > cost for product, cost in costs.items())


def _things(record: Record) -> Iterator[bytes]:
    """Yield the parts of a record that come from one event each."""
    for listed in ("events", "transcript_object", "transcript_with_tool_calls"):
        for entry in record.get(listed, ()):
            yield orjson.dumps([listed, entry])
    for component, samples in (record.get("latency") or {}).items():
        for value in samples["values"]:
            yield orjson.dumps([component, value])


def _costs(record: Record) -> Mapping[str, float]:
    lines = (record.get("call_cost") or {}).get("product_costs", ())
    return {line["product"]: line["cost"] for line in lines}


def identities(events: Iterable[Json]) -> set[Identity]:
    """Return what names each event within its call."""
    return {(event["source"], event["id"]) for event in events}
