"""Calls of several phones and sources, from rings to records that come afterwards: their ends, times and costs."""

import pytest

from tests.support.events.stories import Story, outcome_in_every_order, wanted
from tests.support.stories import legs


@pytest.mark.parametrize("story", legs.STORIES, ids=str)
def test_the_end_of_a_call_of_several_phones(story: Story) -> None:
    assert outcome_in_every_order(story) == wanted(story)
