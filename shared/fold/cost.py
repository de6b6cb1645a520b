"""The cost of a call (docs/record.md, Cost).

Decimal throughout; the cost of each product is rounded once, half-even, to 6 places.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from decimal import ROUND_CEILING, ROUND_HALF_EVEN, Context, Decimal, localcontext
from operator import itemgetter
from typing import Any, NamedTuple

from shared.contract.decode_event import Event
from shared.contract.problems import ProblemKind
from shared.fold.events import CallEvents, latest_of_each
from shared.fold.prices import Price, PriceList
from shared.fold.problems import CallProblem
from shared.fold.record import CallCost, ProductCost

# Fifty digits hold any sum and product of valid amounts exactly, so that the order of adding cannot matter.
_EXACT = Context(prec=50, rounding=ROUND_HALF_EVEN)
_PLACES = Decimal("0.000001")
_CONVERTED_PLACES = Decimal("0.000000000001")
_ZERO = Decimal(0)
_THOUSAND = Decimal(1000)


class TimedUsage(NamedTuple):
    """What a timed call is billed by; `milliseconds` is the duration, so far if the call has not ended.

    `minimum` is false for a call without a session: nobody answered, so that no minimum is due.
    """

    milliseconds: int
    minimum: bool
    call_type: str | None
    direction: str | None


class ReportedCost(NamedTuple):
    """A standing cost that a provider states.

    `amount` is in the book's currency, None where it is left out. `currency` is the stated one, else the book's.
    """

    event: Event
    amount: Decimal | None
    currency: str
    converted: bool

    @property
    def is_charge(self) -> bool:
        return _kind(self.event.data) == "charge"


@dataclass(slots=True)
class _Line:
    """The cost of one product: `amount` not rounded, `adjusted` what credits and surcharges add to it."""

    amount: Decimal = _ZERO
    unit_price: Decimal | None = None
    adjusted: Decimal = _ZERO

    def cost(self) -> Decimal:
        return (self.amount + self.adjusted).quantize(_PLACES)


def standing_usage(call: CallEvents) -> list[Event]:
    """Return the usage that stands, in order: of one source, product and `usage_id` the latest."""
    return latest_of_each(call.carrying("usage.reported"), "usage_id", itemgetter("product"))


def latest_costs(call: CallEvents) -> list[Event]:
    return latest_of_each(call.carrying("cost.reported"), "line_id", _product_and_kind)


def standing_costs(call: CallEvents, currency: str, price_list: PriceList) -> list[ReportedCost]:
    """Return the reported costs that stand, in order: of one source, product, `kind` and `line_id` the latest."""
    standing = latest_costs(call)
    if not standing:
        return []
    with localcontext(_EXACT):
        return [_in_currency(event, currency, price_list) for event in standing]


def call_cost(
    price_list: PriceList, timed: TimedUsage | None, usage: Sequence[Event], reported: Sequence[ReportedCost]
) -> tuple[CallCost | None, list[CallProblem]]:
    """Return the cost, None while there is nothing to rate, and what could not be rated.

    `timed` is None for a call that is not timed.

        combined_cost = sum(cost) = total_duration_seconds / 60 * total_duration_unit_price + total_one_time_price
    """
    problems: list[CallProblem] = []
    if timed is None and not usage and not reported:
        return None, problems
    with localcontext(_EXACT):
        billable = _ZERO if timed is None else billable_seconds(price_list, timed)
        charges = _charges(reported, problems)
        lines = _usage_lines(price_list, usage, charges, problems)
        product = None if timed is None else _duration_product(price_list, timed, charges, problems)
        if product is not None:
            price = price_list.products[product].unit_price
            lines[product] = _Line(billable * price / 60, price)
        lines |= {name: _charged_line(stated) for name, stated in charges.items()}
        for cost in reported:
            if cost.amount is not None and not cost.is_charge:
                lines.setdefault(cost.event.data["product"], _Line()).adjusted += cost.amount
        return _total(billable, product, lines), problems


def billable_seconds(price_list: PriceList, timed: TimedUsage) -> Decimal:
    """Return the seconds rounded up to the increment, of a call with a session at least the minimum."""
    increments = (timed.milliseconds / _THOUSAND / price_list.increment).to_integral_value(ROUND_CEILING)
    seconds = increments * price_list.increment
    return max(seconds, price_list.minimum) if timed.minimum else seconds


def number(amount: Decimal) -> float:
    """Return a JSON number, whole ones as integers: JSON shows 2 and not 2.0."""
    return int(amount) if amount == amount.to_integral_value() else float(amount)


def _kind(data: dict[str, Any]) -> str:
    kind: str = data.get("kind", "charge")
    return kind


def _product_and_kind(data: dict[str, Any]) -> tuple[str, str]:
    return data["product"], _kind(data)


def _in_currency(event: Event, currency: str, price_list: PriceList) -> ReportedCost:
    amount: Decimal = event.data["cost"]
    stated = event.data.get("currency", currency)
    if stated == currency:
        return ReportedCost(event, amount, stated, converted=False)
    rate = price_list.exchange_rates.get(stated)
    converted = None if rate is None else (amount * rate).quantize(_CONVERTED_PLACES)
    return ReportedCost(event, converted, stated, converted=True)


def _duration_product(
    price_list: PriceList, timed: TimedUsage, charged: Collection[str], problems: list[CallProblem]
) -> str | None:
    """Return the product by which we bill the talk, None if we do not: without a price, or where it is `charged`."""
    if timed.call_type == "WEB_CALL":
        product = "web_call"
    elif timed.direction in {"INBOUND", "OUTBOUND"}:
        product = f"{timed.direction.lower()}_call"
    else:
        detail = "no event states a direction of a phone call: its talk is billed as `phone_call`, or not at all"
        problems.append(CallProblem(ProblemKind.UNKNOWN_DIRECTION, None, None, detail))
        product = "phone_call"
        if product not in price_list.products:
            return None
    price = price_list.products.get(product)
    if product in charged:
        return None
    if price is not None and price.billed == "duration":
        return product
    detail = f"the price book has no price per minute for `{product}`: the talk is not billed"
    problems.append(CallProblem(ProblemKind.UNRATED_PRODUCT, None, None, detail))
    return None


def _usage_lines(
    price_list: PriceList, usage: Sequence[Event], charged: Collection[str], problems: list[CallProblem]
) -> dict[str, _Line]:
    lines: dict[str, _Line] = {}
    for event in usage:
        product = event.data["product"]
        match price_list.products.get(product):
            case None:
                if product not in charged:
                    detail = "the price book does not have this product: its usage costs 0"
                    problems.append(CallProblem(ProblemKind.UNRATED_PRODUCT, event, "product", detail))
                lines.setdefault(product, _Line())
            case Price(unit_price, "unit"):
                line = lines.setdefault(product, _Line(unit_price=unit_price))
                line.amount += event.data["quantity"] * unit_price
            case _:
                detail = "the price book prices this product by the minute: its usage is ignored"
                problems.append(CallProblem(ProblemKind.USAGE_IGNORED, event, "product", detail))
    return lines


def _charges(reported: Sequence[ReportedCost], problems: list[CallProblem]) -> dict[str, list[ReportedCost]]:
    """Return the charges that count by product; they replace our own line for it."""
    charges: dict[str, list[ReportedCost]] = {}
    for cost in reported:
        if cost.amount is None:
            detail = "the price book has no exchange rate for this currency: the amount is left out"
            problems.append(CallProblem(ProblemKind.CURRENCY_WITHOUT_RATE, cost.event, "currency", detail))
        elif cost.is_charge:
            charges.setdefault(cost.event.data["product"], []).append(cost)
    return charges


def _charged_line(charges: Sequence[ReportedCost]) -> _Line:
    only = charges[0] if len(charges) == 1 and not charges[0].converted else None
    amount = sum((charge.amount or _ZERO for charge in charges), _ZERO)
    return _Line(amount, only.event.data.get("unit_price") if only else None)


def _total(billable: Decimal, product: str | None, lines: dict[str, _Line]) -> CallCost:
    """Return the cost; `product` is that of our own line for the talk, which comes first, None if there is none."""
    ordered = sorted(lines.items(), key=lambda line: (line[0] != product, line[0]))
    costs = [line.cost() for _, line in ordered]
    combined = sum(costs, _ZERO)
    duration = None if product is None else lines[product]
    one_time = combined - (_ZERO if duration is None else duration.amount.quantize(_PLACES))
    return {
        "combined_cost": number(combined),
        "product_costs": [
            _product_cost(name, cost, line.unit_price) for (name, line), cost in zip(ordered, costs, strict=True)
        ],
        "total_duration_seconds": number(billable),
        "total_duration_unit_price": number((duration.unit_price if duration else None) or _ZERO),
        "total_one_time_price": number(one_time),
    }


def _product_cost(product: str, cost: Decimal, unit_price: Decimal | None) -> ProductCost:
    return {
        "product": product,
        "cost": number(cost),
        "unit_price": None if unit_price is None else number(unit_price),
    }
