"""What a dead letter contains, whatever its bytes are."""

from dataclasses import dataclass, fields
from typing import Any

from shared.contract import dead_letter_headers
from shared.contract.lenient import json_text
from shared.contract.timestamps import rfc3339


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """A record of the topic for dead letters: why it was refused, its call, and which input record it was.

    `number` names it: its offset, after `<partition>:` where the topic has several partitions. `time` is when Kafka
    appended it, RFC 3339. Of several records that were not read, `offset` is the first and `last_offset` the last one.
    `replays` counts how often the input record had been replayed by then, last from `replayed_from`
    (`partition:offset`).
    """

    record: Any
    number: str
    time: str
    reason: str | None
    detail: str | None
    organization: str | None
    call: str | None
    source: str | None
    topic: str | None
    partition: int | None
    offset: int | None
    last_offset: int | None
    replays: int
    replayed_from: str | None

    def described(self) -> dict[str, Any]:
        """Return all but the record by name, as commands print it."""
        return {field.name: getattr(self, field.name) for field in fields(self)[1:]}


def dead_letter_of(record: Any, *, only_partition: bool, most_parsed: int | None = None) -> DeadLetter:
    """Return the dead letter in a record of the topic; `only_partition`: the topic has no other one.

    Of a value of more than `most_parsed` bytes no field is read: only headers and key name its sender and its call.
    """
    # The worker's own headers come last: the input record may have some of the same names.
    headers = {name: value.decode(errors="replace") for name, value in record.headers if value is not None}
    marks = {name: value.decode() for name, value in dead_letter_headers.replay_headers(record.headers)}
    value = record.value or b""
    event = _parsed(value) if most_parsed is None or len(value) <= most_parsed else None
    key = (record.key or b"").decode(errors="replace")
    return DeadLetter(
        record=record,
        number=str(record.offset) if only_partition else f"{record.partition}:{record.offset}",
        time=rfc3339(record.timestamp),
        reason=headers.get("reason"),
        detail=headers.get("detail"),
        organization=headers.get("ce_organizationid") or _text(event, "organizationid"),
        call=headers.get("ce_subject") or _text(event, "subject") or key or None,
        source=headers.get("ce_source") or _text(event, "source"),
        topic=headers.get("topic"),
        partition=_integer(headers.get("partition")),
        offset=_integer(headers.get("offset")),
        last_offset=_integer(headers.get(dead_letter_headers.LAST_OFFSET)),
        replays=int(marks.get(dead_letter_headers.REPLAYS, 0)),
        replayed_from=marks.get(dead_letter_headers.REPLAYED_FROM),
    )


def _parsed(value: bytes) -> Any:
    try:
        return json_text.parse(value).value
    except ValueError:
        return None


def _text(event: Any, name: str) -> str | None:
    found = event.get(name) if isinstance(event, dict) else None
    return found if isinstance(found, str) and found else None


def _integer(text: str | None) -> int | None:
    return int(text) if text and text.isascii() and text.isdigit() and len(text) < len(str(2**63)) else None
