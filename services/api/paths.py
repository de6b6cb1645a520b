"""Paths whose segments may hold an encoded `/`, as the id of a call does: `/api/calls/a%2Fb/details`.

Servers decode a path before it is routed, and `a%2Fb` is then two segments. Routes are therefore matched against the
path as the client sent it, and a handler decodes its own segment.
"""

from urllib.parse import quote, unquote_to_bytes

from starlette.types import Scope


def encoded_path(scope: Scope) -> str:
    """Return the path of a request, still percent-encoded."""
    sent: bytes | None = scope.get("raw_path")  # optional in ASGI
    return quote(scope["path"]) if sent is None else sent.decode("latin-1")


def decoded(segment: str) -> str:
    """Return a segment of an encoded path as text.

    Raises:
        UnicodeDecodeError: it is not UTF-8.
    """
    return unquote_to_bytes(segment.encode("latin-1")).decode()
