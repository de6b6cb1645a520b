"""Dead letters as read from the broker."""

from dataclasses import dataclass

from tests.support.events.makers import STARTED

SAID = (
    ("reason", b"missing"),
    ("detail", b"`data.digits` is missing"),
    ("topic", b"calls.telephony"),
    ("partition", b"7"),
    ("offset", b"1042"),
    ("time", b"2023-12-20T18:41:10.300Z"),
)


@dataclass(frozen=True)
class Record:
    """A record of the topic for dead letters."""

    key: bytes | None = b"call-456"
    value: bytes | None = b"{}"
    headers: tuple[tuple[str, bytes | None], ...] = SAID
    partition: int = 0
    offset: int = 17
    timestamp: int = STARTED
    timestamp_type: int = 1
