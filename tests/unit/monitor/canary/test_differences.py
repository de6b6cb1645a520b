"""Which fields of a record are named as wrong."""

import copy
from collections.abc import Callable
from typing import Any

import pytest

from services.monitor.canary.call import CanaryCall
from services.monitor.canary.differences import MOST, differences

RECORD = CanaryCall("o", "c", 1_795_341_600_000).record()


def with_status(record: Any) -> None:
    record["call_status"] = "ERROR"


def with_cost(record: Any) -> None:
    record["call_cost"]["product_costs"][1]["cost"] = 0.021


def without_cost(record: Any) -> None:
    record["call_cost"] = None


def without_agent(record: Any) -> None:
    del record["agent_id"]


def with_other_metadata(record: Any) -> None:
    record["metadata"]["somebody's name"] = 1


def with_another_turn(record: Any) -> None:
    record["transcript_object"].append({})


def with_number_for_truth(record: Any) -> None:
    record["metadata"]["canary"] = 1


@pytest.mark.parametrize(
    ("change", "named"),
    [
        (with_status, "call_status"),
        (with_cost, "call_cost.product_costs[1].cost"),
        (without_cost, "call_cost"),
        (without_agent, "agent_id (missing)"),
        (with_other_metadata, "metadata (more keys)"),
        (with_another_turn, "transcript_object"),
        (with_number_for_truth, "metadata.canary"),
    ],
)
def test_a_wrong_field_is_named_without_its_value(change: Callable[[Any], None], named: str) -> None:
    found = copy.deepcopy(RECORD)
    change(found)

    assert differences(RECORD, found) == [named]


def test_the_same_json_does_not_differ() -> None:
    assert differences(RECORD, {**copy.deepcopy(RECORD), "call_duration": 60.0}) == []


def test_what_is_no_record_differs() -> None:
    assert differences(RECORD, None) == ["record"]


def test_the_list_of_fields_is_bounded() -> None:
    assert len(differences(dict.fromkeys("abcdefghijklmnopqrstuvwxyz", 1), {})) == MOST
