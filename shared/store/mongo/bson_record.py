"""A record's native fields as BSON: made right after the fold, while its objects are still in the processor's cache.

Later, and in the driver's thread, the same takes twice the time; and of a group of calls that waits to be written
there are bytes in memory, and no objects.
"""

from collections.abc import Mapping
from typing import Any

import bson
from bson.errors import BSONError
from bson.raw_bson import RawBSONDocument

from shared.fold.record import Record
from shared.store.ports import Packed, Unstorable

_DOCUMENT_LIMIT = 12 * 1024 * 1024
# What names the call is the header's alone: no name may stand in a document twice.
_IN_THE_HEADER = frozenset({"organization_id", "call_id"})
_SIZE_BYTES = 4
_END = b"\0"


def packed(record: Record, body: bytes) -> Packed | None:
    """Return the fields of `record`; None if they would not fit into a document, beside the same as text.

    Raises:
        Unstorable: BSON does not take them.
    """
    if len(body) > _DOCUMENT_LIMIT:
        return None
    try:
        fields = bson.encode({name: value for name, value in record.items() if name not in _IN_THE_HEADER})
    except (BSONError, OverflowError) as error:
        raise Unstorable(type(error).__name__) from None  # its message would quote the record
    return Packed(fields) if len(fields) + len(body) <= _DOCUMENT_LIMIT else None


def beside(header: Mapping[str, Any], fields: Packed) -> RawBSONDocument:
    """Return a document of both.

    A BSON document is its size, its elements and a zero (bsonspec.org).
    """
    own = bson.encode(header)
    size = len(own) + len(fields) - _SIZE_BYTES - len(_END)
    parts = (size.to_bytes(_SIZE_BYTES, "little"), own[_SIZE_BYTES:-1], memoryview(fields)[_SIZE_BYTES:-1], _END)
    return RawBSONDocument(b"".join(parts))
