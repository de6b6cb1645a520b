"""The file of the price book."""

from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Literal, Self, TypeVar

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, StringConstraints, model_validator

from shared.config.toml_file import load_toml
from shared.contract.fields import NO_CURRENCY
from shared.contract.timestamps import to_unix_ms
from shared.fold.prices import Price, PriceBook, PriceList

SHIPPED = Path(__file__).with_name("price_book.toml")

Currency = Annotated[str, StringConstraints(pattern="^[A-Z]{3}$")]
_Seconds = Annotated[Decimal, Field(le=86_400, decimal_places=3)]


class _Dated(BaseModel):
    model_config = ConfigDict(extra="forbid")
    effective: AwareDatetime


class _Price(BaseModel):
    model_config = ConfigDict(extra="forbid")
    unit_price: Annotated[Decimal, Field(ge=0, lt=10**9, decimal_places=12)]
    billed: Literal["duration", "unit"]


class _PriceList(_Dated):
    increment_seconds: Annotated[_Seconds, Field(gt=0)] = Decimal(1)
    minimum_seconds: Annotated[_Seconds, Field(ge=0)] = Decimal(0)
    products: dict[str, _Price]


class _Override(_Dated):
    """What an organization has other than the book; the rest is the book's."""

    increment_seconds: Annotated[_Seconds, Field(gt=0)] | None = None
    minimum_seconds: Annotated[_Seconds, Field(ge=0)] | None = None
    products: dict[str, _Price] = Field(default_factory=dict)


class _Organization(BaseModel):
    model_config = ConfigDict(extra="forbid")
    prices: Annotated[list[_Override], Field(min_length=1)]


class _ExchangeRates(_Dated):
    rates: dict[Currency, Annotated[Decimal, Field(gt=0, lt=10**9, decimal_places=12)]]


class _PriceBook(BaseModel):
    model_config = ConfigDict(extra="forbid")
    version: Annotated[str, Field(min_length=1)]
    currency: Currency = "USD"
    prices: Annotated[list[_PriceList], Field(min_length=1)]
    exchange_rates: list[_ExchangeRates] = Field(default_factory=list)
    organizations: dict[str, _Organization] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _no_rate_for_itself_or_none(self) -> Self:
        for currency in (self.currency, NO_CURRENCY):
            if any(currency in each.rates for each in self.exchange_rates):
                raise ValueError(f"exchange_rates: {currency} is the book's own currency, or the code for none")
        return self


Dated = TypeVar("Dated", bound=_Dated)


def load(path: Path | None = None) -> PriceBook:
    """Return the price book in `path`, or the one that ships.

    Raises:
        InvalidConfigFile: the file cannot be read, or is not a price book.
    """
    book = load_toml(path or SHIPPED, "CALLFOLD_PRICE_BOOK", _PriceBook.model_validate)
    organizations = {name: _price_lists(book, organization.prices) for name, organization in book.organizations.items()}
    return PriceBook(book.version, _price_lists(book, ()), book.currency, organizations)


def _price_lists(book: _PriceBook, overrides: Sequence[_Override]) -> list[PriceList]:
    """Return a price list for each date at which a price or an exchange rate changes, the earliest first."""
    dates = {each.effective for each in (*book.prices, *book.exchange_rates, *overrides)}
    return [_price_list(book, overrides, date) for date in sorted(dates)]


def _price_list(book: _PriceBook, overrides: Sequence[_Override], date: AwareDatetime) -> PriceList:
    prices = _in_force(book.prices, date) or min(book.prices, key=lambda each: each.effective)
    own, exchange = _in_force(overrides, date), _in_force(book.exchange_rates, date)
    products = prices.products | (own.products if own else {})
    increment, minimum = prices.increment_seconds, prices.minimum_seconds
    if own and own.increment_seconds is not None:
        increment = own.increment_seconds
    if own and own.minimum_seconds is not None:
        minimum = own.minimum_seconds
    return PriceList(
        effective=to_unix_ms(date),
        products={name: Price(product.unit_price, product.billed) for name, product in products.items()},
        increment=increment,
        minimum=minimum,
        exchange_rates=exchange.rates if exchange else {},
    )


def _in_force(dated: Sequence[Dated], date: AwareDatetime) -> Dated | None:
    """Return the one with the latest date that is not after `date`, None before the first."""
    begun = [each for each in dated if each.effective <= date]
    return max(begun, key=lambda each: each.effective, default=None)
