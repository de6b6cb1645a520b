"""The ports of the store, by role. Each adapter keeps to `tests/contract`; any method raises `StoreUnavailable`."""

from collections.abc import Collection, Mapping, Sequence
from typing import Protocol

from shared.store.models import (
    ApiKey,
    CallArrival,
    CallCounts,
    CallFilter,
    CallHeader,
    CallSnapshot,
    CallSummary,
    CallUpdate,
    FoldResult,
    Lease,
    LogDocument,
    ProblemCall,
    RecentCall,
    StaleCall,
    StoredCall,
    Watermark,
)


class StoreUnavailable(Exception):
    """The store does not answer, or answers with an error that is not about the request: retry."""


class AccessRefused(StoreUnavailable):
    """The store refuses the program's credentials or rights: unavailable until an operator changes them."""


class Unstorable(Exception):
    """The store refuses this content and would refuse it again."""


class EventLog(Protocol):
    """The events of all calls, in documents that change by redaction alone."""

    async def insert(self, documents: Sequence[LogDocument]) -> None:
        """Append documents; one whose id is there already stays as it is."""

    async def redact(self, documents: Sequence[LogDocument]) -> None:
        """Replace the events of documents that are there and not redacted yet."""

    async def sizes(self, calls: Collection[str]) -> dict[str, int]:
        """Return the bytes of events of each call, 0 for a call without events."""

    async def read(self, calls: Collection[str]) -> dict[str, list[LogDocument]]:
        """Return all documents of each call."""

    async def ids(self, call: str) -> list[str]:
        """Return the ids of all documents of a call."""

    async def documents(self, ids: Sequence[str]) -> list[LogDocument]:
        """Return these documents; those that are not there are missing."""

    async def logged_calls(self, limit: int, after: str | None = None, organization: str | None = None) -> list[str]:
        """Return calls that have events, in the log's order, starting after the call `after`.

        Fewer than `limit` calls mean that there are no more.
        """

    async def unredacted(self, calls: Collection[str]) -> set[str]:
        """Return those of these calls that have a document that is not redacted."""

    async def delete_log(self, calls: Collection[str]) -> None:
        """Delete all documents of these calls."""


class CallQueue(Protocol):
    """The calls that are to be folded, and the leases under which they are."""

    async def mark_stale(self, updates: Sequence[CallUpdate]) -> set[str]:
        """Write the updates, whatever the states of the calls are; create the header of a call that has none.

        Return the calls that were to be folded and are deleted: they stay deleted, and their tombstones age anew.
        """

    async def stale_calls(self, partitions: Collection[int], limit: int) -> list[StaleCall]:
        """Return calls of these partitions that are stale or whose lease has expired, the longest waiting first."""

    async def idle_calls(
        self, partitions: Collection[int], before: int, after: CallArrival | None, limit: int
    ) -> list[CallArrival]:
        """Return live calls of these partitions whose last arrival is earlier than `before`.

        They are in the order of last arrival and key, starting after `after`; None starts at the beginning.
        """

    async def lease(self, calls: Collection[str], token: str) -> list[Lease]:
        """Lease those of these calls that are stale or whose lease has expired; `token` was never used before."""

    async def renew(self, calls: Collection[str], token: str) -> None:
        """Extend the leases that still hold the token."""

    async def release(self, calls: Collection[str], token: str) -> None:
        """Give up leases without a result; the attempt does not count, even if the call was marked stale meanwhile.

        Safe to repeat.
        """

    async def store_results(self, results: Sequence[tuple[Lease, FoldResult]]) -> set[str]:
        """Store the results of leases that still hold; return the calls whose lease does not.

        A call whose fold was overtaken starts again with no attempts, as after a success: its fold worked.

        Raises:
            Unstorable: the store refuses one of the records; any number of the others may be stored.
        """

    async def mark_broken(self, leases: Sequence[Lease]) -> None:
        """Mark calls whose leases still hold as broken, and delete their records.

        The next time that such a call is marked stale it gets one more attempt.
        """


