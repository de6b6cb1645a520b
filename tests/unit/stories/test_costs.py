"""Usage, providers' own lines, credits, and what comes long after the call."""

import pytest

from tests.support.events.makers import event, raw, rejected
from tests.support.events.stories import Story, outcome_in_every_order, wanted
from tests.support.stories import costs


@pytest.mark.parametrize("story", costs.STORIES, ids=str)
def test_what_a_call_costs(story: Story) -> None:
    assert outcome_in_every_order(story) == wanted(story)


def test_a_negative_charge_is_a_dead_letter_that_names_the_adjustment() -> None:
    _, detail = rejected(raw(event("cost.reported", product="inbound_call", cost="-0.05")))

    assert "adjustment" in detail
