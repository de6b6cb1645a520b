"""The price book: price lists by date, and the worth of other currencies."""

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Literal


@dataclass(frozen=True, slots=True)
class Price:
    """The book's currency per minute (`duration`) or per unit of reported usage (`unit`)."""

    unit_price: Decimal
    billed: Literal["duration", "unit"]


@dataclass(frozen=True, slots=True)
class PriceList:
    """The prices in force from `effective` (Unix milliseconds) on; `increment` and `minimum` are seconds.

    `exchange_rates` has what one unit of another currency is worth in the book's.
    """

    effective: int
    products: Mapping[str, Price]
    increment: Decimal
    minimum: Decimal
    exchange_rates: Mapping[str, Decimal] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class PriceBook:
    """Price lists, the earliest first, in one currency (ISO 4217).

    `organizations` has the lists of organizations with prices of their own.
    """

    version: str
    price_lists: Sequence[PriceList]
    currency: str = "USD"
    organizations: Mapping[str, Sequence[PriceList]] = field(default_factory=dict)

    def price_list_at(self, moment: int, organization_id: str) -> PriceList:
        """Return the price list in force at `moment` (Unix milliseconds); before the first one, the first."""
        price_lists = self.organizations.get(organization_id, self.price_lists)
        position = bisect_right(price_lists, moment, key=lambda price_list: price_list.effective)
        return price_lists[max(0, position - 1)]
