"""The cost of a call, implemented a second time: in fractions, rounded half-even only where the rules say so."""

import math
from collections.abc import Iterable
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

from tests.support.reference.events import Json, latest_of_each, of_type, own_key


@dataclass(frozen=True)
class PriceList:
    """The prices in force from a moment on: of each product its price as a string, and `duration` or `unit`.

    `rates` are exchange rates: what 1 unit of a foreign currency is worth in the book's currency, as a string.
    """

    effective: int
    products: dict[str, tuple[str, str]]
    increment: str = "1"
    minimum: str = "0"
    rates: dict[str, str] = field(default_factory=dict)

    def price_of(self, product: str | None, billed: str) -> Fraction | None:
        """Return the unit price of a product that is billed so, else None."""
        text, how = self.products.get(product or "", ("0", None))
        return Fraction(text) if how == billed else None


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
    currency: str = "USD"

    def price_list_at(self, moment: int) -> PriceList:
        return [self.prices[0], *(prices for prices in self.prices if prices.effective <= moment)][-1]


@dataclass(frozen=True)
class Charge:
    """A standing `cost.reported`, a charge or an adjustment.

    `amount` is in the book's currency, None if it is left out.
    """

    event: Json
    currency: str
    amount: Fraction | None
    converted: bool

    @property
    def product(self) -> str:
        return str(self.event["data"]["product"])

    @property
    def kind(self) -> str:
        return str(self.event["data"].get("kind", "charge"))


@dataclass(frozen=True)
class Line:
    """What a product costs before it is rounded, and its unit price."""

    cost: Fraction
    unit_price: Fraction | None


@dataclass(frozen=True)
class TimedCall:
    """What the cost of a call needs of its time: None of `seconds` if it is not timed."""

    seconds: Fraction | None
    has_session: bool
    call_type: str | None
    direction: str | None


