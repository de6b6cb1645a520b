"""What goes into a store and comes out of it.

A call is named by its key, `<organization_id>/<call_id>`. Times are Unix milliseconds by the store's clock, but
`last_arrival` is by the broker's. `partition` is the Kafka partition of the call's key.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple

from shared.fold.record import Record
from shared.store.states import State
from shared.store.zstd_frame import Frame

MAX_RECORD_BYTES = 12 * 1024 * 1024
"""The JSON text of a stored record has at most this size, and so have its fields and its compressed text together.

MongoDB's limit for a document is 16 MB; readers decompress the text.
"""


class SourcePartition(NamedTuple):
    """The topic and partition from which the events of a document were consumed."""

    topic: str
    partition: int


class Watermark(NamedTuple):
    """Until which arrival all events of a partition are written, and how many partitions its worker knew then."""

    until: int
    partitions: int


@dataclass(frozen=True, slots=True)
class LogDocument:
    """Events of one call as JSON in structured mode; `redacted_at` is 0 if they are not redacted.

    `contract` is the version of the contract under which the worker vouches for events, 0 if it vouches for none.
    `vouched` has a byte for each event (`contract/strict/vouching.py`), or is empty: all are read as they were sent.
    """

    id: str
    events: tuple[bytes, ...]
    redacted_at: int = 0
    contract: int = 0
    vouched: bytes = b""


@dataclass(frozen=True, slots=True)
class CallSnapshot:
    """What a batch reads of a call; `stored_events` counts the distinct events of its record, 0 without a record.

    `damaged`: somebody edited its header into what no program writes; the call counts as broken until it is replaced.
    """

    state: State
    opted_out: bool
    last_arrival: int
    stored_events: int
    damaged: bool = False


@dataclass(frozen=True, slots=True)
class CallUpdate:
    """What a batch writes of a call; `stale` asks for a fold, `damaged` has the header replaced by a new one."""

    call: str
    partition: int
    last_arrival: int
    stale: bool
    opted_out: bool = False
    damaged: bool = False


@dataclass(frozen=True, slots=True)
class StaleCall:
    """A call that waits for a fold."""

    call: str
    partition: int
    last_arrival: int
    stale_since: int


@dataclass(frozen=True, slots=True)
class CallArrival:
    """A call and when its latest event arrived."""

    call: str
    partition: int
    last_arrival: int


@dataclass(frozen=True, slots=True)
class CallCounts:
    """How many calls are live, are stale or being folded, and are broken.

    `oldest_stale` is when the one that has been stale for longest was marked so, None if there is none.
    """

    live: int
    stale: int
    broken: int
    oldest_stale: int | None


@dataclass(frozen=True, slots=True)
class ProblemCall:
    """A call whose stored fold found problems: how many of each kind, and when its latest event arrived."""

    call: str
    last_arrival: int
    problems: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class CallFilter:
    """Which calls a list has: in one of these states, of these partitions, of one organization or of all (None).

    Their last arrival is not before `since`. A deleted call is in no list.
    """

    states: Collection[State]
    partitions: Collection[int]
    organization: str | None = None
    since: int = 0


class RecentCall(NamedTuple):
    """A call of a list, and the point after which the list goes on."""

    call: str
    last_arrival: int


@dataclass(frozen=True, slots=True)
class CallSummary:
    """What a list shows of a call, and nothing of what was said or who called.

    `status`, `started_at`, `duration` (seconds) and `cost` are the record's of the last fold, None if none is stored.
    `problem_count` is of that fold too. `stale_since` is None if the call does not wait for a fold; `attempts` counts
    the leases since the last fold that worked.
    """

    call: str
    state: State
    last_arrival: int
    status: str | None = None
    started_at: int | None = None
    duration: float | None = None
    cost: float | None = None
    problem_count: int = 0
    stale_since: int | None = None
    attempts: int = 0


@dataclass(frozen=True, slots=True)
class Lease:
    """The right to fold a call; `attempts` counts its leases since the last fold that worked.

    `token` is a fencing token: a result is stored only while the call holds it.
    """

    call: str
    token: str
    partition: int
    last_arrival: int
    attempts: int
    opted_out: bool


@dataclass(frozen=True, slots=True)
class CallHeader:
    """A call without its record; the versions are those that the record was folded by, None without a record.

    If it is `damaged`, as in `CallSnapshot`, the others say nothing.
    """

    state: State
    partition: int
    last_arrival: int
    rules_version: int | None
    price_book_version: str | None
    damaged: bool = False


@dataclass(frozen=True, slots=True)
class FoldResult:
    """A record and the JSON text of it that is served.

    `problems` has how many the call has of each kind. If the text alone, or fields and compressed text together, are
    larger than `MAX_RECORD_BYTES`, neither is kept, and the record is folded from the log for each reader.
    """

    record: Record = field(repr=False, compare=False)  # `body` has the same content
    body: bytes = field(repr=False)
    etag: str
    final: bool
    opted_out: bool
    events: int
    conflicts: int
    problems: Mapping[str, int] = field(hash=False)
    rules_version: int
    price_book_version: str


@dataclass(frozen=True, slots=True)
class StoredCall:
    """What is stored of a call; `content` and `etag` are of its last fold.

    `content` is the record's JSON text: as a zstd frame, or as it is, as earlier versions stored it; or None.
    """

    state: State
    opted_out: bool
    etag: str | None
    content: bytes | Frame | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class ApiKey:
    """A key of an organization; `digest` is the HMAC-SHA-256 of its secret under the pepper, in hexadecimal."""

    api_key: str
    organization_id: str
    digest: str
    created_at: datetime
    name: str | None = None
    revoked_at: datetime | None = None
