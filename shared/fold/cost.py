"""The cost of a call. Decimal throughout; the cost of each product is rounded once, half-even, to 6 places."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import ROUND_CEILING, ROUND_HALF_EVEN, Context, Decimal, localcontext

from shared.contract.decode_event import Event
from shared.fold.prices import Price, PriceList
from shared.fold.record import CallCost, ProductCost

# Fifty digits hold any sum and product of valid amounts exactly, so that the order of adding cannot matter.
_EXACT = Context(prec=50, rounding=ROUND_HALF_EVEN)
_PLACES = Decimal("0.000001")
_ZERO = Decimal(0)


@dataclass(frozen=True, slots=True)
class TimedUsage:
    """What a timed call is billed by; `seconds` is the duration, so far if the call has not ended."""

    seconds: float
    call_type: str | None
    direction: str | None


@dataclass(slots=True)
class RatingWarnings:
    """What the price book does not cover."""

    unknown_direction: bool = False
    unknown_products: list[str] = field(default_factory=list)
    ignored_usage: list[str] = field(default_factory=list)


def rate(
    price_list: PriceList, timed_usage: TimedUsage | None, usage: Sequence[Event], reported: Sequence[Event]
) -> tuple[CallCost | None, RatingWarnings]:
    """Return the cost, None while there is nothing to rate, and what could not be rated.

    `timed_usage` is None for a call that is not timed. `reported` is sorted by ordering key. The cost that a provider
    reports for a product replaces the one by the price list.

        combined_cost = sum(cost) = total_duration_seconds / 60 * total_duration_unit_price + total_one_time_price
    """
    rating_warnings = RatingWarnings()
    if timed_usage is None and not usage and not reported:
        return None, rating_warnings
    with localcontext(_EXACT):
        billable = _ZERO if timed_usage is None else billable_seconds(price_list, Decimal(repr(timed_usage.seconds)))
        reported_lines = _reported_lines(reported)
        duration = None if timed_usage is None else _duration_line(price_list, timed_usage, billable, rating_warnings)
        if duration and duration[0] in reported_lines:
            duration = None
        others = {**_usage_lines(price_list, usage, rating_warnings), **reported_lines}
        return _total(billable, duration, others), rating_warnings


Line = tuple[Decimal, Decimal | None]
"""Cost and unit price."""


def billable_seconds(price_list: PriceList, seconds: Decimal) -> Decimal:
    """Return the seconds rounded up to the increment, at least the minimum."""
    increments = (seconds / price_list.increment).to_integral_value(ROUND_CEILING)
    return max(increments * price_list.increment, price_list.minimum)


def duration_product(call_type: str | None, direction: str | None) -> str | None:
    if call_type == "WEB_CALL":
        return "web_call"
    return {"INBOUND": "inbound_call", "OUTBOUND": "outbound_call"}.get(direction or "")


def _duration_line(
    price_list: PriceList, timed_usage: TimedUsage, billable: Decimal, rating_warnings: RatingWarnings
) -> tuple[str, Line] | None:
    product = duration_product(timed_usage.call_type, timed_usage.direction)
    if product is None:
        rating_warnings.unknown_direction = True
        return None
    price = price_list.products.get(product)
    if price is None or price.billed != "duration":
        rating_warnings.unknown_products.append(product)
        return None
    return product, (_rounded(billable * price.unit_price / 60), price.unit_price)


def _usage_lines(price_list: PriceList, usage: Sequence[Event], rating_warnings: RatingWarnings) -> dict[str, Line]:
    quantities: dict[str, Decimal] = {}
    for event in usage:
        product = event.data["product"]
        quantities[product] = quantities.get(product, _ZERO) + event.data["quantity"]
    lines: dict[str, Line] = {}
    for product, quantity in quantities.items():
        match price_list.products.get(product):
            case None:
                rating_warnings.unknown_products.append(product)
                lines[product] = (_ZERO, None)
            case Price(unit_price, "unit"):
                lines[product] = (_rounded(quantity * unit_price), unit_price)
            case _:
                rating_warnings.ignored_usage.append(product)
    return lines


def _reported_lines(reported: Sequence[Event]) -> dict[str, Line]:
    """Return the lines by product: of one source and `line_id` the latest wins, the lines of a product are added."""
    effective: dict[tuple[str, str, bool], Event] = {}
    for event in reported:
        line_id = event.data.get("line_id")
        key = (event.ordering_key.source, event.ordering_key.id if line_id is None else line_id, line_id is None)
        effective[key] = event
    lines: dict[str, list[Event]] = {}
    for event in effective.values():
        lines.setdefault(event.data["product"], []).append(event)
    return {
        product: (
            _rounded(sum((event.data["cost"] for event in events), _ZERO)),
            events[0].data.get("unit_price") if len(events) == 1 else None,
        )
        for product, events in lines.items()
    }


def _total(billable: Decimal, duration: tuple[str, Line] | None, others: dict[str, Line]) -> CallCost:
    lines = [*([duration] if duration else []), *sorted(others.items())]
    one_time = sum((cost for cost, _ in others.values()), _ZERO)
    return {
        "combined_cost": _number(one_time + (duration[1][0] if duration else _ZERO)),
        "product_costs": [_product_cost(product, *line) for product, line in lines],
        "total_duration_seconds": _number(billable),
        "total_duration_unit_price": _number((duration[1][1] if duration else None) or _ZERO),
        "total_one_time_price": _number(one_time),
    }


def _product_cost(product: str, cost: Decimal, unit_price: Decimal | None) -> ProductCost:
    return {
        "product": product,
        "cost": _number(cost),
        "unit_price": None if unit_price is None else _number(unit_price),
    }


def _rounded(amount: Decimal) -> Decimal:
    return amount.quantize(_PLACES)


def _number(amount: Decimal) -> float:
    """Return a JSON number, whole ones as integers: JSON shows 2 and not 2.0."""
    return int(amount) if amount == amount.to_integral_value() else float(amount)
