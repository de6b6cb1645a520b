"""The documents of the log: what one batch brought for one call from one topic and partition."""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from shared.contract.ids import call_of
from shared.process.batching import grouped

MAX_DOCUMENT_BYTES = 4 * 1024 * 1024
"""A document of the log is split here: an event fits a quarter of it, and MongoDB's limit of 16 MB is far."""

_HASH_BYTES = 8


@dataclass(frozen=True, slots=True)
class LogDocument:
    """Events of one call as JSON in structured mode; `redacted_at` in Unix milliseconds, 0 where it never was."""

    id: str
    events: tuple[bytes, ...]
    redacted_at: int = 0

    @property
    def call(self) -> str:
        """The key of its call."""
        return call_of(self.id)


class SourcePartition(NamedTuple):
    """Where the events of a document come from: records of one topic and partition, by offset."""

    topic: str
    partition: int


def bounds(call: str) -> tuple[str, str]:
    """Return the range, from and below, in which all ids of a call's documents lie, and those of no other call."""
    return f"{call}/", f"{call}0"  # `0` is the character after `/`


def span(after: str | None, organization: str | None) -> tuple[str, str | None]:
    """Return the range of ids, from and below (None: no end), of an organization's calls that follow one of them."""
    start, end = (f"{organization}/", f"{organization}0") if organization else ("", None)
    return (bounds(after)[1] if after else start), end


def size_of(document_id: str) -> int:
    """Return how many bytes of events a document holds, by its id alone."""
    return int(document_id.rsplit("-", 2)[1])


def documents(
    call: str, source: SourcePartition, events: Sequence[tuple[int, bytes]], log_id_hmac_key: bytes
) -> Iterator[LogDocument]:
    """Yield the documents for `events`, pairs of offset and JSON by offset, split at `MAX_DOCUMENT_BYTES`."""
    for part in grouped(events, lambda event: len(event[1]), MAX_DOCUMENT_BYTES):
        yield _document(call, source, part, log_id_hmac_key)


def _document(
    call: str, source: SourcePartition, events: Sequence[tuple[int, bytes]], log_id_hmac_key: bytes
) -> LogDocument:
    """Return the document whose id names the stretch: the same stretch again is the same id.

    Topic, partition and offsets alone do not name it: topics are created anew, and a crash cuts differently. The hash
    is keyed because an open one would give short content back after its redaction, by trying.
    """
    digest = hashlib.blake2b(key=log_id_hmac_key, digest_size=_HASH_BYTES)
    size = 0
    for _, raw in events:
        digest.update(len(raw).to_bytes(4, "big"))
        digest.update(raw)
        size += len(raw)
    span = f"{events[0][0]}-{events[-1][0]}-{len(events)}-{size}-{digest.hexdigest()}"
    return LogDocument(f"{call}/{source.topic}/{source.partition}/{span}", tuple(raw for _, raw in events))
