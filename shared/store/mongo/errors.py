"""What MongoDB's errors mean, and what may be logged of them."""

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
# Codes for content that the server would refuse again: bad value, invalid length, overflow, invalid BSON, keys with `$`
# or `.` in older servers, a document that is too large.
_REFUSALS = frozenset({2, 15, 16, 22, 52, 57, 10334})
_ACCESS = {
    18: "authentication failed: wrong CALLFOLD_MONGO_USERNAME or CALLFOLD_MONGO_PASSWORD, or in CALLFOLD_MONGO_URI",
    13: "not authorized: no user, or the user lacks a right (CALLFOLD_MONGO_USERNAME or CALLFOLD_MONGO_URI)",
    8000: "authentication failed, or a right is missing (Atlas): CALLFOLD_MONGO_USERNAME, CALLFOLD_MONGO_PASSWORD",
}
_TLS = "[SSL"
_CLOSED = "closed"
_CLOSED_BY = ": a proxy whose server is down, or the server expects TLS or a client certificate"


@contextmanager
def translated_errors() -> Iterator[None]:
    """Raise `StoreUnavailable`, or `AccessRefused`, for any error of the driver."""
    try:
        yield
    except PyMongoError as error:
        raise (AccessRefused if access_refused(error) else StoreUnavailable)(describe(error)) from error


def only_duplicates(error: BulkWriteError) -> bool:
    """Return whether nothing failed but writes whose `_id` is there already."""
    details = error.details or {}
    failed = details.get("writeErrors", [])
    return not details.get("writeConcernErrors") and all(each["code"] == _DUPLICATE_KEY for each in failed)


def duplicates(error: BulkWriteError) -> list[int]:
    """Return the indexes, in the bulk, of writes whose `_id` is there already."""
    failed = (error.details or {}).get("writeErrors", [])
    return [each["index"] for each in failed if each["code"] == _DUPLICATE_KEY]


def refused(error: OperationFailure) -> bool:
    """Return whether the server refused a document for its content."""
    return not _REFUSALS.isdisjoint(_codes(error))


def access_refused(error: PyMongoError) -> str | None:
    """Return why the server refuses the client or one of its operations; None if the error is another."""
    if isinstance(error, OperationFailure):
        return next((_ACCESS[code] for code in _codes(error) if code in _ACCESS), None)
    if isinstance(error, ServerSelectionTimeoutError) and _TLS in (text := _brief(error)):
        return f"TLS failed (CALLFOLD_MONGO_CA_FILE, CALLFOLD_MONGO_CERTIFICATE_FILE): {text}"
    return None


def describe(error: PyMongoError) -> str:
    """Return what may be logged of an error: the message of a failed write quotes the content of the write."""
    if why := access_refused(error):
        return why
    if isinstance(error, OperationFailure | NotPrimaryError):
        return f"{type(error).__name__}, codes {sorted(_codes(error))}"
    text = _brief(error)
    return f"{type(error).__name__}: {text}{_CLOSED_BY if text.endswith(_CLOSED) else ''}"


def _brief(error: PyMongoError) -> str:
    # The driver adds its timeouts and a description of the topology.
    return str(error).split(" (configured timeouts", 1)[0].split(", Timeout:", 1)[0]


def _codes(error: OperationFailure | NotPrimaryError) -> set[int]:
    details = error.details if isinstance(error.details, dict) else {}
    failed = [*details.get("writeErrors", []), *details.get("writeConcernErrors", []), details]
    return {each["code"] for each in failed if isinstance(each.get("code"), int)}
