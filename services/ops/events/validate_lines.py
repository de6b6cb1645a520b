"""Validating lines, each by itself, against the contract of events."""

from collections.abc import Callable
from dataclasses import dataclass

from services.ops.events.lines import Line, Source, read
from shared.contract.decode_event import Event, InvalidEvent, decode, too_large
from shared.contract.payloads import TRANSCRIPTION, TYPES
from shared.contract.topics import MAX_EVENT_BYTES, Topics
from shared.process.clock import now_ms

_MOST_UNKNOWN = 20

Refuse = Callable[[Line, InvalidEvent], None]
Report = Callable[["Tally"], None]


@dataclass(frozen=True, slots=True)
class Tally:
    """How far a file has been read; `valid` events are, where they are published, acknowledged.

    `unknown` are event types that the contract does not have, at most about twenty of them: they may be misspelt.
    """

    bytes_read: int = 0
    valid: int = 0
    refused: int = 0
    unknown: frozenset[str] = frozenset()


def check(line: Line) -> Event | InvalidEvent:
    """Return the line's event, or why it is invalid."""
    if line.size > MAX_EVENT_BYTES:
        return too_large(line.size)
    return decode(line.text, arrival=now_ms())


def topic_of(event: Event, topics: Topics) -> str:
    """Return the topic for events of this type; unknown types go to the topic for telephony."""
    return topics.transcription if event.type in TRANSCRIPTION else topics.telephony


async def validate(source: Source, refuse: Refuse, report: Report) -> Tally:
    """Check every line that is not blank.

    Raises:
        CommandError: the source cannot be read.
    """
    tally = Tally()
    async for done, lines in read(source):
        checked = [(line, check(line)) for line in lines if not line.blank]
        invalid = [(line, why) for line, why in checked if isinstance(why, InvalidEvent)]
        for line, why in invalid:
            refuse(line, why)
        types = {event.type for _, event in checked if isinstance(event, Event)} - TYPES.keys()
        unknown = tally.unknown if len(tally.unknown) >= _MOST_UNKNOWN else tally.unknown | types
        tally = Tally(done, tally.valid + len(checked) - len(invalid), tally.refused + len(invalid), unknown)
        report(tally)
    return tally
