"""Retention: which calls are deleted and when, crashes between its steps, and when tombstones expire."""

from collections.abc import Awaitable, Callable

import pytest

from services.worker.maintenance.retention import RetentionJob
from services.worker.maintenance.scheduler import MaintenanceJob, MaintenanceScheduler
from services.worker.maintenance.tombstones import TombstoneJob
from services.worker.metrics import WORKER
from shared.config.policies import Policies, Policy
from shared.kafka.errors import KafkaUnavailable
from shared.store.memory.calls import MemoryStore
from shared.store.ports import Store
from shared.store.states import State
from tests.support.events.makers import event
from tests.support.store.makers import CALL, body_of, state_of
from tests.support.worker.memory_worker import ARRIVED, PARTITIONS, Clock, MemoryWorker, folded, watched
from tests.support.worker.unstarted_consumer import TP0, TP1, Broker, unstarted

DAY_MS = 86_400_000
STARTED, ENDED = event("call.started"), event("call.ended")
THIRTY_DAYS = Policies(Policy(retention_days=30))
EVERYWHERE = range(PARTITIONS)


class Crash(BaseException):
    """The process ends here."""


def retention(store: Store, policies: Policies = THIRTY_DAYS, *, days: float = 31, batch: int = 100) -> RetentionJob:
    """Return the job so many days after the calls' last arrival."""
    clock = Clock(ARRIVED + int(days * DAY_MS))
    return RetentionJob(store, policies, lambda: EVERYWHERE, clock=clock, batch=batch)


def tombstones(store: Store, clock: Clock, days: int | None = 15, batch: int = 100) -> TombstoneJob:
    async def tombstone_ttl() -> int | None:
        return None if days is None else days * DAY_MS

    return TombstoneJob(store, lambda: EVERYWHERE, tombstone_ttl, clock=clock, batch=batch)


def after(step: str, act: Callable[[], Awaitable[object]]) -> Callable[[str], Awaitable[None]]:
    async def hook(name: str) -> None:
        if name == step:
            await act()

    return hook


async def crash() -> None:
    raise Crash


@pytest.fixture
def clock() -> Clock:
    """The store's own."""
    return Clock()


@pytest.fixture
async def worker(clock: Clock) -> MemoryWorker:
    """Return a worker whose store has a final call."""
    worker = MemoryWorker(memory=MemoryStore(clock))
    await worker.deliver(STARTED, ENDED)
    await worker.rest()
    return worker


@pytest.fixture
def memory(worker: MemoryWorker) -> MemoryStore:
    return worker.memory


async def is_deleted(memory: MemoryStore) -> bool:
    return memory.log == {} and await state_of(memory) is State.DELETED


# Which calls, and when


async def test_a_call_is_deleted_when_nothing_has_arrived_for_the_days_of_its_organization(memory: MemoryStore) -> None:
    before = WORKER.registry.get_sample_value("callfold_calls_deleted_total") or 0
    await retention(memory, days=29.99).run()
    kept = await state_of(memory)

    await retention(memory, days=30).run()

    assert (kept, await is_deleted(memory)) == (State.FINAL, True)
    assert WORKER.registry.get_sample_value("callfold_calls_deleted_total") == before + 1


@pytest.mark.parametrize(
    "policies",
    [
        Policies(),
        Policies(Policy(), {"another": Policy(retention_days=1)}),
        Policies(Policy(retention_days=1), {"org-789": Policy()}),
    ],
)
async def test_without_a_retention_nothing_is_deleted(memory: MemoryStore, policies: Policies) -> None:
    await retention(memory, policies, days=36_500).run()

    assert await state_of(memory) is State.FINAL


async def test_an_organization_may_have_a_shorter_retention_than_the_others(memory: MemoryStore) -> None:
    await retention(memory, Policies(Policy(), {"org-789": Policy(retention_days=2)}), days=2).run()

    assert await is_deleted(memory)


async def test_a_call_that_has_not_ended_is_not_deleted() -> None:
    worker = MemoryWorker()
    await worker.deliver(STARTED)

    await retention(worker.memory, days=1_000).run()

    assert await state_of(worker.memory) is State.LIVE


async def test_calls_of_partitions_that_others_own_are_not_deleted(memory: MemoryStore) -> None:
    await RetentionJob(memory, THIRTY_DAYS, list, clock=Clock(ARRIVED + 99 * DAY_MS)).run()

    assert await state_of(memory) is State.FINAL


async def test_more_calls_than_a_batch_are_deleted_in_several() -> None:
    worker = MemoryWorker()
    for number in range(7):
        await worker.deliver(event("call.ended", call=f"call-{number}", organization=f"org-{number % 2}"))
    await worker.rest()

    await retention(worker.memory, batch=2).run()

    calls = [f"org-{number % 2}/call-{number}" for number in range(7)]
    assert {each.state for each in (await worker.memory.read_states(calls)).values()} == {State.DELETED}
    assert worker.memory.log == {}


async def test_organizations_are_gone_through_once_an_hour(memory: MemoryStore) -> None:
    clock, steps = Clock(ARRIVED + 29 * DAY_MS), list[str]()

    async def note(step: str) -> None:
        steps.append(step)

    job = RetentionJob(watched(memory, before=note), THIRTY_DAYS, lambda: EVERYWHERE, clock=clock)
    for seconds in (3_599, 1, 0):
        await job.run()
        clock.move(seconds)

    assert [step for step in steps if step != "tombstoned"] == ["organizations", "past_retention"] * 2


# A crash between any two steps


