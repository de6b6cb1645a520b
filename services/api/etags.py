"""Conditional requests (RFC 9110, 13.1.2), and the entity tags of compressed responses.

A strong tag names bytes: the tag of a compressed response ends with the name of its encoding, `"x-gzip"` for `"x"`.
What is sent as the store compressed it has other bytes than what is compressed here: `"x-zstd-stored"`.
"""

import re
from collections.abc import Sequence

_TAG = re.compile(r'(?:W/)?("[^"]*")')
_ENCODED = re.compile(rb'-(?:gzip|zstd|zstd-stored)"')


def matches(if_none_match: Sequence[str], etag: str) -> bool:
    """Return whether one of the `If-None-Match` headers matches `etag`, a strong one.

    The comparison is the weak one: `W/"x"` and `"x"` are the same.
    """
    return any(value.strip() == "*" or etag in _TAG.findall(value) for value in if_none_match)


def encoded(etag: bytes, encoding: bytes) -> bytes:
    """Return the tag of the compressed response."""
    return b'%b-%b"' % (etag.removesuffix(b'"'), encoding)


def stored(etag: str) -> str:
    """Return the tag of the response that is sent as the store compressed it."""
    return etag[:-1] + '-zstd-stored"'


def unencoded(if_none_match: bytes) -> bytes:
    """Return the header with the tags of what is not compressed: a client that has one has the others' content."""
    return _ENCODED.sub(b'"', if_none_match)


def named(if_none_match: bytes, etag: bytes) -> bytes:
    """Return which tag of the header is `etag` or that of a compression of it; `etag` if none is."""
    stem = re.escape(etag.removesuffix(b'"'))
    found = re.search(stem + rb'(?:-gzip|-zstd|-zstd-stored)?"', if_none_match)
    return found.group() if found else etag
