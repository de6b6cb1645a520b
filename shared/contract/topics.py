"""The names of the topics, and the sizes of their records."""

from dataclasses import dataclass

MAX_EVENT_BYTES = 1024 * 1024
"""The largest value of a record that is accepted as an event: 1 MiB, uncompressed."""

MAX_STRUCTURED_BYTES = 4 * MAX_EVENT_BYTES
"""The largest event of binary mode once its attributes are in it, in JSON's spelling: 4 MiB."""

INPUT_MAX_MESSAGE_BYTES = 3 * MAX_EVENT_BYTES // 2
"""`max.message.bytes` of the input topics: room for the key, the headers and for events that are too large."""

DEAD_LETTER_MAX_MESSAGE_BYTES = 2 * MAX_EVENT_BYTES
"""`max.message.bytes` of the dead-letter topic: room for any record of an input topic, and for the added headers."""

LOG_APPEND_TIME = 1
"""The type of a timestamp that the broker set; others are of a producer's clock."""


@dataclass(frozen=True, slots=True)
class Topics:
    """The names of the topics under one prefix (default `calls`)."""

    prefix: str = "calls"

    @property
    def telephony(self) -> str:
        """Lifecycle, transfers, DTMF, recordings, provider cost lines."""
        return f"{self.prefix}.telephony"

    @property
    def transcription(self) -> str:
        """Turns, tool calls, latency samples, usage, analysis."""
        return f"{self.prefix}.transcription"

    @property
    def dead_letter(self) -> str:
        """Every invalid record, byte for byte."""
        return f"{self.prefix}.dead-letter"

    @property
    def inputs(self) -> tuple[str, str]:
        """The topics that carry events."""
        return (self.telephony, self.transcription)
