"""What names a call: in the event log, in the store and in its record."""

import uuid

_NAMESPACE = uuid.UUID("3c9a1c0e-8a83-5d5b-9c0b-6f3f0a6f1d42")


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
    """Return the `id` of a call's record: the UUIDv5 of both ids as they are, not escaped."""
    return str(uuid.uuid5(_NAMESPACE, f"{organization_id}/{call_id}"))
