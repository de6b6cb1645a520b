"""The core of what the worker promises: however flushes and folders interleave, the record is the fold of all events.

Each case is run in every order in which its actors' steps on the store can follow one another, or in many of them. The
last tests make the mistakes that the design avoids, and show that a wrong record is found then.
"""

import asyncio
import random
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Sequence
from typing import Any

import pytest

from shared.store.log import LogDocument
from shared.store.memory import MemoryStore
from shared.store.port import Mark, Sighting, Store
from shared.store.states import SETTLED
from tests.support.makers import Json, event
from tests.support.memory_worker import MemoryWorker, folded, watched

BEGUN, ENDED, SAID = event("call.started"), event("call.ended"), event("transcript.turn", content="my secret")
NOTED, OPT_OUT = event("call.note"), event("call.updated", opt_out_sensitive_data_storage=True)
GROWN = [BEGUN, *(event("call.note") for _ in range(50))]
FOLD: tuple[Json, ...] = ()
# What was there and is to be folded, and what happens at the same time: batches, and rounds of a folder.
CASES: dict[str, tuple[list[Json], list[tuple[Json, ...]]]] = {
    "lifecycle": (GROWN, [(ENDED,), FOLD]),
    "late": ([BEGUN, ENDED], [(SAID,), (NOTED,), FOLD]),
    "two folders": ([BEGUN, ENDED], [(SAID,), FOLD, FOLD]),
    "opting out late": ([BEGUN, SAID, ENDED], [(OPT_OUT,), FOLD]),
    "content after opting out": ([OPT_OUT, ENDED], [(SAID,), FOLD]),
}
CROWDS: dict[str, tuple[list[Json], list[tuple[Json, ...]]]] = {
    "lifecycle": (GROWN, [(SAID,), (ENDED,), FOLD]),
    "content while opting out": ([BEGUN, ENDED], [(SAID,), (OPT_OUT,), FOLD]),
    "two folders": ([BEGUN, ENDED], [(SAID,), (NOTED,), FOLD, FOLD]),
}
_QUIET = {"waiting", "sizes"}  # they decide nothing that the steps after them do not decide again


class Turns:
    """Lets one actor at a time take its next step, in the order that `choices` tell, then the first that can."""

    def __init__(self, choices: Sequence[int]) -> None:
        self._choices = list(choices)
        self._waiting: dict[int, asyncio.Event] = {}
        self.taken: list[tuple[int, int]] = []

    def of(self, actor: int) -> Callable[[str], Awaitable[None]]:
        async def turn(step: str) -> None:
            if step not in _QUIET:
                self._waiting[actor] = asyncio.Event()
                await self._waiting[actor].wait()

        return turn

    async def run(self, actors: Sequence[Awaitable[Any]]) -> None:
        tasks = [asyncio.ensure_future(actor) for actor in actors]
        while not all(task.done() for task in tasks):
            await asyncio.sleep(0)
            if self._waiting and len(self._waiting) == sum(not task.done() for task in tasks):
                ready = sorted(self._waiting)
                told = self._choices[len(self.taken)] if len(self.taken) < len(self._choices) else 0
                choice = told % len(ready)
                self.taken.append((choice, len(ready)))
                self._waiting.pop(ready[choice]).set()
        await asyncio.gather(*tasks)


async def outcome(
    case: tuple[list[Json], list[tuple[Json, ...]]],
    choices: Sequence[int],
    mistake: Callable[[Store], Store] = lambda store: store,
) -> tuple[Turns, bool]:
    """Run one order; return what was chosen, and whether the record is right once all is at rest."""
    there, actors = case
    memory, turns = MemoryStore(), Turns(choices)
    await MemoryWorker(memory=memory).deliver(*there)
    workers = [MemoryWorker(memory=memory, store=mistake(watched(memory, turns.of(n)))) for n in range(len(actors))]
    await turns.run([w.deliver(*brings) if brings else w.step() for w, brings in zip(workers, actors, strict=True)])
    rest = MemoryWorker(memory=memory)
    await rest.rest()
    events = [*there, *(each for brings in actors for each in brings)]
    left = b"secret" in rest.log() if OPT_OUT in events else False
    return turns, (await rest.found()).body == folded(*events) and not left


async def every_order(case: str, mistake: Callable[[Store], Store] = lambda store: store) -> AsyncIterator[bool]:
    """Yield of every order whether it ends as it should."""
    choices: list[int] = []
    while True:
        turns, right = await outcome(CASES[case], choices, mistake)
        yield right
        while turns.taken and turns.taken[-1][0] + 1 == turns.taken[-1][1]:
            turns.taken.pop()
        if not turns.taken:
            return
        choices = [choice for choice, _ in turns.taken[:-1]] + [turns.taken[-1][0] + 1]


@pytest.mark.parametrize("case", CASES)
async def test_in_every_order_the_record_is_the_fold_of_all_events(case: str) -> None:
    results = [right async for right in every_order(case)]

    assert len(results) >= 20
    assert all(results)


@pytest.mark.parametrize("case", CROWDS)
async def test_with_more_at_once_it_is_so_in_all_of_many_orders(case: str) -> None:
    rng = random.Random(case)

    results = [(await outcome(CROWDS[case], rng.choices(range(12), k=30)))[1] for _ in range(500)]

    assert all(results)


class Mistaken:
    """A store by which the flush does what it must not; whatever is not said here is done as it should be."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._inserted: Sequence[LogDocument] = ()
        self._seen: dict[str, Sighting] = {}

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)

    async def look(self, calls: Collection[str]) -> dict[str, Sighting]:
        self._seen = await self._store.look(calls)
        return self._seen


class LookFirst(Mistaken):
    """Inserts after the look."""

    async def insert(self, documents: Sequence[LogDocument]) -> None:
        self._inserted = documents

    async def look(self, calls: Collection[str]) -> dict[str, Sighting]:
        seen = await self._store.look(calls)
        await self._store.insert(self._inserted)
        return seen


class NoMark(Mistaken):
    """Leaves a call that the look found settled as it is."""

    async def mark(self, marks: Sequence[Mark]) -> set[str]:
        settled = {call for call, seen in self._seen.items() if seen.state in SETTLED}
        return await self._store.mark([mark for mark in marks if mark.call not in settled])


class MarkIfUnchanged(Mistaken):
    """Marks only what is still in the state that the look found."""

    async def mark(self, marks: Sequence[Mark]) -> set[str]:
        now = await self._store.look([mark.call for mark in marks])
        return await self._store.mark(
            [m for m in marks if m.call not in now or now[m.call].state is self._seen[m.call].state]
        )


@pytest.mark.parametrize("mistake", [LookFirst, NoMark, MarkIfUnchanged])
async def test_with_a_mistake_in_the_order_or_in_the_mark_a_wrong_record_is_found(mistake: Any) -> None:
    async for right in every_order("late", mistake):
        if not right:
            return
    pytest.fail("the mistake went unnoticed")
