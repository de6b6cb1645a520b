"""All stories, for tests of single functions and of the whole system."""

import re

from tests.support.events.stories import Story
from tests.support.stories import (
    clocks,
    conversation,
    costs,
    fields,
    legs,
    platforms,
    privacy,
    rejoining,
    standing,
    transfers,
    unanswered,
)

STORIES: tuple[Story, ...] = (
    *legs.STORIES,
    *platforms.STORIES,
    *rejoining.STORIES,
    *standing.STORIES,
    *transfers.STORIES,
    *unanswered.STORIES,
    *conversation.STORIES,
    *fields.STORIES,
    *clocks.STORIES,
    *costs.STORIES,
    *privacy.STORIES,
)


def call_id(story: Story) -> str:
    """Return an id for the story's call, of its name."""
    return story.call or re.sub(r"\W+", "-", story.name)
