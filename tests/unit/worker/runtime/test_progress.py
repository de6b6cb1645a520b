"""When a worker stands still by itself: the one case in which a restart helps."""

import asyncio
from typing import Any

import pytest
from faust.types import TP

from services.worker.runtime.progress import Progress, longest_step
from services.worker.worker import Worker
from shared.process.dependencies import DependencyStatus, any_unavailable
from shared.store.memory.calls import MemoryStore
from tests.support.events.makers import event
from tests.support.eventually import scaled
from tests.support.worker.memory_worker import TRANSCRIPTION, received, watched
from tests.support.worker.unstarted_consumer import TP0, Broker, fetch, ingest, turns, unstarted

LONGEST = 240.0
LOOP = "the fold loop"


class Seconds:
    """A clock that the test sets, and whether a dependency is unavailable."""

    def __init__(self) -> None:
        self.now = 1_000.0
        self.outage = False
        self.progress = Progress(LONGEST, unavailable=lambda: self.outage, clock=lambda: self.now)


@pytest.fixture
def time() -> Seconds:
    return Seconds()


def test_a_loop_that_takes_no_step_for_too_long_stands_still(time: Seconds) -> None:
    time.progress.step(LOOP)

    time.now += LONGEST
    in_time = time.progress.standing_still()
    time.now += 1

    assert (in_time, time.progress.standing_still()) == (None, LOOP)


def test_each_step_is_progress(time: Seconds) -> None:
    for _ in range(9):
        time.progress.step(LOOP)
        time.now += LONGEST

    assert time.progress.standing_still() is None


def test_a_loop_without_work_does_not_stand_still(time: Seconds) -> None:
    time.progress.step(LOOP)
    time.progress.rest(LOOP)

    time.now += 10 * LONGEST

    assert time.progress.standing_still() is None


def test_a_wait_for_a_dependency_is_no_standstill_and_after_it_the_loop_has_its_time_again(time: Seconds) -> None:
    time.progress.step(LOOP)
    time.outage = True
    time.now += 10 * LONGEST
    meanwhile = time.progress.standing_still()

    time.outage = False
    time.now += LONGEST
    after = time.progress.standing_still()
    time.now += 1

    assert (meanwhile, after, time.progress.standing_still()) == (None, None, LOOP)


def test_the_longest_step_leaves_room_for_operations_that_take_all_their_time() -> None:
    assert longest_step(600) > 5 * 600


def test_a_process_knows_whether_it_waits_for_a_dependency() -> None:
    status = DependencyStatus("a dependency of this test")
    before = any_unavailable()

    status.unavailable("no answer")
    meanwhile = any_unavailable()
    status.withdraw()

    assert (before, meanwhile, any_unavailable()) == (False, True, False)


class Clockwork:
    """A worker whose progress is looked at long after its last step."""

    def __init__(self, worker: Worker) -> None:
        self._later = 0.0
        worker.progress = Progress(LONGEST, unavailable=lambda: False, clock=lambda: self._later)
        self._worker = worker

    def much_later(self) -> str | None:
        self._later += LONGEST + 1
        return self._worker.progress.standing_still()


async def test_a_batch_whose_write_never_ends_is_a_standstill_and_one_that_is_written_is_none() -> None:
    stuck = asyncio.Event()
    held = [True]

    async def hang(step: str) -> None:
        if step == "insert" and held[0]:
            await stuck.wait()

    store: Any = watched(MemoryStore(), before=hang)
    async with unstarted(Broker(), store) as (worker, broker):
        looks = Clockwork(worker)
        note = received(event("call.note"), partition=TP0.partition, offset=100)
        chunks = await fetch(worker.consumer, broker, {TP0: [note]})
        writing = asyncio.ensure_future(ingest(worker, chunks))
        await turns()

        while_it_hangs = looks.much_later()
        held[0] = False
        stuck.set()
        async with asyncio.timeout(scaled(10)):
            await writing

        assert (while_it_hangs, looks.much_later()) == ("ingest", None)


async def test_a_fold_loop_that_hangs_is_a_standstill() -> None:
    async def hang(step: str) -> None:
        if step == "stale_calls":
            await asyncio.Event().wait()

    store: Any = watched(MemoryStore(), before=hang)
    async with unstarted(Broker({TP0: 100, TP(TRANSCRIPTION, 0): 0}), store) as (worker, _):
        looks = Clockwork(worker)
        folding = asyncio.ensure_future(worker.fold())
        await turns()

        stands = looks.much_later()
        folding.cancel()

        assert stands == "the fold loop"
