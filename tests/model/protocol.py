"""What happens to calls concurrently, and what must be true of them in the end, whatever the order."""

import itertools
from collections.abc import Coroutine, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, cast

from services.worker.maintenance.redaction_sweep import RedactionSweep
from services.worker.maintenance.retention import RetentionJob
from shared.calls.fold_call import fold_documents, render
from shared.config.policies import Policies, Policy
from shared.contract.ids import call_key
from shared.fold.fold import fold
from shared.store.memory.calls import MemoryStore
from shared.store.models import CallUpdate, LogDocument, StoredCall
from shared.store.ports import Store
from shared.store.states import State
from tests.model.actors import Act
from tests.model.interleaving import Explored, Limits, Search
from tests.support.events.makers import STARTED, Json, book, decoded, event
from tests.support.store.makers import body_of
from tests.support.worker.memory_worker import (
    ARRIVED,
    PARTITIONS,
    TELEPHONY,
    TRANSCRIPTION,
    Clock,
    MemoryWorker,
    folded,
    received,
)

CONTENT = "what was said"
PRICES = book()
_DAY_MS = 86_400_000
ONCE = Limits(kills=1, passes=1)

Batch = tuple[Json, ...]
Action = Batch | str
FOLD = "fold"
"""One step of the fold loop."""
REBUILD = "rebuild"
"""`callfold rebuild`: marks calls stale, and folds them."""
DELETE = "delete_log"
"""The retention job, for calls past their days."""
SWEEP = "sweep"
"""The redaction sweep."""


@dataclass(frozen=True)
class Case:
    """The events that are `there` before, and what happens concurrently: each actor does one action after the other.

    The search must find at least so many `states`; `rested`: the events that are there have been folded.
    """

    there: Sequence[Json]
    actors: Sequence[Sequence[Action]]
    limits: Limits
    states: int
    rested: bool = True

    @property
    def events(self) -> list[Json]:
        """Return all events, each once."""
        done = [action for actor in self.actors for action in actor if not isinstance(action, str)]
        return list({each["id"]: each for each in itertools.chain(self.there, *done)}.values())


class Port:
    """The store as an actor uses it: a bulk is not a transaction, so that each of its documents is a step."""

    def __init__(self, store: Store) -> None:
        self.store = store

    def __getattr__(self, name: str) -> Any:
        return getattr(self.store, name)

    async def insert(self, documents: Sequence[LogDocument]) -> None:
        for document in documents:
            await self.store.insert([document])

    async def redact(self, documents: Sequence[LogDocument]) -> None:
        for document in documents:
            await self.store.redact([document])


@dataclass(frozen=True)
class Protocol:
    """How the store is used: correctly, or by a mutant; `redelivers`: what a killed worker left is delivered again."""

    port: type[Port] = Port
    memory: type[MemoryStore] = MemoryStore
    redelivers: bool = True


CORRECT = Protocol()


def explored(case: Case, protocol: Protocol = CORRECT) -> Explored:
    """Explore a case.

    Raises:
        WrongEnd: a record is wrong in the end.
    """
    clock = Clock()
    memory = protocol.memory(clock=clock)
    acts = _Acts(case.events, protocol)
    if case.there:
        at_once(acts.delivery(case.there).run(memory))
    if case.rested:
        at_once(acts.worker(memory).rest())
    scripts = [[acts.of(action) for action in actor] for actor in case.actors]
    return Search(memory, clock, scripts, lambda end: wrong(end, case), case.limits).run()


class _Acts:
    """The acts of all actors. An event has the same offset in each delivery."""

    def __init__(self, events: Sequence[Json], protocol: Protocol) -> None:
        self._offsets = {each["id"]: offset for offset, each in enumerate(events)}
        self._calls = list(_by_call(events))
        self._protocol = protocol
        self._deliveries: dict[tuple[str, ...], Act] = {}
        self._batches: dict[Act, Sequence[Json]] = {}
        others = {
            FOLD: lambda store: self.worker(store).step(),
            REBUILD: self._rebuild,
            DELETE: lambda store: deletion(self._port(store)).run(),
            SWEEP: lambda store: sweep(self._port(store)).run(),
        }
        self._others = {name: Act(name, run, lambda _: [()]) for name, run in others.items()}

    def of(self, action: Action) -> Act:
        return self._others[action] if isinstance(action, str) else self.delivery(action)

    def worker(self, store: Store) -> MemoryWorker:
        return MemoryWorker(store=self._port(store), prices=PRICES)

    def delivery(self, batch: Sequence[Json]) -> Act:
        ids = tuple(each["id"] for each in batch)
        if ids not in self._deliveries:
            records = [received(each, offset=self._offsets[each["id"]], topic=_topic(each)) for each in batch]
            name = " and ".join(each["type"] for each in batch)
            act = Act(name, lambda store: self.worker(store).bring(records), lambda after: self._again(act, after))
            self._deliveries[ids], self._batches[act] = act, batch
        return self._deliveries[ids]

    def _again(self, killed: Act, after: Sequence[Act]) -> list[Sequence[Act]]:
        """Return what may be delivered instead: all that was not acknowledged, cut into batches in any way."""
        if not self._protocol.redelivers:
            return [after]
        following = list(itertools.takewhile(self._batches.__contains__, after))
        left = [each for act in (killed, *following) for each in self._batches[act]]
        return [[*map(self.delivery, cut), *after[len(following) :]] for cut in _cuts(left)]

    def _port(self, store: Store) -> Store:
        return cast(Store, self._protocol.port(store))

    async def _rebuild(self, store: Store) -> None:
        headers = await store.headers(self._calls)
        await store.mark_stale(
            [CallUpdate(call, header.partition, ARRIVED, stale=True) for call, header in headers.items()]
        )
        await self.worker(store).step()