class CallRecords(Protocol):
    """What is known and stored of calls."""

    async def read_states(self, calls: Collection[str]) -> dict[str, CallSnapshot]:
        """Return the states of these calls, never from a cache; calls never seen are missing."""

    async def headers(self, calls: Collection[str]) -> dict[str, CallHeader]:
        """Return the headers of these calls; calls never seen are missing."""

    async def find(self, call: str) -> StoredCall | None:
        """Return what is stored of a call, None if it was never seen."""

    async def call_counts(self, partitions: Collection[int], limit: int) -> CallCounts:
        """Return how many calls of these partitions there are by state, each number counted up to `limit`."""

    async def problem_calls(
        self, organization: str | None, since: int, after: ProblemCall | None, limit: int
    ) -> list[ProblemCall]:
        """Return calls whose last fold found problems, of one organization or of all, starting after the call `after`.

        Their last arrival is not before `since`; the latest comes first, equal ones in the order of their keys. Fewer
        than `limit` calls mean that there are no more.
        """

    async def recent_calls(self, wanted: CallFilter, after: RecentCall | None, limit: int) -> list[RecentCall]:
        """Return the wanted calls, starting after the call `after`, in the order of `problem_calls`.

        A call whose state changes meanwhile may be left out. Fewer than `limit` calls mean that there are no more.
        """

    async def summaries(self, calls: Collection[str]) -> dict[str, CallSummary]:
        """Return what a list shows of these calls; calls never seen and deleted ones are missing."""


class RetentionStore(Protocol):
    """Calls that are past retention, their tombstones, and calls that opted out.

    Every method can be repeated: a job that was stopped starts again from the beginning (docs/decisions/0011).
    """

    async def organizations(self) -> list[str]:
        """Return the organizations of all calls that can be deleted, and perhaps some others."""

    async def past_retention(self, organization: str, partitions: Collection[int], until: int, limit: int) -> list[str]:
        """Return calls of these partitions that can be deleted and whose last arrival is not after `until`."""

    async def tombstone(self, calls: Collection[str], until: int) -> int:
        """Replace those of these calls that are still past retention by tombstones; return how many.

        A tombstone keeps whether the call had opted out. The log is still there.
        """

    async def tombstoned(self, partitions: Collection[int], limit: int) -> list[str]:
        """Return deleted calls of these partitions whose log may still be there."""

    async def mark_purged(self, calls: Collection[str]) -> None:
        """Record that the log of these deleted calls is gone."""

    async def expired_tombstones(self, partitions: Collection[int], until: int, limit: int) -> list[str]:
        """Return purged calls of these partitions that were neither deleted nor marked stale after `until`."""

    async def renew_tombstones(self, calls: Collection[str], until: int) -> None:
        """Record of those of these calls that are still expired that they have a log, and let them age anew."""

    async def expire_tombstones(self, calls: Collection[str], until: int) -> int:
        """Delete the tombstones of those of these calls that are still expired; return how many."""

    async def opted_out_calls(
        self, partitions: Collection[int], after: tuple[int, str], before: int, limit: int
    ) -> list[CallArrival]:
        """Return calls of these partitions that opted out and whose last arrival is earlier than `before`.

        They are in the order of last arrival and key, starting after `after`.
        """


class Watermarks(Protocol):
    """Until when the events of each partition, of all input topics together, are written to the event log.

    An event is written when its call is marked stale too, or when it is reported as a dead letter.
    """

    async def put_watermarks(self, untils: Mapping[int, int], partitions: int) -> None:
        """Store, by partition, the arrival until which all events are written; each replaces the one before.

        `partitions` is how many partitions an input topic has.
        """

    async def watermarks(self) -> Mapping[int, Watermark]:
        """Return what is stored of all partitions; a partition of which nothing was ever stored is missing."""


class Fleet(Protocol):
    """The settings that all workers, and the API, must have in common: fingerprints by name."""

    async def put_fleet_settings(self, settings: Mapping[str, str]) -> None:
        """Store the settings of a worker that starts; they replace those of the one that started before."""

    async def fleet_settings(self) -> Mapping[str, str]:
        """Return the settings of the worker that started last, none before the first."""


class Store(EventLog, CallQueue, CallRecords, RetentionStore, Watermarks, Fleet, Protocol):
    """All of the above, for callers that need most of it."""

    async def prepare(self) -> None:
        """Create what the store needs, such as indexes; safe to repeat."""

    async def ping(self) -> None:
        """Return when the store answers."""

    async def now(self) -> int:
        """Return what the store's own clock shows (Unix milliseconds)."""


class WriteProbe(Protocol):
    """A small write that is nobody's data."""

    async def write(self) -> None:
        """Return when it is as durable as an event: on a majority of the store's members."""


class ApiKeys(Protocol):
    """The keys of readers."""

    async def add(self, key: ApiKey) -> None:
        """Store a new key."""

    async def get(self, api_key: str) -> ApiKey | None:
        """Return a key, revoked or not, None if there is none."""

    async def list(self) -> Sequence[ApiKey]:
        """Return all keys, the oldest first."""

    async def revoke(self, api_key: str) -> bool:
        """Revoke a key, if it is not revoked yet; return False if there is none."""
