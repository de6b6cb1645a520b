"""Money and quantities."""

from decimal import Decimal
from typing import Any

import pytest

from shared.contract.envelope import Event, InvalidEvent, decode
from shared.contract.rejection import Reason
from tests.support.events.makers import event, raw

AMOUNT = "must be a number or a string like `-12.50`, below 10^9, with at most 12 digits after the point"


def read(kind: str, **data: Any) -> Event | InvalidEvent:
    return decode(raw(event(kind, **data)))


@pytest.mark.parametrize(
    ("spelled", "amount"),
    [
        (0, "0"),
        (12.5, "12.5"),
        (-12, "-12"),
        (1e-7, "0.0000001"),
        (0.1, "0.1"),
        ("-12.50", "-12.50"),
        ("999999999.999999999999", "999999999.999999999999"),
        ("0.000000000001", "0.000000000001"),
        (1e-12, "0.000000000001"),
    ],
)
def test_an_amount_is_a_decimal(spelled: Any, amount: str) -> None:
    event_read = read("cost.reported", cost=spelled)

    assert isinstance(event_read, Event)
    assert event_read.data["cost"] == Decimal(amount)


INVALID = ["²", "1_000", "٣", "1e3", "+1", ".5", "1.", "", " 1", "1\n", "0x1", "NaN", "Infinity", "1,5", "--1"]


@pytest.mark.parametrize("spelled", [*INVALID, "0.0000000000001", "1.0000000000000", True, [], {}])
def test_an_invalid_amount_is_of_a_wrong_type(spelled: Any) -> None:
    rejected = read("cost.reported", cost=spelled)

    assert isinstance(rejected, InvalidEvent)
    assert (rejected.reason, rejected.detail[: 12 + len(AMOUNT)]) == (Reason.WRONG_TYPE, f"`data.cost` {AMOUNT}")


@pytest.mark.parametrize("spelled", ["1000000000", 10**9, -(10**9), 1e-13, 0.1 + 0.2, 1e300, "1" * 1_040_000])
def test_an_amount_out_of_bounds_is_rejected(spelled: Any) -> None:
    rejected = read("cost.reported", cost=spelled)

    assert isinstance(rejected, InvalidEvent)
    assert (rejected.reason, rejected.detail[: 12 + len(AMOUNT)]) == (Reason.OUT_OF_BOUNDS, f"`data.cost` {AMOUNT}")
