"""Reading a price book from its file."""

import tomllib
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from shared.contract.timestamps import to_unix_ms
from shared.fold.prices import Price, PriceBook, PriceList

_VARIABLE = "CALLFOLD_PRICE_BOOK"
SHIPPED = Path(__file__).with_name("price_book.toml")


class InvalidPriceBook(ValueError):
    """The file is no price book; the message says why in one line."""


class _Product(BaseModel):
    model_config = ConfigDict(extra="forbid")
    unit_price: Annotated[Decimal, Field(ge=0, lt=10**9, decimal_places=12)]
    billed: Literal["duration", "unit"]


class _Edition(BaseModel):
    model_config = ConfigDict(extra="forbid")
    effective: AwareDatetime
    increment_seconds: Annotated[Decimal, Field(gt=0, le=86_400, decimal_places=3)] = Decimal(1)
    minimum_seconds: Annotated[Decimal, Field(ge=0, le=86_400, decimal_places=3)] = Decimal(0)
    products: dict[str, _Product]


class _Book(BaseModel):
    model_config = ConfigDict(extra="forbid")
    version: Annotated[str, Field(min_length=1)]
    prices: Annotated[list[_Edition], Field(min_length=1)]


_BOOK = TypeAdapter(_Book)


def load(path: Path | None = None) -> PriceBook:
    """Return the price book in `path`, or the one that ships.

    Raises:
        InvalidPriceBook: no such file, no TOML, or not what a price book needs.
    """
    source = path or SHIPPED
    try:
        book = _BOOK.validate_python(tomllib.loads(source.read_text()))
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(map(str, first["loc"]))
        raise InvalidPriceBook(f"{_VARIABLE}, {source}: {place}: {first['msg']}") from error
    except (OSError, ValueError) as error:
        raise InvalidPriceBook(f"{_VARIABLE}, {source}: {error}") from error
    return PriceBook(book.version, sorted(map(_prices, book.prices), key=lambda prices: prices.effective))


def _prices(edition: _Edition) -> PriceList:
    return PriceList(
        effective=to_unix_ms(edition.effective),
        products={name: Price(product.unit_price, product.billed) for name, product in edition.products.items()},
        increment=edition.increment_seconds,
        minimum=edition.minimum_seconds,
    )
