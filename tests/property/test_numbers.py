"""Latency and cost: live values equal the final ones, and every cost adds up."""

from decimal import Decimal

import numpy as np
from hypothesis import assume, given
from hypothesis import strategies as st

from shared.fold.conversation.latency import percentiles
from shared.fold.fold import fold
from shared.fold.lifecycle.ends import ACTIVITY
from tests.support.events.makers import STARTED, Json, book, decoded, event
from tests.support.events.strategies import FINAL, PRICE_LISTS, TYPES, calls, calls_without_conflicts

LIVE = tuple(kind for kind in TYPES if kind not in FINAL)
MONEY = ("call.started", "call.ended", "usage.reported", "cost.reported", "latency.sampled")
HALF_OF_THE_LAST_PLACE = Decimal("0.0000005")


def exact(number: float) -> Decimal:
    return Decimal(repr(number))


@given(calls_without_conflicts(LIVE))
def test_live_latency_and_cost_equal_the_final_ones(call: list[Json]) -> None:
    live = fold(decoded(call), book())
    assume("start_left_out" not in live.problems)  # an end tells what lies too long before it
    latest = max((entry.time for entry in decoded(call) if entry.type in ACTIVITY), default=STARTED)
    end = event("call.ended", at=latest, id="the end")

    final = fold(decoded([*call, end]), book())

    assume("start_left_out" not in final.problems)
    assert (live.ended, final.ended) == (False, True)
    assert final.record["latency"] == live.record["latency"]
    assert final.record["call_cost"] == live.record["call_cost"]


@given(calls(MONEY))
def test_every_cost_adds_up(call: list[Json]) -> None:
    cost = fold(decoded(call), book(*PRICE_LISTS)).record["call_cost"]
    assume(cost)
    assert cost

    combined, one_time = exact(cost["combined_cost"]), exact(cost["total_one_time_price"])
    by_minutes = exact(cost["total_duration_seconds"]) * exact(cost["total_duration_unit_price"]) / 60

    assert combined == sum(exact(line["cost"]) for line in cost["product_costs"])
    assert abs(combined - one_time - by_minutes) <= HALF_OF_THE_LAST_PLACE


@given(st.lists(st.floats(0, 3_600_000) | st.integers(0, 3), min_size=1, max_size=60))
def test_percentiles_equal_those_of_numpy(values: list[float]) -> None:
    found = percentiles(values)

    expected = np.percentile(values, [50, 90, 95, 99])

    assert np.allclose([found["p50"], found["p90"], found["p95"], found["p99"]], expected, rtol=0, atol=1e-6)
    assert (found["min"], found["max"], found["num"]) == (min(values), max(values), len(values))
    assert found["values"] == values


@given(st.lists(st.floats(0, 3_600_000), min_size=1, max_size=20))
def test_samples_are_kept_in_the_order_of_their_events(values: list[float]) -> None:
    call = [event("latency.sampled", at=STARTED + at, value_ms=value) for at, value in enumerate(values)]

    record = fold(decoded(reversed(call)), book()).record

    assert record["latency"] == {"e2e": percentiles(values)}
