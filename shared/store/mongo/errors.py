"""What MongoDB's errors mean, and what may be said of them."""

from collections.abc import Iterator
from contextlib import contextmanager

from pymongo.errors import (
    BulkWriteError,
    NotPrimaryError,
    OperationFailure,
    PyMongoError,
    ServerSelectionTimeoutError,
)

from shared.store.ports import AccessRefused, StoreUnavailable

_DUPLICATE_KEY = 11000
# What the server says of content that it would refuse again: bad value, invalid length, overflow, invalid BSON, keys
# with `$` or `.` in an older one, a document that is too large.
_REFUSALS = frozenset({2, 15, 16, 22, 52, 57, 10334})
_BARRED = {
    18: "authentication failed: wrong CALLFOLD_MONGO_USERNAME or CALLFOLD_MONGO_PASSWORD, or in CALLFOLD_MONGO_URI",
    13: "not authorized: without a user, or one who lacks a right (CALLFOLD_MONGO_USERNAME or CALLFOLD_MONGO_URI)",
    8000: "authentication failed, or a right is lacking (Atlas): CALLFOLD_MONGO_USERNAME, CALLFOLD_MONGO_PASSWORD",
}
_TLS = "[SSL"
_CLOSED = "closed"


@contextmanager
def translated_errors() -> Iterator[None]:
    """Say of whatever MongoDB or the way to it fails with that it is to be waited for."""
    try:
        yield
    except PyMongoError as error:
        raise (AccessRefused if barred(error) else StoreUnavailable)(told(error)) from error


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


def barred(error: PyMongoError) -> str | None:
    """Return why the server does not let us in, or not do this; None if it is no such error."""
    if isinstance(error, OperationFailure):
        return next((_BARRED[code] for code in _codes(error) if code in _BARRED), None)
    if isinstance(error, ServerSelectionTimeoutError) and _TLS in (text := _brief(error)):
        return f"TLS failed (CALLFOLD_MONGO_CA_FILE, CALLFOLD_MONGO_CERTIFICATE_FILE): {text}"
    return None


def told(error: PyMongoError) -> str:
    """Return what may be logged of an error: a failed write's own words quote what was to be written."""
    if why := barred(error):
        return why
    if isinstance(error, OperationFailure | NotPrimaryError):
        return f"{type(error).__name__}, codes {sorted(_codes(error))}"
    text = _brief(error)
    hint = ", as by one that expects TLS or a certificate" if text.endswith(_CLOSED) else ""
    return f"{type(error).__name__}: {text}{hint}"


def _brief(error: PyMongoError) -> str:
    # The driver goes on with timeouts and a description of the topology.
    return str(error).split(" (configured timeouts", 1)[0].split(", Timeout:", 1)[0]


def _codes(error: OperationFailure | NotPrimaryError) -> set[int]:
    details = error.details if isinstance(error.details, dict) else {}
    failed = [*details.get("writeErrors", []), *details.get("writeConcernErrors", []), details]
    return {each["code"] for each in failed if isinstance(each.get("code"), int)}
