"""Transfers, recordings, and calls that nobody or a machine answered."""

import pytest

from tests.support.events.stories import Story, outcome_in_every_order, wanted
from tests.support.stories import transfers, unanswered


@pytest.mark.parametrize("story", transfers.STORIES, ids=str)
def test_a_transfer_or_an_attempt_is_not_the_call(story: Story) -> None:
    assert outcome_in_every_order(story) == wanted(story)


@pytest.mark.parametrize("story", unanswered.STORIES, ids=str)
def test_a_call_that_nobody_or_a_machine_answered(story: Story) -> None:
    assert outcome_in_every_order(story) == wanted(story)
