"""The cost of a call."""

from dataclasses import replace
from typing import Any

import pytest

from tests.support.events.makers import CREATED, STARTED, Json, event, record
from tests.support.reference.cost import SHIPPED, PriceList

CENTS = PriceList(effective=0, products={"inbound_call": ("0.01", "duration"), "llm_usage": ("0.01", "unit")})


def inbound(seconds: float, **data: Any) -> list[Json]:
    """Return an inbound call of this duration."""
    details = {"direction": "inbound"} | data
    return [event("call.started", **details), event("call.ended", at=STARTED + round(seconds * 1000))]


def usage(product: str, quantity: Any, **data: Any) -> Json:
    return event("usage.reported", product=product, quantity=quantity, **data)


def reported(product: str, cost: Any, **data: Any) -> Json:
    return event("cost.reported", product=product, cost=cost, **data)


def lines(cost: Json) -> dict[str, tuple[float, float | None]]:
    return {line["product"]: (line["cost"], line["unit_price"]) for line in cost["product_costs"]}


def test_without_anything_to_rate_there_is_no_cost() -> None:
    assert record(event("call.created"), event("call.ended"))["call_cost"] is None


def test_a_call_costs_its_minutes_and_its_usage() -> None:
    cost = record(*inbound(300), usage("llm_usage", 50))["call_cost"]

    assert cost == {
        "combined_cost": 0.15,
        "product_costs": [
            {"product": "inbound_call", "cost": 0.1, "unit_price": 0.02},
            {"product": "llm_usage", "cost": 0.05, "unit_price": 0.001},
        ],
        "total_duration_seconds": 300,
        "total_duration_unit_price": 0.02,
        "total_one_time_price": 0.05,
    }


def test_an_ongoing_call_costs_its_duration_so_far() -> None:
    call = [event("call.started", direction="inbound"), event("call.dtmf", at=STARTED + 60_000)]

    cost = record(*call, event("call.note", at=STARTED + 90_000))["call_cost"]

    assert (cost["total_duration_seconds"], cost["combined_cost"]) == (60, 0.02)


@pytest.mark.parametrize(
    ("details", "product", "price"),
    [
        ({"direction": "inbound"}, "inbound_call", 0.02),
        ({"direction": "outbound"}, "outbound_call", 0.02),
        ({"direction": "outbound", "call_type": "web_call"}, "web_call", 0.01),
    ],
)
def test_the_duration_is_billed_by_direction_unless_it_is_a_web_call(details: Json, product: str, price: float) -> None:
    cost = record(*inbound(60, **details))["call_cost"]

    assert lines(cost) == {product: (price, price)}


@pytest.mark.parametrize("direction", [None, "sideways"])
def test_talk_of_an_unknown_direction_is_billed_as_a_phone_call_if_the_book_has_it(direction: str | None) -> None:
    without = replace(SHIPPED, products={name: p for name, p in SHIPPED.products.items() if name != "phone_call"})

    cost = record(*inbound(60, direction=direction))["call_cost"]
    unbilled = record(*inbound(60, direction=direction), prices=(without,))["call_cost"]

    assert lines(cost) == {"phone_call": (0.02, 0.02)}
    assert (lines(unbilled), unbilled["total_duration_seconds"], unbilled["total_duration_unit_price"]) == ({}, 60, 0)


def test_an_end_with_a_duration_makes_a_call_timed() -> None:
    call = [event("call.created", direction="inbound"), event("call.ended", duration_ms=60_000)]

    assert lines(record(*call)["call_cost"]) == {"inbound_call": (0.02, 0.02)}


def test_a_call_that_is_not_timed_has_no_seconds() -> None:
    cost = record(event("call.created", direction="inbound"), usage("llm_usage", 1))["call_cost"]

    assert cost["total_duration_seconds"] == 0
    assert lines(cost) == {"llm_usage": (0.001, 0.001)}


def test_seconds_are_rounded_up_to_the_increment() -> None:
    by_six = PriceList(0, CENTS.products, increment="6")

    assert record(*inbound(60.001))["call_cost"]["total_duration_seconds"] == 61
    assert record(*inbound(60.001), prices=(by_six,))["call_cost"]["total_duration_seconds"] == 66
    assert record(*inbound(60), prices=(by_six,))["call_cost"]["total_duration_seconds"] == 60


def test_seconds_are_at_least_the_minimum_of_a_timed_call() -> None:
    at_least = PriceList(0, CENTS.products, minimum="30")

    assert record(*inbound(0), prices=(at_least,))["call_cost"]["total_duration_seconds"] == 30
    assert record(*inbound(31), prices=(at_least,))["call_cost"]["total_duration_seconds"] == 31
    assert record(usage("llm_usage", 1), prices=(at_least,))["call_cost"]["total_duration_seconds"] == 0


@pytest.mark.parametrize(("started", "price"), [(STARTED - 1, 0.02), (STARTED, 0.01)])
def test_the_price_list_at_the_start_of_the_session_applies(started: int, price: float) -> None:
    dearer = PriceList(STARTED, CENTS.products)
    call = [event("call.created", at=CREATED), *inbound(60, start_timestamp=started)]

    cost = record(*call, prices=(SHIPPED, dearer))["call_cost"]

    assert cost["total_duration_unit_price"] == price


