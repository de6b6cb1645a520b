"""What MongoDB's errors mean."""

from collections.abc import Iterator
from contextlib import contextmanager

from pymongo.errors import BulkWriteError, NotPrimaryError, OperationFailure, PyMongoError

from shared.store.port import StoreUnavailable

_DUPLICATE_KEY = 11000
# What the server says of content that it would refuse again: bad value, invalid length, overflow, invalid BSON, keys
# with `$` or `.` in an older one, a document that is too large.
_REFUSALS = frozenset({2, 15, 16, 22, 52, 57, 10334})


@contextmanager
def world() -> Iterator[None]:
    """Say of whatever MongoDB or the way to it fails with that it is to be waited for."""
    try:
        yield
    except PyMongoError as error:
        raise StoreUnavailable(told(error)) from error


def only_duplicates(error: BulkWriteError) -> bool:
    """Tell whether nothing failed but inserts of what is there already."""
    details = error.details or {}
    failed = details.get("writeErrors", [])
    return not details.get("writeConcernErrors") and all(each["code"] == _DUPLICATE_KEY for each in failed)


def duplicates(error: BulkWriteError) -> list[int]:
    """Return the places, in the bulk, of what failed because it is there already."""
    failed = (error.details or {}).get("writeErrors", [])
    return [each["index"] for each in failed if each["code"] == _DUPLICATE_KEY]


def refused(error: OperationFailure) -> bool:
    """Tell whether the server refused a document for its content."""
    return not _REFUSALS.isdisjoint(_codes(error))


def told(error: PyMongoError) -> str:
    """Return what may be logged of an error: a failed write's own words quote what was to be written."""
    if isinstance(error, OperationFailure | NotPrimaryError):
        return f"{type(error).__name__}, codes {sorted(_codes(error))}"
    return f"{type(error).__name__}: {error}"


def _codes(error: OperationFailure | NotPrimaryError) -> set[int]:
    details = error.details if isinstance(error.details, dict) else {}
    failed = [*details.get("writeErrors", []), *details.get("writeConcernErrors", []), details]
    return {each["code"] for each in failed if isinstance(each.get("code"), int)}