@pytest.mark.parametrize("point", ["organizations", "past_retention", "tombstone", "tombstoned", "delete_log"])
async def test_after_a_crash_at_any_step_the_next_run_continues_even_without_a_retention(
    memory: MemoryStore, point: str
) -> None:
    begun = Policies() if point in {"tombstone", "delete_log"} else THIRTY_DAYS
    dying = watched(memory, after=after(point, crash))
    with pytest.raises(Crash):
        await retention(dying).run()

    await retention(memory, begun).run()

    assert await is_deleted(memory)
    assert await memory.tombstoned(EVERYWHERE, 9) == []


@pytest.mark.parametrize("point", ["organizations", "past_retention"])
async def test_a_late_event_before_the_tombstone_saves_the_call(worker: MemoryWorker, point: str) -> None:
    late = event("call.note")

    await retention(watched(worker.memory, after=after(point, lambda: worker.deliver(late)))).run()
    await worker.rest()

    assert body_of(await worker.found()) == folded(STARTED, ENDED, late)


@pytest.mark.parametrize("point", ["tombstone", "tombstoned", "delete_log", "mark_purged"])
async def test_a_late_event_after_the_tombstone_is_deleted_with_the_call(worker: MemoryWorker, point: str) -> None:
    async def deliver() -> None:
        if await state_of(worker.memory) is State.DELETED:
            await worker.deliver(event("call.note"))
            came.append(point)

    came: list[str] = []
    await retention(watched(worker.memory, after=after(point, deliver))).run()
    await worker.rest()

    assert came
    assert await is_deleted(worker.memory)


# In the worker


async def test_a_setting_can_set_how_long_tombstones_are_kept() -> None:
    async with unstarted(tombstone_days=1.5) as (worker, _):
        assert await worker.tombstone_ttl() == 1.5 * DAY_MS


async def test_a_worker_owns_what_is_assigned_to_it_and_nothing_before_that_and_during_a_rebalance() -> None:
    async with unstarted(Broker({TP0: 100, TP1: 100})) as (worker, broker):
        before = worker.owned()
        await worker.on_assigned(worker.app, broker.assignment())
        settled = worker.owned()
        worker.app.rebalancing = True

        assert (before, settled) == (frozenset(), frozenset({0, 1}))
        assert worker.owned() == set()


async def test_an_unavailable_kafka_postpones_the_job() -> None:
    acts: list[str] = []

    async def fail() -> None:
        acts.append("failed")
        raise KafkaUnavailable

    async def act() -> None:
        acts.append("done")

    await MaintenanceScheduler([MaintenanceJob("failing", 9, fail), MaintenanceJob("next", 9, act)]).step()

    assert acts == ["failed", "done"]


# Tombstones


async def test_a_tombstone_expires_when_no_topic_can_hold_an_event_of_the_call(
    memory: MemoryStore, clock: Clock
) -> None:
    await retention(memory).run()
    clock.move(15 * 86_400 - 1)
    await tombstones(memory, clock).run()
    kept = await state_of(memory)
    clock.move(1)

    await tombstones(memory, clock).run()

    assert (kept, await memory.find(CALL)) == (State.DELETED, None)


async def test_where_a_topic_holds_events_for_ever_a_tombstone_stays(memory: MemoryStore, clock: Clock) -> None:
    await retention(memory).run()
    clock.move(10_000 * 86_400)

    await tombstones(memory, clock, None).run()

    assert await is_deleted(memory)
    assert WORKER.registry.get_sample_value("callfold_tombstone_ttl_seconds") == float("inf")


async def test_a_late_event_renews_its_tombstone(worker: MemoryWorker, clock: Clock) -> None:
    await retention(worker.memory).run()
    clock.move(14 * 86_400)
    await worker.deliver(ENDED)
    clock.move(14 * 86_400)

    await tombstones(worker.memory, clock).run()

    assert await is_deleted(worker.memory)


async def test_a_log_that_a_batch_left_is_deleted_before_its_tombstone_expires(
    memory: MemoryStore, clock: Clock
) -> None:
    await retention(memory).run()
    with pytest.raises(Crash):
        await MemoryWorker(store=watched(memory, after=after("insert", crash))).deliver(event("call.note"))
    clock.move(15 * 86_400)

    await tombstones(memory, clock).run()
    there = await state_of(memory)
    await retention(memory).run()
    clock.move(15 * 86_400)
    await tombstones(memory, clock).run()

    assert (there, memory.log, await memory.find(CALL)) == (State.DELETED, {}, None)


@pytest.mark.parametrize("point", ["expired_tombstones", "sizes", "renew_tombstones", "expire_tombstones"])
async def test_an_event_that_comes_while_its_tombstone_expires_is_deleted_or_makes_a_new_call(
    worker: MemoryWorker, clock: Clock, point: str
) -> None:
    await retention(worker.memory).run()
    clock.move(15 * 86_400)
    late = event("call.ended")
    meddled = watched(worker.memory, after=after(point, lambda: worker.deliver(late)))

    await tombstones(meddled, clock).run()
    await worker.rest()

    assert await is_deleted(worker.memory) or body_of(await worker.found()) == folded(late)


async def test_many_tombstones_expire_a_batch_at_a_time(clock: Clock) -> None:
    worker = MemoryWorker(memory=MemoryStore(clock))
    for number in range(25):
        await worker.deliver(event("call.ended", call=f"call-{number}"))
    await worker.rest()
    await retention(worker.memory).run()
    clock.move(15 * 86_400)

    job = tombstones(worker.memory, clock, batch=1)
    left = []
    for _ in range(2):
        await job.run()
        left.append(len(await worker.memory.read_states([f"org-789/call-{number}" for number in range(25)])))

    assert left == [5, 0]
