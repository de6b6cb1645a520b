"""One look at a group and its partitions: what each broker says, as far as it answers."""

import asyncio
import time
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

from aiokafka.errors import for_code
from aiokafka.protocol.coordination import FindCoordinatorRequest

from shared.kafka.brokers import NOT_ANSWERED, Brokers, Layout
from shared.lag.kafka.batches import Found
from shared.lag.kafka.members import Described, describe
from shared.lag.kafka.offsets import Part, read_committed, read_ends, read_starts
from shared.lag.kafka.oldest import OldestRecords
from shared.lag.kafka.retention import read_retention
from shared.lag.models import Health, PartitionReading, Reading

_UNKNOWN_TOPIC = 3
_SOON = frozenset({14, 15, 16})
"""The group has no coordinator yet, as in a new cluster, or another one, or one that still loads its offsets."""
_DENIED = frozenset({29, 30, 31})
_OUT_OF_RANGE = 1
_PAUSE_SECONDS = 0.5
_LAYOUT_SECONDS = 30.0
_STARTS_SECONDS = 10.0
_RETENTION_SECONDS = 60.0


class Memory:
    """What one look leaves for the next."""

    def __init__(self, brokers: Brokers) -> None:
        self.oldest = OldestRecords(brokers)
        self.coordinator: int | None = None
        self.layout_until = 0.0
        self.starts: dict[Part, int] = {}
        self.starts_until: dict[Part, float] = {}
        self.ends: dict[Part, int] = {}
        self.retention: dict[str, int | None] = {}
        self.retention_until = 0.0
        self.retention_hidden: list[str] = []


