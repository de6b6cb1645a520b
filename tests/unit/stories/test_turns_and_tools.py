"""Turns, their words, tool calls and latency samples as providers send them."""

import pytest

from tests.support.events.makers import event, raw, rejected
from tests.support.events.stories import Story, outcome_in_every_order, wanted
from tests.support.stories import conversation


@pytest.mark.parametrize("story", conversation.STORIES, ids=str)
def test_what_was_said_and_done_is_shown_in_its_order(story: Story) -> None:
    assert outcome_in_every_order(story) == wanted(story)


def test_a_sample_without_a_value_is_a_dead_letter() -> None:
    _, detail = rejected(raw(event("latency.sampled", component="llm", value_ms=None)))

    assert "value_ms" in detail
