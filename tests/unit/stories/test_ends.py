"""Calls of several phones and sources, drops, late records and idle calls: their ends, times and costs."""

from collections import Counter

import pytest

from tests.support.events.reported_calls import STORIES, call_id
from tests.support.events.stories import Story, outcome_in_every_order, wanted
from tests.support.stories import legs, platforms, rejoining


@pytest.mark.parametrize("story", legs.STORIES, ids=str)
def test_a_call_of_several_phones_ends_with_the_one_that_was_answered(story: Story) -> None:
    assert outcome_in_every_order(story) == wanted(story)


@pytest.mark.parametrize("story", platforms.STORIES, ids=str)
def test_an_agent_platform_ends_only_its_own_share_of_the_call(story: Story) -> None:
    assert outcome_in_every_order(story) == wanted(story)


@pytest.mark.parametrize("story", rejoining.STORIES, ids=str)
def test_a_call_ends_once_however_many_ends_are_sent(story: Story) -> None:
    assert outcome_in_every_order(story) == wanted(story)


def test_every_story_is_a_call_of_its_own() -> None:
    ids = Counter(map(call_id, STORIES))

    assert {name: times for name, times in ids.items() if times > 1} == {}
    assert max(map(len, ids)) <= 256
