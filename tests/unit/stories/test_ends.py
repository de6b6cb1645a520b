"""Calls of several phones and sources, drops, late records and idle calls: their ends, times and costs."""

from collections import Counter

import pytest

from tests.support.events.makers import STARTED, details, event
from tests.support.events.reported_calls import STORIES, call_id
from tests.support.events.stories import Story, outcome_in_every_order, wanted
from tests.support.stories import legs, platforms, rejoining, standing


@pytest.mark.parametrize("story", legs.STORIES, ids=str)
def test_a_call_of_several_phones_ends_with_the_one_that_was_answered(story: Story) -> None:
    assert outcome_in_every_order(story) == wanted(story)


@pytest.mark.parametrize("story", platforms.STORIES, ids=str)
def test_an_agent_platform_ends_only_its_own_share_of_the_call(story: Story) -> None:
    assert outcome_in_every_order(story) == wanted(story)


@pytest.mark.parametrize("story", rejoining.STORIES, ids=str)
def test_a_call_ends_once_however_many_ends_are_sent(story: Story) -> None:
    assert outcome_in_every_order(story) == wanted(story)


@pytest.mark.parametrize("story", standing.STORIES, ids=str)
def test_the_details_say_of_each_end_what_became_of_it(story: Story) -> None:
    assert outcome_in_every_order(story) == wanted(story)


def test_a_problem_of_a_call_names_the_event_that_it_comes_from() -> None:
    lost = event("call.ended", id="lost", disconnection_reason="connection_lost")
    again = event("call.started", at=STARTED + 60_000)

    found = details(event("call.started", at=STARTED - 60_000, direction="inbound"), lost, again)

    assert found["problem_count"] == 1
    problem = found["problems"][0]
    assert (problem["kind"], problem["field"]) == ("end_undone", None)
    assert problem["event"] == {"source": "/twilio/AC0001", "id": "lost", "type": "call.ended"}
    assert "connection_lost" not in problem["detail"]


def test_every_story_is_a_call_of_its_own() -> None:
    ids = Counter(map(call_id, STORIES))

    assert {name: times for name, times in ids.items() if times > 1} == {}
    assert max(map(len, ids)) <= 256
