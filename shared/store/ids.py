"""The ids of the log's documents: of what one batch received for one call from one topic and partition."""

import hashlib
from collections.abc import Iterator, Sequence

from shared.process.batching import grouped
from shared.store.models import LogDocument, SourcePartition

MAX_DOCUMENT_BYTES = 4 * 1024 * 1024
"""Bytes of events in one document of the log; an event has at most a quarter, and MongoDB takes 16 MB."""

_HASH_BYTES = 8


def names_of(call: str) -> tuple[str, str]:
    """Return the organizationid and the call id in a call's key, as its events have them."""
    organization, _, call_id = call.partition("/")
    return organization, call_id.replace("%2F", "/").replace("%25", "%")


def named(call: str) -> str:
    """Return a call's key as an operator types it: `<organizationid>/<call id>`, both as they are."""
    return "/".join(names_of(call))


def id_range(call: str) -> tuple[str, str]:
    """Return the range, from and below, that holds all ids of a call's documents and of no other call."""
    return f"{call}/", f"{call}0"  # `0` is the character after `/`


def id_range_after(after: str | None, organization: str | None) -> tuple[str, str | None]:
    """Return the range, from and below (None: no end), of the ids of an organization's calls after the call `after`."""
    start, end = (f"{organization}/", f"{organization}0") if organization else ("", None)
    return (id_range(after)[1] if after else start), end


def size_of(document_id: str) -> int:
    """Return the bytes of events in a document, from its id alone; 0 if no worker made the id."""
    *_, size, _ = ("", "", *document_id.rsplit("-", 2))
    return int(size) if size.isdecimal() else 0


def place_of(document_id: str) -> tuple[SourcePartition, int, int]:
    """Return where the events of a document were consumed from, and the first and the last of their offsets."""
    _, _, topic, partition, offsets = document_id.split("/")
    first, last, *_ = offsets.split("-")
    return SourcePartition(topic, int(partition)), int(first), int(last)


def documents(
    call: str, source: SourcePartition, events: Sequence[tuple[int, bytes]], log_id_hmac_key: bytes
) -> Iterator[LogDocument]:
    """Yield the documents for `events`, pairs of offset and JSON by offset, split at `MAX_DOCUMENT_BYTES`."""
    for part in grouped(events, lambda event: len(event[1]), MAX_DOCUMENT_BYTES):
        yield _document(call, source, part, log_id_hmac_key)


def _document(
    call: str, source: SourcePartition, events: Sequence[tuple[int, bytes]], log_id_hmac_key: bytes
) -> LogDocument:
    """Return the document whose id names the offset range and its content, so that a redelivery has the same id.

    Topic, partition and offsets alone do not suffice: topics are created anew, and after a crash batches are cut
    differently. The hash is keyed because short content could be guessed from an open hash after its redaction.
    """
    digest = hashlib.blake2b(key=log_id_hmac_key, digest_size=_HASH_BYTES)
    size = 0
    for _, raw in events:
        digest.update(len(raw).to_bytes(4, "big"))
        digest.update(raw)
        size += len(raw)
    offsets = f"{events[0][0]}-{events[-1][0]}-{len(events)}-{size}-{digest.hexdigest()}"
    return LogDocument(f"{call}/{source.topic}/{source.partition}/{offsets}", tuple(raw for _, raw in events))
