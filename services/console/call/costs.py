"""Cost: what each line is made of, so that the lines can be added up by hand."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_EVEN, Decimal, localcontext
from itertools import islice
from typing import TypeVar

from shared.contract.decode_event import Event
from shared.fold.cost import ReportedCost
from shared.fold.record import CallCost, ProductCost

MOST_LINES, MOST_PARTS = 100, 50
"""Lines of the cost, and parts of a line, that the page shows; the others are added up."""

T = TypeVar("T")

_PLACES = Decimal("0.000001")
_DIGITS = 50
_TALK = {"web_call", "inbound_call", "outbound_call", "phone_call"}


@dataclass(frozen=True, slots=True)
class Part:
    """A part of a line: `how` it comes about in words, and its `amount`."""

    how: str
    amount: Decimal


@dataclass(frozen=True, slots=True)
class CostLine:
    """The cost of a product and what it is made of; `share` is its part of the total, from 0 to 1.

    `adds_up`: the parts make the cost.
    """

    product: str
    parts: Sequence[Part]
    cost: Decimal
    share: float
    adds_up: bool


@dataclass(frozen=True, slots=True)
class Cost:
    """The cost of the call; `adds_up`: the lines make the total. `left_out` are stated amounts that count nowhere.

    `further` is how many lines are not among `lines`, and their sum.
    """

    lines: Sequence[CostLine]
    further: tuple[int, Decimal]
    total: Decimal
    currency: str
    billed_seconds: float
    adds_up: bool
    left_out: Sequence[str]


def cost_of(
    cost: CallCost | None, usage: Sequence[Event], reported: Sequence[ReportedCost], currency: str
) -> Cost | None:
    """Return what the cost is made of, None while there is none; `usage` and `reported` are those that stand."""
    if cost is None:
        return None
    with localcontext(prec=_DIGITS, rounding=ROUND_HALF_EVEN):
        total = _decimal(cost["combined_cost"])
        used = _by(lambda event: event.data["product"], usage)
        stated = _by(lambda cost: cost.event.data["product"], reported)
        lines = [
            _line(line, cost, used.get(line["product"], ()), stated.get(line["product"], ()), total)
            for line in cost["product_costs"]
        ]
        adds_up = sum((line.cost for line in lines), Decimal()) == total and all(line.adds_up for line in lines)
        rest = lines[MOST_LINES:]
        further = (len(rest), sum((line.cost for line in rest), Decimal()))
        left_out = list(islice(_left_out(reported), MOST_LINES))
        return Cost(lines[:MOST_LINES], further, total, currency, cost["total_duration_seconds"], adds_up, left_out)


def money(amount: Decimal) -> str:
    """Return an amount with at least two and at most six places."""
    text = f"{amount.quantize(_PLACES):,f}".rstrip("0")
    whole, _, fraction = text.partition(".")
    return f"{whole}.{fraction:0<2}".replace("-", "\u2212")


def _line(
    line: ProductCost, cost: CallCost, usage: Sequence[Event], reported: Sequence[ReportedCost], total: Decimal
) -> CostLine:
    product, amount = line["product"], _decimal(line["cost"])
    counted = [each for each in reported if each.amount is not None]
    parts = [_stated(each) for each in counted if each.is_charge]
    parts = parts or list(_own(line, cost, usage))
    parts += [_stated(each) for each in counted if not each.is_charge]
    made = sum((part.amount for part in parts), Decimal()).quantize(_PLACES)
    share = float(max(Decimal(), min(Decimal(1), amount / total))) if total > 0 else 0.0
    return CostLine(product, _first(parts), amount, share, made == amount)


def _first(parts: Sequence[Part]) -> Sequence[Part]:
    """Return as many parts as a line shows, and the sum of the others as one."""
    rest = parts[MOST_PARTS:]
    if not rest:
        return parts
    return [*parts[:MOST_PARTS], Part(f"{len(rest):,} further amounts", sum((part.amount for part in rest), Decimal()))]


def _own(line: ProductCost, cost: CallCost, usage: Sequence[Event]) -> Iterator[Part]:
    """Yield what we bill ourselves: the talk, or the reported usage."""
    if line["unit_price"] is None:
        if used := _used(usage):
            yield Part(f"{_plain(used[0])} {used[1]}, a product without a price", Decimal())
        return
    price = _decimal(line["unit_price"])
    if line["product"] in _TALK and price == _decimal(cost["total_duration_unit_price"]):
        seconds = _decimal(cost["total_duration_seconds"])
        yield Part(f"{_plain(seconds)} s ÷ 60 \u00d7 {_plain(price)} per minute", seconds * price / 60)
        return
    quantity, unit = _used(usage) or (Decimal(), "units")
    yield Part(f"{_plain(quantity)} {unit} \u00d7 {_plain(price)}", quantity * price)


def _used(usage: Sequence[Event]) -> tuple[Decimal, str] | None:
    of_product = [event.data for event in usage]
    if not of_product:
        return None
    units = {data.get("unit") for data in of_product}
    unit = next(iter(units)) if len(units) == 1 else None
    return sum((data["quantity"] for data in of_product), Decimal()), unit or "units"


def _stated(cost: ReportedCost) -> Part:
    data = cost.event.data
    kind = "stated" if cost.is_charge else "adjustment"
    how = f"{kind} by {cost.event.ordering_key.source}"
    if "quantity" in data and "unit_price" in data:
        how += f": {_plain(data['quantity'])} {data.get('unit') or 'units'} \u00d7 {_plain(data['unit_price'])}"
    if cost.converted:
        how += f": {_plain(data['cost'])} {cost.currency}, converted"
    return Part(how, cost.amount or Decimal())


def _by(product: Callable[[T], str], values: Sequence[T]) -> Mapping[str, Sequence[T]]:
    found: dict[str, list[T]] = {}
    for value in values:
        found.setdefault(product(value), []).append(value)
    return found


def _left_out(reported: Sequence[ReportedCost]) -> Iterator[str]:
    for cost in reported:
        if cost.amount is None:
            data = cost.event.data
            stated = f"{_plain(data['cost'])} {cost.currency}" if "cost" in data else "an amount"
            yield f"{data['product']}: {stated}, stated by {cost.event.ordering_key.source}"


def _decimal(value: float) -> Decimal:
    return Decimal(str(value))


def _plain(value: Decimal) -> str:
    return f"{value.normalize():,f}"
