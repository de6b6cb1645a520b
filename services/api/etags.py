"""Conditional requests (RFC 9110, 13.1.2)."""

import re
from collections.abc import Sequence

_TAG = re.compile(r'(?:W/)?("[^"]*")')


def matches(if_none_match: Sequence[str], etag: str) -> bool:
    """Return whether one of the `If-None-Match` headers matches `etag`, a strong one.

    The comparison is the weak one: `W/"x"` and `"x"` are the same.
    """
    return any(value.strip() == "*" or etag in _TAG.findall(value) for value in if_none_match)
