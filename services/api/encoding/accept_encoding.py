"""Which compression a client prefers (RFC 9110, 12.5.3)."""

import re
from functools import lru_cache

ENCODINGS = (b"zstd", b"gzip")
"""Those that the API has; the first is preferred when a client likes both equally."""

_IDENTITY, _ANY = b"identity", b"*"
_ALIASES = {b"x-gzip": b"gzip"}
_ITEM = re.compile(rb"\s*([!#$%&'*+.^_`|~0-9a-z-]+)\s*(?:;\s*q\s*=\s*(0(?:\.\d{0,3})?|1(?:\.0{0,3})?)\s*)?")


@lru_cache(512)
def preferred(accept_encoding: bytes) -> bytes | None:
    """Return the encoding of a response to a request with this header, None for a response as it is.

    What cannot be read of the header is left out.
    """
    qualities = _qualities(accept_encoding)
    other = qualities.get(_ANY, 0.0)
    liked = [(qualities.get(encoding, other), encoding) for encoding in ENCODINGS]
    quality, best = max(liked, key=lambda each: each[0])
    return best if quality > 0 and quality >= qualities.get(_IDENTITY, 0.0) else None


def _qualities(accept_encoding: bytes) -> dict[bytes, float]:
    items = (_ITEM.fullmatch(item) for item in accept_encoding.lower().split(b","))
    read = (item.groups() for item in items if item is not None)
    return {_ALIASES.get(coding, coding): 1.0 if quality is None else float(quality) for coding, quality in read}
