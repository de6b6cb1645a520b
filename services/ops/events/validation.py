"""Checking lines against the contract, each by itself."""

from collections.abc import Callable
from dataclasses import dataclass

from services.ops.events.lines import Line, Source, read
from shared.contract.envelope import Event, InvalidEvent, decode, too_large
from shared.contract.payloads import TRANSCRIPTION, TYPES
from shared.contract.topics import MAX_EVENT_BYTES, Topics

_NAMED = 20

Refuse = Callable[[Line, InvalidEvent], None]
Report = Callable[["Tally"], None]


@dataclass(frozen=True, slots=True)
class Tally:
    """How far a file has been read; `taken` events were valid, and where they are published, acknowledged.

    `unknown` names types that are not in the contract, some of them if there are many: they may be misspelt.
    """

    bytes_read: int = 0
    taken: int = 0
    refused: int = 0
    unknown: frozenset[str] = frozenset()


def check(line: Line) -> Event | InvalidEvent:
    """Return the line's event, or why it is none."""
    if line.size > MAX_EVENT_BYTES:
        return too_large(line.size)
    return decode(line.text)


def topic_of(event: Event, topics: Topics) -> str:
    """Return the topic on which events of this type are published; types that are not known go with telephony."""
    return topics.transcription if event.type in TRANSCRIPTION else topics.telephony


async def validate(source: Source, refuse: Refuse, report: Report) -> Tally:
    """Check every line; blank ones are nothing.

    Raises:
        CommandError: the source cannot be read.
    """
    tally = Tally()
    async for done, lines in read(source):
        checked = [(line, check(line)) for line in lines if not line.blank]
        bad = [(line, why) for line, why in checked if isinstance(why, InvalidEvent)]
        for line, why in bad:
            refuse(line, why)
        types = {event.type for _, event in checked if isinstance(event, Event)} - TYPES.keys()
        unknown = tally.unknown if len(tally.unknown) >= _NAMED else tally.unknown | types
        tally = Tally(done, tally.taken + len(checked) - len(bad), tally.refused + len(bad), unknown)
        report(tally)
    return tally
