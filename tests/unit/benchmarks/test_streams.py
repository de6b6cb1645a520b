"""A record of the peer in Kafka Streams counts only if it is whole and what the reference implementation makes."""

from typing import Any

import pytest

from benchmarks.load.calls import Workload
from benchmarks.parts.streams import is_right

WORKLOAD = Workload(30, 3)
NUMBER = 2


def stored() -> dict[str, Any]:
    """Return a record as the peer stores it."""
    key, record = WORKLOAD.expected(NUMBER)
    left_out = ("id", "public_log_url", "opt_out_sensitive_data_storage", "call_analysis", "telephony_identifier")
    common = {name: value for name, value in record.items() if name not in left_out}
    return common | {"_id": key, "event_count": WORKLOAD.size(NUMBER), "folded_at": None}


def test_a_record_that_is_equal_in_every_field_of_both_is_right() -> None:
    assert is_right(stored(), WORKLOAD, NUMBER)


@pytest.mark.parametrize(
    "wrong",
    [
        {"event_count": WORKLOAD.size(NUMBER) - 1},
        {"transcript": "Hello."},
        {"transcript_object": []},
        {"latency": None},
        {"call_cost": None},
        {"events": []},
    ],
    ids=lambda wrong: next(iter(wrong)),
)
def test_a_record_that_differs_is_wrong(wrong: dict[str, Any]) -> None:
    assert not is_right(stored() | wrong, WORKLOAD, NUMBER)


def test_a_record_that_lacks_a_field_is_wrong() -> None:
    document = stored()
    del document["transcript"]

    assert not is_right(document, WORKLOAD, NUMBER)
