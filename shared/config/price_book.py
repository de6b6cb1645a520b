"""The file of the price book."""

from decimal import Decimal
from pathlib import Path
from typing import Annotated, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from shared.config.toml_file import load_toml
from shared.contract.timestamps import to_unix_ms
from shared.fold.prices import Price, PriceBook, PriceList

SHIPPED = Path(__file__).with_name("price_book.toml")


class _Price(BaseModel):
    model_config = ConfigDict(extra="forbid")
    unit_price: Annotated[Decimal, Field(ge=0, lt=10**9, decimal_places=12)]
    billed: Literal["duration", "unit"]


class _PriceList(BaseModel):
    model_config = ConfigDict(extra="forbid")
    effective: AwareDatetime
    increment_seconds: Annotated[Decimal, Field(gt=0, le=86_400, decimal_places=3)] = Decimal(1)
    minimum_seconds: Annotated[Decimal, Field(ge=0, le=86_400, decimal_places=3)] = Decimal(0)
    products: dict[str, _Price]


class _PriceBook(BaseModel):
    model_config = ConfigDict(extra="forbid")
    version: Annotated[str, Field(min_length=1)]
    prices: Annotated[list[_PriceList], Field(min_length=1)]


def load(path: Path | None = None) -> PriceBook:
    """Return the price book in `path`, or the one that ships.

    Raises:
        InvalidConfigFile: the file cannot be read, or is not a price book.
    """
    book = load_toml(path or SHIPPED, "CALLFOLD_PRICE_BOOK", _PriceBook.model_validate)
    return PriceBook(book.version, sorted(map(_price_list, book.prices), key=lambda each: each.effective))


def _price_list(found: _PriceList) -> PriceList:
    return PriceList(
        effective=to_unix_ms(found.effective),
        products={name: Price(product.unit_price, product.billed) for name, product in found.products.items()},
        increment=found.increment_seconds,
        minimum=found.minimum_seconds,
    )
