"""What the programs ask of a store. Every store keeps to `tests/contract`.

A call is named by its key, `<organization_id>/<call_id>`. Times are Unix milliseconds by the store's own clock, but for
`last_arrival`, which is the broker's.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import NewType, Protocol

from shared.store.ids import LogDocument
from shared.store.retention import RetentionStore
from shared.store.states import State

Packed = NewType("Packed", bytes)
"""A record's fields in the form in which they are stored: `shared/store/mongo/bson_record.py`."""


class StoreUnavailable(Exception):
    """The store does not answer, or not as it should: nothing is wrong with what it was asked. Wait, and ask again."""


class AccessRefused(StoreUnavailable):
    """The store does not let this program in, or not do this: somebody has to see to it, and until then it is away."""


class Unstorable(Exception):
    """The store refuses this content, and would again."""


@dataclass(frozen=True, slots=True)
class CallSnapshot:
    """What a batch needs to know of a call that it holds events of.

    `stored_events` counts the distinct events of the stored record, 0 where there is none.
    """

    state: State
    opted_out: bool
    last_arrival: int
    stored_events: int


@dataclass(frozen=True, slots=True)
class CallUpdate:
    """What a batch says of a call: that it is there and when its latest event arrived, and, if `stale`, to fold it.

    `partition` is that of the call's key.
    """

    call: str
    partition: int
    last_arrival: int
    stale: bool
    opted_out: bool = False


@dataclass(frozen=True, slots=True)
class StaleCall:
    """A call that waits for a folder."""

    call: str
    partition: int
    last_arrival: int
    stale_since: int


@dataclass(frozen=True, slots=True)
class IdleCall:
    """A call that is live, and from which nothing has arrived for long."""

    call: str
    partition: int
    last_arrival: int


@dataclass(frozen=True, slots=True)
class Lease:
    """A call that a folder may fold while it holds `token`; `attempts` counts the claims since a fold last worked."""

    call: str
    token: str
    partition: int
    last_arrival: int
    attempts: int
    opted_out: bool


@dataclass(frozen=True, slots=True)
class CallHeader:
    """What is kept of a call beside its record; the versions are those its record was folded by, None without one."""

    state: State
    partition: int
    last_arrival: int
    rules_version: int | None
    price_book_version: str | None


@dataclass(frozen=True, slots=True)
class FoldResult:
    """What a folder stores: the record as fields and as the JSON text that is served.

    Where `fields` is None neither is stored, as both would not fit: readers then get the record folded from the log.
    """

    fields: Packed | None
    body: bytes | None
    etag: str
    final: bool
    opted_out: bool
    events: int
    conflicts: int
    rules_version: int
    price_book_version: str


@dataclass(frozen=True, slots=True)
class StoredCall:
    """What a reader finds: `body` is the record as it stood when it was last folded."""

    state: State
    opted_out: bool
    body: bytes | None
    etag: str | None


class Store(RetentionStore, Protocol):
    """The log and the records. Any method raises `StoreUnavailable` where the store cannot do its part."""

    async def prepare(self) -> None:
        """Create what the store needs (indexes); safe to repeat."""

    async def ping(self) -> None:
        """Return when the store answers."""

    async def insert(self, documents: Sequence[LogDocument]) -> None:
        """Append to the log; a document that is there already stays as it is."""

    async def read_states(self, calls: Collection[str]) -> dict[str, CallSnapshot]:
        """Return what is known of these calls, never from a cache; calls never seen are missing."""

    async def mark_stale(self, marks: Sequence[CallUpdate]) -> set[str]:
        """Write the marks, whatever the calls' states are by now; calls never seen get their header.

        Return those that were to be folded and are deleted: they stay so, and their tombstones last from now on.
        """

    async def redact(self, documents: Sequence[LogDocument]) -> None:
        """Replace the events of documents that are there, and not redacted yet, by these."""

    async def stale_calls(self, partitions: Collection[int], limit: int) -> list[StaleCall]:
        """Return calls of these partitions that are stale, or whose claim has run out, the longest waiting first."""

    async def idle_calls(
        self, partitions: Collection[int], before: int, after: IdleCall | None, limit: int
    ) -> list[IdleCall]:
        """Return live calls of these partitions whose last arrival is `before` this, the longest silent first.

        They go on behind `after`, in the order of last arrival and key; None: from the beginning.
        """

    async def lease(self, calls: Collection[str], token: str) -> list[Lease]:
        """Claim those of these calls that are stale, or whose claim has run out, with a token never used before."""

    async def renew(self, calls: Collection[str], token: str) -> None:
        """Prolong the claims that still hold the token."""

    async def release(self, calls: Collection[str], token: str) -> None:
        """Give claims back unused; the attempt does not count, even if a mark has overtaken it. Safe to repeat."""

    async def sizes(self, calls: Collection[str]) -> dict[str, int]:
        """Return how many bytes of events the log holds of each call."""

    async def read(self, calls: Collection[str]) -> dict[str, list[LogDocument]]:
        """Return all that the log holds of each call."""

    async def ids(self, call: str) -> list[str]:
        """Return the ids of all documents that the log holds of a call."""

    async def documents(self, ids: Sequence[str]) -> list[LogDocument]:
        """Return these documents of the log; those that are not there are missing."""

    async def logged_calls(self, limit: int, after: str | None = None, organization: str | None = None) -> list[str]:
        """Return calls that the log holds events of, in the log's order, from the one that follows `after`.

        Fewer than `limit`: there are no more.
        """

    async def headers(self, calls: Collection[str]) -> dict[str, CallHeader]:
        """Return the headers of these calls; calls never seen are missing."""

    async def store_results(self, leases: Sequence[tuple[Lease, FoldResult]]) -> set[str]:
        """Store the results of claims that still hold; return the calls for which one did not.

        Of a call whose fold was overtaken no attempt before counts, as after a success: its fold worked.

        Raises:
            Unstorable: the store refuses one of these contents; any number of the others may be stored.
        """

    async def mark_broken(self, leases: Sequence[Lease]) -> None:
        """Say of calls whose claims still hold that they cannot be folded; their records are emptied.

        The next mark gives such a call one more attempt.
        """

    async def find(self, call: str) -> StoredCall | None:
        """Return what is stored of a call, or None if it was never seen."""
