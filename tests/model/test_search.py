"""The search itself: it explores all orders that matter, and what it leaves out changes nothing."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Hashable, Sequence
from typing import Any, cast

import pytest

from shared.store.memory.calls import MemoryStore
from shared.store.ports import Store, StoreUnavailable
from tests.model.actors import Act, hashable
from tests.model.interleaving import Explored, Limits, Search, WrongEnd
from tests.model.protocol import PRICES, Port, at_once
from tests.support.events.makers import Json, event, raw
from tests.support.store.makers import CALL, document, update
from tests.support.worker.memory_worker import Clock, MemoryWorker, received, watched


def act(*offsets: int, again: Sequence[Act] = ()) -> Act:
    """Return an act that inserts documents, one after the other."""

    async def run(store: Store) -> None:
        for offset in offsets:
            await store.insert([document(offset=offset)])

    return Act("insert", run, lambda _: [again])


def ends(*scripts: Sequence[Act], limits: Limits | None = None) -> tuple[Explored, set[frozenset[int]]]:
    """Return what was explored, and the sets of offsets that are in the log in the end."""
    found: set[frozenset[int]] = set()

    def judge(memory: MemoryStore) -> None:
        found.add(frozenset(int(key.split("/")[-1].split("-")[0]) for key in memory.log))

    clock = Clock()
    return Search(MemoryStore(clock), clock, scripts, judge, limits or Limits()).run(), found


async def test_the_steps_of_actors_follow_one_another_in_every_order() -> None:
    explored, found = ends([act(1, 2, 3)], [act(4, 5, 6)])

    assert (explored.orders, explored.states) == (20, 16)
    assert found == {frozenset(range(1, 7))}


async def test_an_actor_is_killed_after_any_step_and_its_work_is_done_again() -> None:
    _, found = ends([act(1, 2, again=[act(3)]), act(4)], limits=Limits(kills=1))

    assert found == {frozenset([1, 2, 4]), frozenset([1, 3]), frozenset([1, 2, 3])}


async def test_a_lost_answer_is_lost_after_the_step() -> None:
    async def run(store: Store) -> None:
        try:
            await store.insert([document(offset=1)])
        except StoreUnavailable:
            await store.insert([document(offset=2)])

    _, found = ends([Act("insert", run, lambda _: [])], limits=Limits(losses=1))

    assert found == {frozenset([1]), frozenset([1, 2])}


async def test_a_lost_update_is_found_and_described_by_its_steps() -> None:
    async def run(store: Store) -> None:
        there = len((await store.read([CALL]))[CALL])
        await store.insert([document(offset=there)])

    clock = Clock()
    scripts = [[Act(name, run, lambda _: [])] for name in ("one", "other")]
    search = Search(
        MemoryStore(clock), clock, scripts, lambda memory: None if len(memory.log) == 2 else "lost", Limits()
    )

    with pytest.raises(WrongEnd, match="lost\n  0: one: read\n  1: other: read\n  0: one: insert\n  1: other: insert"):
        search.run()


async def test_a_lease_expires_when_time_passes_and_not_before() -> None:
    leases: set[int] = set()

    async def run(store: Store) -> None:
        leases.update(lease.attempts for lease in await store.lease([CALL], "token"))

    clock = Clock()
    for passes in (0, 1, 2):
        leases.clear()
        memory = MemoryStore(clock)
        at_once(memory.mark_stale([update()]))
        fold_loops = [[Act("lease", run, lambda _: [])] for _ in range(3)]
        Search(memory, clock, fold_loops, lambda _: None, Limits(passes=passes)).run()
        assert leases == set(range(1, passes + 2))


class Turns:
    """Lets one actor at a time make its next step: the one that `choices` name, later the first that can."""

    def __init__(self, choices: Sequence[int]) -> None:
        self._choices = list(choices)
        self._waiting: dict[int, asyncio.Event] = {}
        self.taken: list[tuple[int, int]] = []

    def of(self, actor: int) -> Callable[[str], Awaitable[None]]:
        async def turn(step: str) -> None:
            if step not in {"stale_calls", "sizes"}:
                self._waiting[actor] = asyncio.Event()
                await self._waiting[actor].wait()

        return turn

    async def run(self, actors: Sequence[Coroutine[Any, Any, Any]]) -> None:
        tasks = [asyncio.ensure_future(actor) for actor in actors]
        while not all(task.done() for task in tasks):
            await asyncio.sleep(0)
            if self._waiting and len(self._waiting) == sum(not task.done() for task in tasks):
                ready = sorted(self._waiting)
                choice = self._choices[len(self.taken)] if len(self.taken) < len(self._choices) else 0
                self.taken.append((choice, len(ready)))
                self._waiting.pop(ready[choice]).set()
        await asyncio.gather(*tasks)


Do = Callable[[Store], Coroutine[Any, Any, Any]]


def left(memory: MemoryStore) -> Hashable:
    """Return what is in a store, but for tokens and times."""
    return hashable(at_once(memory.find(CALL))), hashable({key: each.events for key, each in memory.log.items()})


async def in_each_order(memory: Callable[[], MemoryStore], actors: Sequence[Do]) -> set[Hashable]:
    """Run each order by itself, with tasks, and return what is left."""
    found: set[Hashable] = set()
    choices: list[int] = []
    while True:
        store, turns = memory(), Turns(choices)
        await turns.run([do(watched(store, turns.of(actor))) for actor, do in enumerate(actors)])
        found.add(left(store))
        while turns.taken and turns.taken[-1][0] + 1 == turns.taken[-1][1]:
            turns.taken.pop()
        if not turns.taken:
            return found
        choices = [choice for choice, _ in turns.taken[:-1]] + [turns.taken[-1][0] + 1]


async def test_the_search_ends_as_running_each_order_by_itself_does() -> None:
    began, ended, noted, said = map(event, ["call.started", "call.ended", "call.note", "transcript.turn"])

    def memory() -> MemoryStore:
        store = MemoryStore(Clock())
        at_once(flush(began, ended)(store))
        return store

    async def insert_and_mark(store: Store) -> None:
        await store.insert([document(content=raw(said))])
        await store.mark_stale([update()])

    actors: list[Do] = [flush(noted), insert_and_mark, lambda store: worker(store).step()]
    found: set[Hashable] = set()
    scripts = [[Act("", actor, lambda _: [])] for actor in actors]

    Search(memory(), Clock(), scripts, lambda end: found.add(left(end)), Limits()).run()

    assert found == await in_each_order(memory, actors)
    assert len(found) == 6


def flush(*events: Json) -> Do:
    return lambda store: worker(store).bring([received(each, offset=int(each["id"])) for each in events])


def worker(store: Store) -> MemoryWorker:
    return MemoryWorker(store=cast(Store, Port(store)), prices=PRICES)