@dataclass
class Look:
    """Collects what is read; `error` is why something could not be, None if all brokers answered."""

    brokers: Brokers
    memory: Memory
    topics: Sequence[str]
    group: str
    error: str | None = None
    described: Described = field(default_factory=Described)
    partitions: dict[Part, PartitionReading] = field(default_factory=dict)
    hidden: dict[str, None] = field(default_factory=dict)

    async def take(self) -> None:
        """Ask everything; what fails is recorded in `error`, and the rest is asked nevertheless."""
        if not await self._layout():
            return
        committed = await self._group_offsets()
        await asyncio.gather(self._retention(), self._all_partitions(committed))

    def failed(self, error: object) -> None:
        """Record why something could not be read."""
        self.error = self.error or (str(error) or type(error).__name__)

    def reading(self, at: float) -> Reading:
        """Return what was read; `at` is the time in Unix seconds."""
        layout = self.brokers.layout or Layout()
        return Reading(
            at,
            Health.UNAVAILABLE if self.error else Health.WELL,
            Health.UNKNOWN,
            self.described.state,
            self.described.members,
            self.partitions,
            self.described.owners,
            dict(self.memory.retention),
            missing_topics=[topic for topic in self.topics if layout.errors.get(topic) == _UNKNOWN_TOPIC],
            whole=bool(layout.leaders) and not layout.errors and layout.leaders.keys() == self.partitions.keys(),
            hidden=[*self.hidden, *self.memory.retention_hidden],
        )

    def _leaders(self) -> Mapping[Part, int | None]:
        return self.brokers.layout.leaders if self.brokers.layout else {}

    async def _layout(self) -> bool:
        """Read the layout if it is old or was wrong; return whether one is known."""
        if time.monotonic() >= self.memory.layout_until:
            try:
                layout = await self.brokers.refresh()
            except NOT_ANSWERED as error:
                self.failed(error)
            else:
                # A topic that is missing is looked for each time.
                self.memory.layout_until = 0.0 if layout.errors else time.monotonic() + _LAYOUT_SECONDS
        known = self.brokers.layout
        for topic, code in (known.errors if known else {}).items():
            if code != _UNKNOWN_TOPIC:
                self._refused(f"the topic {topic}", code)
        return known is not None

    async def _group_offsets(self) -> dict[Part, int | None]:
        """Return the committed offsets; describe the group."""
        try:
            while True:
                committed, code = await self._ask_group()
                if code not in _SOON:
                    break
                self.memory.coordinator = None
                await asyncio.sleep(_PAUSE_SECONDS)
        except NOT_ANSWERED as error:
            self.memory.coordinator = None
            self._stale(error)
            return {}
        if code:
            self._refused("the group", code)
        return committed

    async def _ask_group(self) -> tuple[dict[Part, int | None], int]:
        """Return the committed offsets and the group's error code."""
        if self.memory.coordinator is None:
            found = await self.brokers.ask(self.brokers.any(), FindCoordinatorRequest(self.group, 0))
            if found.error_code:
                return {}, found.error_code
            self.memory.coordinator = found.coordinator_id
        errors: dict[Part, int] = {}
        self.described, (committed, code) = await asyncio.gather(
            describe(self.brokers, self.memory.coordinator, self.group),
            read_committed(self.brokers, self.memory.coordinator, self.group, self._leaders(), errors),
        )
        for problem in self._problems(errors, "the group's offsets of {}").values():
            self._stale(problem)
        return committed, code or self.described.error

    async def _all_partitions(self, committed: Mapping[Part, int | None]) -> None:
        """Read the partitions from their leaders; once more those whose leader is another, or does not answer."""
        problems = await self._ask_leaders(committed, committed)
        if problems:
            await asyncio.sleep(_PAUSE_SECONDS)
            self.memory.layout_until = 0.0
            await self._layout()
            for problem in (await self._ask_leaders(committed, problems)).values():
                self._stale(problem)

    async def _ask_leaders(
        self, committed: Mapping[Part, int | None], parts: Collection[Part]
    ) -> Mapping[Part, object]:
        """Read partitions from their leaders; return why it failed, by partition."""
        by_leader: defaultdict[int, list[Part]] = defaultdict(list)
        problems: dict[Part, object] = {}
        for part in parts:
            leader = self._leaders().get(part)
            if leader is None:
                problems[part] = f"{part[0]}, partition {part[1]}, has no leader"
            else:
                by_leader[leader].append(part)
        for found in await asyncio.gather(*(self._ask(leader, of, committed) for leader, of in by_leader.items())):
            problems |= found
        return problems

    async def _ask(
        self, leader: int, parts: Collection[Part], committed: Mapping[Part, int | None]
    ) -> Mapping[Part, object]:
        """Read the partitions of one leader; return why it failed, by partition."""
        errors: dict[Part, int] = {}
        try:
            await self._starts(leader, parts, errors)
            ends = await read_ends(self.brokers, leader, [part for part in parts if part in self.memory.starts], errors)
            for part, end in ends.items():
                self._observe(part, self.memory.starts[part], end, committed[part])
            wanted = {part: (self.partitions[part].position, self.partitions[part].end) for part in ends}
            await self.memory.oldest.find(leader, wanted, errors)
        except NOT_ANSWERED as error:
            return dict.fromkeys(parts, error)
        for part in ends:
            self.partitions[part] = self._with_oldest(part, self.partitions[part])
        return self._problems(errors, "the records of {}")

    async def _starts(self, leader: int, parts: Collection[Part], errors: dict[Part, int]) -> None:
        """Read the beginnings again after some time: only retention moves them."""
        now = time.monotonic()
        old = [part for part in parts if now >= self.memory.starts_until.get(part, 0.0)]
        if old:
            starts = await read_starts(self.brokers, leader, old, errors)
            self.memory.starts |= starts
            self.memory.starts_until |= dict.fromkeys(starts, now + _STARTS_SECONDS)

    def _observe(self, part: Part, start: int, end: int, committed: int | None) -> None:
        if end < self.memory.ends.get(part, 0):
            self.memory.oldest.forget(part)
            self.memory.starts_until.pop(part, None)
        self.memory.ends[part] = end
        # Records before the start were deleted; an offset beyond the end is of a topic that was deleted.
        position = min(max(start, committed or 0), end)
        self.partitions[part] = PartitionReading(end, committed, position, None, readable=position == end)

    def _with_oldest(self, part: Part, found: PartitionReading) -> PartitionReading:
        first = self.memory.oldest.known(part, found.position, found.end)
        if isinstance(first, Found):
            return PartitionReading(
                found.end, found.committed, first.offset, first.timestamp, first.timestamp is not None
            )
        readable = first.until >= found.end
        return PartitionReading(found.end, found.committed, first.until, None, readable)

    async def _retention(self) -> None:
        if time.monotonic() < self.memory.retention_until or not self.brokers.layout:
            return
        try:
            known = sorted({topic for topic, _ in self._leaders()})
            retention, errors = await read_retention(self.brokers, self.brokers.any(), known)
        except NOT_ANSWERED as error:
            self.failed(error)
            return
        self.memory.retention = retention
        self.memory.retention_hidden = [f"the retention of {topic}: {_name(code)}" for topic, code in errors.items()]
        if len(known) == len(self.topics):
            self.memory.retention_until = time.monotonic() + _RETENTION_SECONDS

    def _problems(self, errors: Mapping[Part, int], what: str) -> dict[Part, object]:
        """Return the errors that may pass by; record the rights that are missing."""
        for part, code in errors.items():
            if code in _DENIED:
                self._refused(what.format(part[0]), code)
        # Out of range: retention deleted records between two requests.
        passing = {part: code for part, code in errors.items() if code not in _DENIED | {_OUT_OF_RANGE}}
        return {part: f"{what.format(part[0])}: {_name(code)}" for part, code in passing.items()}

    def _refused(self, what: str, code: int) -> bool:
        """Record a broker's error; return whether it is a right that is missing, which lasts."""
        if code in _DENIED:
            self.hidden[f"{what}: not authorized"] = None
            return True
        self._stale(f"{what}: {_name(code)}")
        return False

    def _stale(self, error: object) -> None:
        self.memory.layout_until = 0.0
        self.failed(error)


def _name(code: int) -> str:
    return "not authorized" if code in _DENIED else for_code(code).__name__
