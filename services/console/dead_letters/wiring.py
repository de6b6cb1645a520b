"""The pages of dead letters, as the settings have them."""

from services.console.dead_letters.newest import Limits, NewestDeadLetters
from services.console.dead_letters.pages import DeadLetterPages
from services.console.dead_letters.replay_pages import ReplayPages
from services.console.dead_letters.replays import Replays
from services.console.rendering import Pages
from services.console.settings import ConsoleSettings
from shared.store.ports import Store

_OF_THE_TIME = 0.8
"""How much of a page's time may go into reading from Kafka."""


def dead_letter_pages(settings: ConsoleSettings, store: Store, pages: Pages) -> tuple[DeadLetterPages, ReplayPages]:
    kafka, topics = settings.kafka, settings.topics
    seconds = settings.console_timeout_ms / 1000 * _OF_THE_TIME
    newest = NewestDeadLetters(kafka, topics, Limits(seconds=seconds))
    replays = Replays(kafka, topics, store)
    return DeadLetterPages(kafka, topics, newest, pages, seconds), ReplayPages(replays, newest, pages)
