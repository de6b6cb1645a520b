"""What names a call: in the event log, in the store and in its record."""

import uuid
from hashlib import sha1

_NAMESPACE = uuid.UUID("3c9a1c0e-8a83-5d5b-9c0b-6f3f0a6f1d42").bytes


def call_key(organization_id: str, call_id: str) -> str:
    """Return the key of a call in the store, `<organization_id>/<call_id>`.

    In the call's id `%` and `/` are escaped: neither part of a key contains a `/`.
    """
    if "%" in call_id or "/" in call_id:
        call_id = call_id.replace("%", "%25").replace("/", "%2F")
    return f"{organization_id}/{call_id}"


def call_of(document_id: str) -> str:
    """Return the key of the call that a document of the event log belongs to."""
    return document_id[: document_id.index("/", document_id.index("/") + 1)]


def record_id(organization_id: str, call_id: str) -> str:
    """Return the `id` of a call's record: the UUIDv5 (RFC 9562, 5.5) of both ids as they are, not escaped."""
    # Not uuid.uuid5, whose checks and conversions took a tenth of the time of a fold.
    digest = bytearray(sha1(_NAMESPACE + f"{organization_id}/{call_id}".encode(), usedforsecurity=False).digest()[:16])
    digest[6] = digest[6] & 0x0F | 0x50
    digest[8] = digest[8] & 0x3F | 0x80
    text = digest.hex()
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"
