"""Validating the lines of a file against the contract of events."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from services.ops.events.doubts import REPEATED, Doubt, Doubts
from services.ops.events.layout import Layout, opened_layout, read_values
from services.ops.events.lines import Line, Source, lines_of
from shared.contract.decode_event import Event, InvalidEvent, decode, too_large
from shared.contract.payloads import TRANSCRIPTION, TYPES
from shared.contract.topics import MAX_EVENT_BYTES, Topics
from shared.process.clock import now_ms

_MOST_UNKNOWN = 20

Refuse = Callable[[Line, InvalidEvent], None]
Warn = Callable[[Line, Doubt], None]
Report = Callable[["Tally"], None]


@dataclass(frozen=True, slots=True)
class Checked:
    """Some lines: their valid events, how many were refused, and the warnings and notes about the valid ones."""

    valid: Sequence[tuple[Line, Event]] = ()
    refused: int = 0
    warnings: int = 0
    repeated: int = 0


@dataclass(frozen=True, slots=True)
class Tally:
    """How far a file has been read; `valid` events are, where they are published, acknowledged.

    `repeated` of the valid ones are in an earlier line too. `layout` is how the events stand in the file. `unknown` are
    event types that the contract does not have, at most about twenty of them.
    """

    bytes_read: int = 0
    valid: int = 0
    refused: int = 0
    warnings: int = 0
    repeated: int = 0
    unknown: frozenset[str] = frozenset()
    layout: Layout = Layout.LINES

    def after(self, bytes_read: int, checked: Checked) -> "Tally":
        """Return the tally after further lines."""
        types = {event.type for _, event in checked.valid} - TYPES.keys()
        return Tally(
            bytes_read,
            self.valid + len(checked.valid),
            self.refused + checked.refused,
            self.warnings + checked.warnings,
            self.repeated + checked.repeated,
            self.unknown if len(self.unknown) >= _MOST_UNKNOWN else self.unknown | types,
            self.layout,
        )


@dataclass(frozen=True, slots=True)
class Checking:
    """Checks one file: reports each line that is not valid, and each doubt about one that is."""

    refuse: Refuse
    warn: Warn
    _doubts: Doubts = field(default_factory=Doubts)

    def check(self, lines: Sequence[Line]) -> Checked:
        """Check the next lines that are not blank."""
        valid: list[tuple[Line, Event]] = []
        refused = warnings = repeated = 0
        for line in lines:
            if line.blank:
                continue
            event = check(line)
            if isinstance(event, InvalidEvent):
                self.refuse(line, event)
                refused += 1
                continue
            valid.append((line, event))
            for doubt in self._doubts.of(line, event):
                self.warn(line, doubt)
                if doubt.kind == REPEATED:
                    repeated += 1
                else:
                    warnings += 1
        return Checked(valid, refused, warnings, repeated)


def check(line: Line) -> Event | InvalidEvent:
    """Return the line's event, as a worker would read it that received it now, or why it is invalid."""
    if line.size > MAX_EVENT_BYTES:
        return too_large(line.size)
    return decode(line.text, arrival=now_ms())


def topic_of(event: Event, topics: Topics) -> str:
    """Return the topic for events of this type; unknown types go to the topic for telephony."""
    return topics.transcription if event.type in TRANSCRIPTION else topics.telephony


async def validate(source: Source, checking: Checking, report: Report) -> Tally:
    """Check every line that is not blank, or every value where the events do not stand one a line.

    Raises: CommandError: the source cannot be read.
    """
    layout, parts = await opened_layout(source)
    tally = Tally(layout=layout)
    async for done, lines in lines_of(parts) if layout is Layout.LINES else read_values(source, parts):
        tally = tally.after(done, checking.check(lines))
        report(tally)
    return tally
