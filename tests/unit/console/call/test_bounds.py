"""What one event holds, or a call of many, makes no page that a browser cannot show."""

import pytest

from services.console.call.bounds import MOST_CHARACTERS, paged, pretty, shortened
from tests.support.console.call_page import page, rendered
from tests.support.events.makers import Json, event

LARGEST_PAGE = 3_000_000
DEEP = "[" * 900 + ",".join(["1"] * 60_000) + "]" * 900
MANY_KEYS: Json = {f"key-{number}": "value" for number in range(40_000)}


def used(product: str) -> Json:
    return event("usage.reported", product=product, quantity=1)


HOSTILE = {
    "a deep result of a tool": [event("tool.called", arguments=DEEP), event("tool.returned", content=DEEP)],
    "metadata of many keys": [event("call.updated", metadata=MANY_KEYS)],
    "long texts": [event("transcript.turn", turn_id=str(number), content="a" * 900_000) for number in range(10)],
    "many ends": [event("call.ended", disconnection_reason="x" * 100) for _ in range(3_000)],
    "many products": [used(f"product-{number}") for number in range(2_000)],
    "an unknown event of many keys": [event("call.oddity", **MANY_KEYS)],
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_page_has_a_size_that_a_browser_can_show(name: str) -> None:
    html = rendered(page(event("call.started"), *HOSTILE[name]))

    assert len(html) < LARGEST_PAGE


def test_lines_of_the_cost_that_are_not_shown_are_added_up() -> None:
    charges = [event("cost.reported", product=f"product-{number}", cost="0.01") for number in range(150)]

    shown = page(event("call.started"), *charges)

    assert shown.cost is not None
    assert (len(shown.cost.lines), shown.cost.further[0]) == (100, 51)  # the talk is a line too
    assert shown.cost.adds_up
    assert sum(line.cost for line in shown.cost.lines) + shown.cost.further[1] == shown.cost.total


def test_half_a_character_in_a_result_is_shown_as_it_was_sent() -> None:
    returned = event("tool.returned", content=r'{"a":"\ud83d"}')

    assert r"\ud83d" in rendered(page(returned))


def test_a_long_text_says_how_long_it_is() -> None:
    assert shortened("a" * 30_000) == f"{'a' * MOST_CHARACTERS}… (30,000 characters: the API has all)"
    assert shortened("a" * MOST_CHARACTERS) == "a" * MOST_CHARACTERS


def test_json_is_shown_in_lines_and_other_text_as_it_is() -> None:
    assert pretty('{"a":[1,2]}') == '{\n  "a": [\n    1,\n    2\n  ]\n}'
    assert pretty("{a}") == "{a}"


def test_a_page_ends_where_it_has_enough_lines_or_characters() -> None:
    pages = [list(each) for each in paged("abcdef", [1, 1, 1, 9, 1, 1], per_page=2, most=5)]

    assert pages == [["a", "b"], ["c"], ["d"], ["e", "f"]]
    assert [list(each) for each in paged("", [], 2, 5)] == [[]]
