"""What a dead letter says of itself, whatever its bytes are."""

from dataclasses import dataclass
from typing import Any

from shared.contract import dead_letter_headers, strict_json
from shared.contract.timestamps import rfc3339


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """A dead letter without its bytes: why it is one, whose it was, and which record of an input topic it was.

    `number` names it: its offset, after `<partition>:` where the topic has several partitions. `time` is when Kafka
    took it, RFC 3339. `replays` counts how often the record had been sent back by then, last from `replayed_from`
    (`partition:offset`).
    """

    number: str
    time: str
    reason: str | None
    detail: str | None
    call: str | None
    source: str | None
    topic: str | None
    partition: int | None
    offset: int | None
    replays: int
    replayed_from: str | None


def letter_of(record: Any, *, alone: bool) -> DeadLetter:
    """Return what a record of the topic says; `alone`: the topic has one partition only."""
    said = {name: value.decode(errors="replace") for name, value in record.headers if value is not None}
    marks = {name: value.decode() for name, value in dead_letter_headers.replay_headers(record.headers)}
    event = _event(record.value)
    return DeadLetter(
        number=str(record.offset) if alone else f"{record.partition}:{record.offset}",
        time=rfc3339(record.timestamp),
        reason=said.get("reason"),
        detail=said.get("detail"),
        call=said.get("ce_subject") or _text(event, "subject") or (record.key or b"").decode(errors="replace") or None,
        source=said.get("ce_source") or _text(event, "source"),
        topic=said.get("topic"),
        partition=_integer(said.get("partition")),
        offset=_integer(said.get("offset")),
        replays=int(marks.get(dead_letter_headers.REPLAYS, 0)),
        replayed_from=marks.get(dead_letter_headers.REPLAYED_FROM),
    )


def _event(value: bytes | None) -> Any:
    try:
        return strict_json.parse(value or b"")
    except ValueError:
        return None


def _text(event: Any, name: str) -> str | None:
    found = event.get(name) if isinstance(event, dict) else None
    return found if isinstance(found, str) and found else None


def _integer(text: str | None) -> int | None:
    return int(text) if text and text.isascii() and text.isdigit() and len(text) < len(str(2**63)) else None
