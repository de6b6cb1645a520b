"""Latency percentiles."""

from typing import Any

from shared.fold.conversation.latency import percentiles
from tests.support.events.makers import STARTED, Json, event, record


def sample(value: float, at: int = STARTED, **data: Any) -> Json:
    return event("latency.sampled", at=at, value_ms=value, **data)


def test_values_are_sorted_by_ordering_key_and_unchanged() -> None:
    found = record(sample(2.123456789, at=STARTED + 1), sample(3), sample(1, at=STARTED + 2))

    assert found["latency"]["e2e"]["values"] == [3, 2.123456789, 1]
    assert (found["latency"]["e2e"]["min"], found["latency"]["e2e"]["max"], found["latency"]["e2e"]["num"]) == (1, 3, 3)


def test_a_component_without_samples_is_absent() -> None:
    found = record(sample(1, component="my_own_1"), sample(2, component="tts"))

    assert list(found["latency"]) == ["tts", "my_own_1"]


def test_of_one_sample_all_percentiles_are_equal() -> None:
    assert percentiles([7]) == {"max": 7, "min": 7, "num": 1, "p50": 7, "p90": 7, "p95": 7, "p99": 7, "values": [7]}


def test_percentiles_are_interpolated_between_the_closest_ranks() -> None:
    found = percentiles([40, 10, 30, 20])

    assert (found["p50"], found["p90"], found["p95"], found["p99"]) == (25, 37, 38.5, 39.7)


def test_percentiles_are_rounded_to_six_places() -> None:
    assert percentiles([0, 0.000_001_5])["p50"] == 0.000_001


def test_an_ongoing_call_has_percentiles() -> None:
    found = record(sample(5))

    assert (found["call_status"], found["latency"]["e2e"]["p99"]) == ("ONGOING", 5)