class Cost:
    """The cost of a call by a price list; `problems` are `(kind, event or None, field)`."""

    def __init__(self, events: list[Json], book: Book, prices: PriceList, timed: TimedCall) -> None:
        self.prices = prices
        self.timed = timed
        self.usage = standing_usage(events)
        self.charges = [_charge(event, book, prices) for event in standing_costs(events)]
        self.billable = self._billable()
        self.duration_product = self._duration_product()

    def _billable(self) -> Fraction:
        """Rounded up to the increment; with a session at least the minimum. A call that is not timed has 0."""
        if self.timed.seconds is None:
            return Fraction(0)
        increment = Fraction(self.prices.increment)
        rounded = math.ceil(self.timed.seconds / increment) * increment
        return max(Fraction(self.prices.minimum), rounded) if self.timed.has_session else rounded

    @property
    def _has_unknown_direction(self) -> bool:
        is_phone = self.timed.call_type != "WEB_CALL"
        return self.timed.seconds is not None and is_phone and self.timed.direction not in ("INBOUND", "OUTBOUND")

    def _duration_product(self) -> str | None:
        """`web_call` for WEB_CALL; else by direction; else `phone_call`, if the book has it. None if not timed."""
        if self.timed.seconds is None:
            return None
        if self.timed.call_type == "WEB_CALL":
            return "web_call"
        if self._has_unknown_direction:
            return "phone_call" if "phone_call" in self.prices.products else None
        return "inbound_call" if self.timed.direction == "INBOUND" else "outbound_call"

    def _own_lines(self) -> dict[str, Line]:
        """Our own lines by product: the duration line, if its product has a price, and a line per product of usage."""
        lines: dict[str, Line] = {}
        price = self.prices.price_of(self.duration_product, "duration")
        if self.duration_product is not None and price is not None:
            lines[self.duration_product] = Line(self.billable * price / 60, price)
        for product in {use["data"]["product"] for use in self.usage}:
            quantity = _sum(use["data"]["quantity"] for use in self.usage if use["data"]["product"] == product)
            unit_price = self.prices.price_of(product, "unit")
            if unit_price is not None:
                lines[product] = Line(quantity * unit_price, unit_price)
            elif product not in self.prices.products:
                lines[product] = Line(Fraction(0), None)
        return lines

    def _counted(self, kind: str, product: str) -> list[Charge]:
        of_kind = [charge for charge in self.charges if charge.kind == kind and charge.product == product]
        return [charge for charge in of_kind if charge.amount is not None]

    def _line(self, product: str, own: Line | None) -> Line:
        """Charges add up and replace our own line; adjustments are added to what stands then, or stand alone."""
        charges = self._counted("charge", product)
        line = own or Line(Fraction(0), None)
        if charges:
            stated = charges[0].event["data"].get("unit_price")
            only = len(charges) == 1 and not charges[0].converted
            line = Line(
                _sum(charge.amount for charge in charges), _exact(stated) if only and stated is not None else None
            )
        adjustments = self._counted("adjustment", product)
        return Line(line.cost + _sum(adjustment.amount for adjustment in adjustments), line.unit_price)

    def as_json(self) -> Json | None:
        """`call_cost`; null while the call is not timed and has neither usage nor a reported cost."""
        if self.timed.seconds is None and not self.usage and not self.charges:
            return None
        own = self._own_lines()
        products = own.keys() | {charge.product for charge in self.charges if charge.amount is not None}
        lines = {product: self._line(product, own.get(product)) for product in products}
        duration_line = self._standing_duration_line(own)
        combined = _sum(_rounded(line.cost) for line in lines.values())
        first = None if duration_line is None else self.duration_product
        return {
            "combined_cost": float(combined),
            "product_costs": [
                {"product": product, "cost": float(_rounded(line.cost)), "unit_price": as_number(line.unit_price)}
                for product, line in sorted(lines.items(), key=lambda line: (line[0] != first, line[0]))
            ],
            "total_duration_seconds": float(self.billable),
            "total_duration_unit_price": 0.0 if duration_line is None else as_number(duration_line.unit_price),
            "total_one_time_price": float(combined - (_rounded(duration_line.cost) if duration_line else 0)),
        }

    def _standing_duration_line(self, own: dict[str, Line]) -> Line | None:
        """Return our own duration line without adjustments, None without one and where charges replace it."""
        product = self.duration_product
        if product is None or self._counted("charge", product):
            return None
        return own.get(product) if self.prices.price_of(product, "duration") is not None else None

    def problems(self) -> list[tuple[str, Json | None, str | None]]:
        found: list[tuple[str, Json | None, str | None]] = []
        if self._has_unknown_direction:
            found.append(("unknown_direction", None, None))
        if self.duration_product is not None and self._is_unrated(self.duration_product, "duration"):
            found.append(("unrated_product", None, None))
        for use in self.usage:
            product = use["data"]["product"]
            if self.prices.price_of(product, "duration") is not None:
                found.append(("usage_ignored", use, "product"))
            elif self._is_unrated(product, "unit"):
                found.append(("unrated_product", use, "product"))
        left_out = [charge for charge in self.charges if charge.amount is None]
        return [*found, *(("currency_without_rate", charge.event, "currency") for charge in left_out)]

    def _is_unrated(self, product: str, billed: str) -> bool:
        """Whether our own line of the product stands without a price: no charge that counts replaces it."""
        return self.prices.price_of(product, billed) is None and not self._counted("charge", product)


def standing_usage(events: list[Json]) -> list[Json]:
    """Of the events of one source, product and `usage_id` the latest stands; in order."""
    usage = of_type(events, "usage.reported")
    return latest_of_each(usage, lambda event: (own_key(event, "usage_id"), event["data"]["product"]))


def standing_costs(events: list[Json]) -> list[Json]:
    """Lines of one source, product, `kind` and `line_id` are rivals, the latest stands; in order."""

    def key(event: Json) -> Any:
        return (own_key(event, "line_id"), event["data"]["product"], event["data"].get("kind", "charge"))

    return latest_of_each(of_type(events, "cost.reported"), key)


def _charge(event: Json, book: Book, prices: PriceList) -> Charge:
    """An amount in another currency is converted, to 12 places; without a rate it is left out.

    A currency that could not be read has none.
    """
    cost, currency = _exact(event["data"]["cost"]), event["data"].get("currency", book.currency)
    if currency == book.currency:
        return Charge(event, currency, cost, converted=False)
    if currency not in prices.rates:
        return Charge(event, currency, None, converted=False)
    return Charge(
        event, currency, Fraction(round(cost * Fraction(prices.rates[currency]) * 10**12), 10**12), converted=True
    )


def as_number(amount: Fraction | None) -> float | None:
    return None if amount is None else float(amount)


def _rounded(cost: Fraction) -> Fraction:
    return Fraction(round(cost * 10**6), 10**6)


def _exact(amount: Any) -> Fraction:
    # The value of a JSON number is its shortest spelling.
    return amount if isinstance(amount, Fraction) else Fraction(str(amount))


def _sum(amounts: Iterable[Any]) -> Fraction:
    return sum((_exact(amount) for amount in amounts), Fraction(0))
