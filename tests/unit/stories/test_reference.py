"""The reference implementation, by which the product is checked, gives the stories the values worked out by hand."""

from collections import Counter

import orjson
import pytest

from tests.support.events.reported_calls import STORIES
from tests.support.events.stories import Outcome, Story, picked, read_events, wanted
from tests.support.reference.cost import Book
from tests.support.reference.details import reference_details
from tests.support.reference.fold import reference_fold


def outcome_by_reference(story: Story) -> Outcome:
    logged = [event.raw for event in read_events(story)]
    record = orjson.loads(orjson.dumps(reference_fold(logged, Book())))
    details = orjson.loads(orjson.dumps(reference_details(logged, Book())))
    problems = Counter(problem["kind"] for problem in details["problems"])
    return Outcome(picked(record, story.expected), dict(problems), {key: details[key] for key in story.details})


@pytest.mark.parametrize("story", STORIES, ids=str)
def test_the_reference_implementation_agrees(story: Story) -> None:
    assert outcome_by_reference(story) == wanted(story)
