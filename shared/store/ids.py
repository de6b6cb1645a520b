"""The ids of the log's documents: of what one batch received for one call from one topic and partition."""

import hashlib
import struct
from collections.abc import Iterator, Sequence

from shared.contract.strict.vouching import CONTRACT_VERSION, WITH_CARE
from shared.contract.topics import MAX_STRUCTURED_BYTES
from shared.process.batching import grouped
from shared.store.models import LogDocument, SourcePartition

MAX_DOCUMENT_BYTES = MAX_STRUCTURED_BYTES
"""Bytes of events in one document of the log, 4 MiB; MongoDB takes 16."""

_HASH_BYTES = 8

LoggedBytes = tuple[int, bytes, int]
"""An event's offset, its JSON, and what the log may vouch for (`shared/contract/strict/vouching.py`)."""


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
    call: str, source: SourcePartition, events: Sequence[LoggedBytes], log_id_hmac_key: bytes
) -> Iterator[LogDocument]:
    """Yield the documents for `events`, which are in the order of their offsets, split at `MAX_DOCUMENT_BYTES`."""
    for part in grouped(events, lambda event: len(event[1]), MAX_DOCUMENT_BYTES):
        yield _document(call, source, part, log_id_hmac_key)


def _document(call: str, source: SourcePartition, events: Sequence[LoggedBytes], log_id_hmac_key: bytes) -> LogDocument:
    """Return the document whose id names the offset range and its content, so that a redelivery has the same id.

    Topic, partition and offsets alone do not suffice: topics are created anew, and after a crash batches are cut
    differently. The hash is keyed because short content could be guessed from an open hash after its redaction. What
    the document vouches for is hashed too: one that vouches for something else is another one.
    """
    raws = tuple([raw for _, raw, _ in events])
    readings = bytes([reading for _, _, reading in events])
    contract = 0 if readings.count(WITH_CARE) == len(readings) else CONTRACT_VERSION
    digest = hashlib.blake2b(b"".join(raws), key=log_id_hmac_key, digest_size=_HASH_BYTES)
    lengths = [len(raw) for raw in raws]
    digest.update(struct.pack(f">{len(raws)}II", *lengths, contract))
    digest.update(readings)
    offsets = f"{events[0][0]}-{events[-1][0]}-{len(events)}-{sum(lengths)}-{digest.hexdigest()}"
    vouched = readings if contract and any(readings) else b""
    return LogDocument(f"{call}/{source.topic}/{source.partition}/{offsets}", raws, 0, contract, vouched)
