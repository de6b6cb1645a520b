"""Money and quantities."""

from decimal import Decimal
from typing import Any

import pytest

from shared.contract.rejection import Reason
from tests.support.events.makers import accepted, event, raw, rejected

AMOUNT = "must be a number or a string like `-12.50`, below 10^9"


@pytest.mark.parametrize(
    ("spelled", "amount"),
    [
        (0, "0"),
        (12.5, "12.5"),
        (-12, "-12"),
        (1e-7, "0.0000001"),
        (0.1, "0.1"),
        ("-12.50", "-12.50"),
        ("007.5", "7.5"),
        ("1.5e-3", "0.0015"),
        ("1E2", "100"),
        ("999999999.999999999999", "999999999.999999999999"),
        ("0.000000000001", "0.000000000001"),
        (1e-12, "0.000000000001"),
    ],
)
def test_an_amount_is_a_decimal(spelled: Any, amount: str) -> None:
    read = accepted(raw(event("cost.reported", cost=spelled, kind="adjustment")))

    assert read.data["cost"] == Decimal(amount)
    assert read.problems == ()


@pytest.mark.parametrize(
    ("spelled", "amount"),
    [
        (29.893555879592896, "29.893555879593"),
        (0.0026999999999999997, "0.0027"),
        (0.1 + 0.2, "0.3"),
        ("1.0000000000000", "1"),
        ("0.0000000000005", "0"),
        ("0.0000000000015", "0.000000000002"),
        (1e-13, "0"),
        ("1e-400000", "0"),
        ("0." + "1" * 1_040_000, "0.111111111111"),
    ],
)
def test_an_amount_of_more_than_12_places_is_rounded_half_even(spelled: Any, amount: str) -> None:
    read = accepted(raw(event("usage.reported", quantity=spelled)))

    assert read.data["quantity"] == Decimal(amount)
    assert read.problems == ()


INVALID = ["²", "1_000", "٣", "+1", ".5", "1.", "", " 1", "1\n", "0x1", "NaN", "Infinity", "1,5", "--1", "1e", "1e1.5"]


@pytest.mark.parametrize("spelled", [*INVALID, True, [], {}])
def test_an_invalid_amount_is_of_a_wrong_type(spelled: Any) -> None:
    reason, sentence = rejected(raw(event("cost.reported", cost=spelled)))

    assert reason is Reason.WRONG_TYPE
    assert sentence.startswith(f"`data.cost` {AMOUNT}, got ")


@pytest.mark.parametrize(
    "spelled",
    ["1000000000", 10**9, -(10**9), 1e300, "1" * 1_040_000, 10**30, "1e999999999", "999999999.9999999999999"],
)
def test_an_amount_out_of_bounds_is_rejected(spelled: Any) -> None:
    reason, sentence = rejected(raw(event("cost.reported", cost=spelled, kind="adjustment")))

    assert reason is Reason.OUT_OF_BOUNDS
    assert sentence.startswith(f"`data.cost` {AMOUNT}, got ")


@pytest.mark.parametrize("more", [{}, {"kind": "charge"}, {"kind": None}, {"kind": ""}, {"kind": "Charge"}])
def test_a_negative_charge_is_rejected_with_a_word_about_adjustments(more: dict[str, Any]) -> None:
    reason, sentence = rejected(raw(event("cost.reported", cost=-0.05, **more)))

    assert reason is Reason.OUT_OF_BOUNDS
    assert sentence.endswith("must not be negative (a credit has the `kind` `adjustment`), got -0.05")


def test_an_adjustment_may_be_negative() -> None:
    assert accepted(raw(event("cost.reported", cost="-5", kind="Adjustment"))).data == {
        "product": "carrier",
        "cost": Decimal(-5),
        "kind": "adjustment",
    }


@pytest.mark.parametrize("kind", ["refund", 7, True, []])
def test_another_kind_of_cost_is_rejected(kind: Any) -> None:
    assert rejected(raw(event("cost.reported", kind=kind)))[1].startswith(
        "`data.kind` must be `charge` or `adjustment`"
    )


@pytest.mark.parametrize(("sent", "read"), [("EUR", "EUR"), ("inr", "INR")])
def test_a_currency_is_read_in_any_case(sent: str, read: str) -> None:
    assert accepted(raw(event("cost.reported", currency=sent))).data["currency"] == read


@pytest.mark.parametrize("currency", ["euro", "US", "€", "E1R", 978, ["EUR"]])
def test_a_currency_that_cannot_be_read_leaves_the_amount_out(currency: Any) -> None:
    read = accepted(raw(event("cost.reported", cost="2", line_id="1", currency=currency)))

    assert read.data == {"product": "carrier", "cost": Decimal(2), "line_id": "1", "currency": "XXX"}
    assert [(problem.kind, problem.field) for problem in read.problems] == [("field_unreadable", "currency")]


@pytest.mark.parametrize("currency", ["", None])
def test_no_currency_is_that_of_the_price_book(currency: Any) -> None:
    read = accepted(raw(event("cost.reported", cost="2", currency=currency)))

    assert read.data == {"product": "carrier", "cost": Decimal(2)}