@pytest.mark.parametrize(("created", "price"), [(STARTED - 1, 0.001), (STARTED, 0.01)])
def test_without_a_session_the_price_list_at_the_earliest_event_applies(created: int, price: float) -> None:
    dearer = PriceList(STARTED, CENTS.products)
    call = [event("call.created", at=created), event("usage.reported", at=STARTED + 9)]

    cost = record(*call, prices=(SHIPPED, dearer))["call_cost"]

    assert lines(cost)["llm_usage"][1] == price


def test_usage_adds_up_by_product() -> None:
    cost = record(usage("stt_usage", "0.1"), usage("stt_usage", 0.2), usage("llm_usage", 0))["call_cost"]

    assert lines(cost) == {"llm_usage": (0, 0.001), "stt_usage": (0.00003, 0.0001)}


def test_a_product_is_rounded_once_and_half_to_even() -> None:
    halves = [usage("llm_usage", "0.0005")]

    assert record(*halves)["call_cost"]["combined_cost"] == 0
    assert record(*halves * 1, usage("llm_usage", "0.001"))["call_cost"]["combined_cost"] == 0.000002


def test_usage_of_a_product_without_a_price_costs_nothing_and_is_shown() -> None:
    assert lines(record(usage("magic", 5))["call_cost"]) == {"magic": (0, None)}


def test_usage_of_a_product_priced_by_the_minute_is_ignored() -> None:
    cost = record(usage("inbound_call", 5))["call_cost"]

    assert (cost["product_costs"], cost["combined_cost"]) == ([], 0)


def test_an_adjustment_is_added_to_what_stands_and_is_one_time() -> None:
    adjustments = [
        reported(product, "-0.015", kind="adjustment") for product in ("inbound_call", "llm_usage", "refund")
    ]

    cost = record(*inbound(60), usage("llm_usage", 50), *adjustments)["call_cost"]

    assert lines(cost) == {"inbound_call": (0.005, 0.02), "llm_usage": (0.035, 0.001), "refund": (-0.015, None)}
    assert (cost["combined_cost"], cost["total_duration_unit_price"]) == (0.025, 0.02)
    assert cost["total_one_time_price"] == 0.005


def test_an_amount_in_another_currency_is_converted_or_left_out() -> None:
    prices = (replace(SHIPPED, rates={"EUR": "1.1"}),)
    stated = [reported("carrier", "0.1", currency=currency) for currency in ("EUR", "USD", "GBP")]

    found = record(*stated, prices=prices)["call_cost"]

    assert lines(found) == {"carrier": (0.21, None)}


def test_a_reported_cost_replaces_the_line_of_usage() -> None:
    cost = record(usage("llm_usage", 50), reported("llm_usage", 0.07, unit_price="0.0014"))["call_cost"]

    assert lines(cost) == {"llm_usage": (0.07, 0.0014)}


def test_a_reported_cost_replaces_the_line_of_the_duration_and_is_one_time() -> None:
    cost = record(*inbound(60), reported("inbound_call", 0.5, unit_price=0.5))["call_cost"]

    assert lines(cost) == {"inbound_call": (0.5, 0.5)}
    assert (cost["total_duration_seconds"], cost["total_duration_unit_price"]) == (60, 0)
    assert cost["total_one_time_price"] == 0.5


def test_reported_lines_of_a_product_are_added_and_have_no_unit_price() -> None:
    cost = record(reported("sms", 0.1, unit_price=0.1), reported("sms", 0.2, unit_price=0.1))["call_cost"]

    assert lines(cost) == {"sms": (0.3, None)}


def test_of_one_source_product_and_line_the_latest_stands() -> None:
    corrected = [reported("sms", cost, line_id="1") for cost in (0.1, 0.3)]

    found = record(*corrected, reported("mms", 0.5, line_id="1"))["call_cost"]

    assert lines(found) == {"sms": (0.3, None), "mms": (0.5, None)}


def test_of_one_usage_id_the_latest_stands() -> None:
    totals = [usage("llm_usage", quantity, usage_id="total") for quantity in (10, 25)]

    assert lines(record(*totals, usage("llm_usage", 5))["call_cost"]) == {"llm_usage": (0.03, 0.001)}


def test_equal_line_ids_of_two_sources_and_a_line_without_an_id_are_different_lines() -> None:
    cost = record(
        reported("sms", 1, line_id="1", source="/a"),
        reported("sms", 2, line_id="1", source="/b"),
        reported("sms", 4, id="1", source="/a"),
    )["call_cost"]

    assert lines(cost) == {"sms": (7, None)}


def test_the_line_of_the_duration_is_first_and_the_others_are_sorted_by_name() -> None:
    cost = record(*inbound(60), reported("Zebra", 1), reported("é", 1), usage("llm_usage", 1))["call_cost"]

    assert list(lines(cost)) == ["inbound_call", "Zebra", "llm_usage", "é"]


def test_the_largest_amounts_are_added_exactly() -> None:
    cost = record(*[usage("llm_usage", "999999999.999999999999") for _ in range(3)])["call_cost"]

    assert cost["combined_cost"] == 3_000_000


def test_a_late_event_after_the_end_changes_the_cost() -> None:
    late = event("usage.reported", at=STARTED + 99_000)

    cost = record(*inbound(60), late)["call_cost"]

    assert (cost["total_duration_seconds"], cost["combined_cost"]) == (60, 0.07)
