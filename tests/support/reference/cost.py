"""The cost of a call, implemented a second time: in fractions, rounded half-even only where the rules say so."""

import math
from collections.abc import Iterable
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

Json = dict[str, Any]


@dataclass(frozen=True)
class PriceList:
    """The prices in force from a moment on: of each product its price as a string, and `duration` or `unit`.

    `rates` has the worth of one unit of other currencies.
    """

    effective: int
    products: dict[str, tuple[str, str]]
    increment: str = "1"
    minimum: str = "0"
    rates: dict[str, str] = field(default_factory=dict)


SHIPPED = PriceList(
    effective=946_684_800_000,
    products={
        "inbound_call": ("0.02", "duration"),
        "outbound_call": ("0.02", "duration"),
        "phone_call": ("0.02", "duration"),
        "web_call": ("0.01", "duration"),
        "llm_usage": ("0.001", "unit"),
        "tts_usage": ("0.00015", "unit"),
        "stt_usage": ("0.0001", "unit"),
    },
)


@dataclass(frozen=True)
class Book:
    """Price lists, the earliest first; before the first one, the first is in force."""

    prices: tuple[PriceList, ...] = (SHIPPED,)

    def price_list_at(self, moment: int) -> PriceList:
        return [self.prices[0], *(prices for prices in self.prices if prices.effective <= moment)][-1]


def reference_cost(
    book: Book,
    *,
    moment: int,
    seconds: Fraction | None,
    call_type: str | None,
    direction: str | None,
    usage: list[Json],
    reported: list[Json],
) -> Json | None:
    """Return `call_cost`; `seconds` is the duration of the call, None if it is not timed."""
    if seconds is None and not usage and not reported:
        return None
    prices = book.price_list_at(moment)
    billable = Fraction(0)
    lines: dict[str, tuple[Fraction, Fraction | None]] = {}
    duration_product = None
    if seconds is not None:
        increment = Fraction(prices.increment)
        billable = max(Fraction(prices.minimum), math.ceil(seconds / increment) * increment)
        by_direction = {"INBOUND": "inbound_call", "OUTBOUND": "outbound_call"}
        duration_product = "web_call" if call_type == "WEB_CALL" else by_direction.get(direction or "")
    if duration_product not in prices.products or prices.products[duration_product][1] != "duration":
        duration_product = None
    if duration_product is not None:
        price = Fraction(prices.products[duration_product][0])
        lines[duration_product] = (_rounded(billable * price / 60), price)
    for product in {use["product"] for use in usage}:
        quantity = _sum(use["quantity"] for use in usage if use["product"] == product)
        text, billed = prices.products.get(product, (None, "unit"))
        if billed == "unit":
            price_or_none = None if text is None else Fraction(text)
            lines[product] = (_rounded(quantity * (price_or_none or 0)), price_or_none)
    for product in {line["product"] for line in reported}:
        of_product = [line for line in reported if line["product"] == product]
        stated = of_product[0].get("unit_price") if len(of_product) == 1 else None
        total = _sum(line["cost"] for line in of_product)
        lines[product] = (_rounded(total), None if stated is None else Fraction(str(stated)))
        duration_product = None if product == duration_product else duration_product
    one_time = sum((cost for product, (cost, _) in lines.items() if product != duration_product), Fraction(0))
    return {
        "combined_cost": float(sum((cost for cost, _ in lines.values()), Fraction(0))),
        "product_costs": [
            {"product": product, "cost": float(cost), "unit_price": None if price is None else float(price)}
            for product, (cost, price) in sorted(lines.items(), key=lambda line: (line[0] != duration_product, line[0]))
        ],
        "total_duration_seconds": float(billable),
        "total_duration_unit_price": 0.0 if duration_product is None else float(lines[duration_product][1] or 0),
        "total_one_time_price": float(one_time),
    }


def _rounded(cost: Fraction) -> Fraction:
    return Fraction(round(cost * 10**6), 10**6)


def _sum(amounts: Iterable[str | float]) -> Fraction:
    # The value of a JSON number is its shortest spelling.
    return sum((Fraction(str(amount)) for amount in amounts), Fraction(0))
