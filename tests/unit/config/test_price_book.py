"""The file of the price book."""

from decimal import Decimal
from pathlib import Path

import pytest

from shared.config.price_book import load
from shared.config.toml_file import InvalidConfigFile
from shared.fold.prices import PriceBook
from tests.support.events.makers import STARTED, book

ORGANIZATION = "org-789"
TWO_PRICES = """
version = "7"
[[prices]]
effective = 2023-12-20T18:40:30.113Z
minimum_seconds = 30
products = { llm_usage = { unit_price = "0.002", billed = "unit" } }
[[prices]]
effective = 2000-01-01T01:00:00+01:00
products = { llm_usage = { unit_price = "0.001", billed = "unit" } }
"""


def written(path: Path, text: str) -> PriceBook:
    file = path / "prices.toml"
    file.write_text(text)
    return load(file)


def test_the_price_book_that_ships_has_the_documented_prices() -> None:
    shipped = load().price_list_at(STARTED, ORGANIZATION)

    assert shipped == book().price_list_at(STARTED, ORGANIZATION)


def test_a_price_list_is_in_force_from_its_moment_on_to_the_millisecond(tmp_path: Path) -> None:
    prices = written(tmp_path, TWO_PRICES)

    assert prices.price_list_at(STARTED + 112, ORGANIZATION).products["llm_usage"].unit_price == Decimal("0.001")
    assert prices.price_list_at(STARTED + 113, ORGANIZATION).products["llm_usage"].unit_price == Decimal("0.002")


def test_increment_and_minimum_have_defaults(tmp_path: Path) -> None:
    earlier, later = written(tmp_path, TWO_PRICES).price_lists

    assert (earlier.increment, earlier.minimum, later.minimum) == (Decimal(1), Decimal(0), Decimal(30))


def test_before_the_first_price_list_the_first_is_in_force(tmp_path: Path) -> None:
    prices = written(tmp_path, TWO_PRICES)

    assert prices.price_list_at(0, ORGANIZATION) == prices.price_lists[0]


@pytest.mark.parametrize(
    "text", ["", "no toml", TWO_PRICES.replace('"0.002"', '"-1"'), TWO_PRICES.replace('"unit"', '"gram"')]
)
def test_an_invalid_price_book_is_rejected(tmp_path: Path, text: str) -> None:
    with pytest.raises(InvalidConfigFile, match=r"CALLFOLD_PRICE_BOOK, .*prices\.toml: "):
        written(tmp_path, text)


def test_a_missing_file_is_rejected(tmp_path: Path) -> None:
    with pytest.raises(InvalidConfigFile, match="nowhere"):
        load(tmp_path / "nowhere")


def test_an_organization_has_its_own_prices_and_the_rest_of_the_book(tmp_path: Path) -> None:
    own = """
[[organizations.org-789.prices]]
effective = 2023-12-20T18:40:30.114Z
minimum_seconds = 0
products = { web_call = { unit_price = "0.5", billed = "duration" } }
"""
    prices = written(tmp_path, TWO_PRICES + own)

    before, after = (prices.price_list_at(STARTED + since, ORGANIZATION) for since in (113, 114))
    assert (set(before.products), before.minimum) == ({"llm_usage"}, Decimal(30))
    assert (set(after.products), after.minimum) == ({"llm_usage", "web_call"}, Decimal(0))
    assert set(prices.price_list_at(STARTED + 114, "another").products) == {"llm_usage"}


def test_exchange_rates_have_dates_of_their_own(tmp_path: Path) -> None:
    rates = """
[[exchange_rates]]
effective = 2023-12-20T18:40:30.115Z
rates = { EUR = "1.1" }
"""
    prices = written(tmp_path, TWO_PRICES + rates)

    before, after = (prices.price_list_at(STARTED + since, ORGANIZATION) for since in (114, 115))
    assert (before.exchange_rates, after.exchange_rates) == ({}, {"EUR": Decimal("1.1")})
    assert after.products == before.products


def test_the_currency_of_the_book_has_no_exchange_rate(tmp_path: Path) -> None:
    rates = '[[exchange_rates]]\neffective = 2023-12-20T00:00:00Z\nrates = { USD = "1" }\n'

    with pytest.raises(InvalidConfigFile, match="own currency"):
        written(tmp_path, TWO_PRICES + rates)
