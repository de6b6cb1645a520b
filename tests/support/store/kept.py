"""What MongoDB keeps, as bytes in which private content can be looked for: compressed, nothing would be found."""

from collections.abc import Mapping
from typing import Any

import bson
import zstandard

from shared.store.mongo.documents import logged_of


def kept(document: Mapping[str, Any]) -> bytes:
    """Return everything that a document of `calls` or `call_events` has."""
    if "lengths" in document:
        return b"".join(logged_of(dict(document)).events)
    body = document.get("body")
    text = zstandard.decompress(body) if isinstance(body, bytes) else b""
    return bson.encode(document) + text