def _cuts(events: Sequence[Json]) -> Iterator[list[Sequence[Json]]]:
    for cuts in itertools.product([False, True], repeat=len(events) - 1):
        bounds = [0, *(index for index, cut in enumerate(cuts, 1) if cut), len(events)]
        yield [events[first:end] for first, end in itertools.pairwise(bounds)]


def deletion(store: Store, *, days: int = 30) -> RetentionJob:
    """Return the job at a time when all calls are 31 days old; it deletes them after so many days, 0: never."""
    clock = Clock(ARRIVED + 31 * _DAY_MS)
    return RetentionJob(store, Policies(Policy(retention_days=days)), lambda: range(PARTITIONS), clock=clock)


def sweep(store: Store) -> RedactionSweep:
    """Return the sweep at a time an hour after the last arrival."""
    return RedactionSweep(store, lambda: range(PARTITIONS), clock=Clock(ARRIVED + _DAY_MS // 24))


def wrong(memory: MemoryStore, case: Case) -> str | None:
    """Return what is wrong with a call after a worker has folded all stale calls, None if all is right.

    A live call must be right while it is live, and after its end. If a worker may have died, the sweep runs first, so
    that nothing is left unredacted.
    """
    worker = MemoryWorker(memory=memory, prices=PRICES)
    at_once(worker.rest())
    at_once(deletion(memory, days=0).run())
    for call, events in _by_call(case.events).items():
        if not fold(decoded(events), PRICES).ended:
            if case.limits.kills:
                at_once(sweep(memory).run())
                at_once(worker.rest())
            if found := _wrong_while_live(memory, call, events):
                return found
            events.append(event("call.ended", call=call.split("/")[1], at=STARTED + 60_000, inferred=True))
            at_once(worker.deliver(events[-1]))
            at_once(worker.rest())
        if found := _wrong_when_ended(memory, call, events):
            return found
    return None


def _by_call(events: Sequence[Json]) -> dict[str, list[Json]]:
    by_call: dict[str, list[Json]] = {}
    for each in events:
        by_call.setdefault(call_key(each["organizationid"], each["subject"]), []).append(each)
    return by_call


def _wrong_while_live(memory: MemoryStore, call: str, events: Sequence[Json]) -> str | None:
    found, log = at_once(memory.find(call)), at_once(memory.read([call]))[call]
    if found is None or found.state is not State.LIVE:
        return f"a live call is {found.state if found else None}"
    if render(fold_documents(log, PRICES, opted_out=found.opted_out)[0].record).body != folded(*events):
        return "readers get another record than that of all events"
    return _content_left(found, log)


def _wrong_when_ended(memory: MemoryStore, call: str, events: Sequence[Json]) -> str | None:
    found, log = at_once(memory.find(call)), at_once(memory.read([call]))[call]
    if found is not None and found.state is State.DELETED:
        return "events are left of a call that was deleted" if log else None
    if found is None or found.state is not State.FINAL:
        return f"a call that has ended is {found.state if found else None}"
    if body_of(found) != folded(*events):
        return "the record is not that of all events"
    return _content_left(found, log)


def _content_left(found: StoredCall, log: Sequence[LogDocument]) -> str | None:
    kept = b"".join([body_of(found) or b"", *(raw for document in log for raw in document.events)])
    return "content is left of a call that opted out" if found.opted_out and CONTENT.encode() in kept else None


def at_once(act: Coroutine[Any, Any, Any]) -> Any:
    """Return the result of a coroutine that waits for nothing."""
    try:
        while True:
            act.send(None)
    except StopIteration as done:
        return done.value


def _topic(body: Json) -> str:
    return TRANSCRIPTION if body["type"].startswith("transcript.") else TELEPHONY
