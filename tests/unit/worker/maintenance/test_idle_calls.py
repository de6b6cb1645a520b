"""The idle-call timeout: from an idle call to its inferred end."""

import orjson
import pytest
from aiokafka import TopicPartition

from services.worker.maintenance.idle_calls import Round
from services.worker.metrics import WORKER
from shared.config.policies import Policies, Policy
from shared.store.states import State
from tests.support.events.makers import STARTED, Json, event
from tests.support.store.makers import body_of
from tests.support.worker.fold_cases import BEGUN, CREATED, OPT_OUT, SAID
from tests.support.worker.idle_calls import DAY, HOUR, MINUTE, SLACK, IdleCalls, ended
from tests.support.worker.memory_worker import TELEPHONY, folded

SCHEDULED = event("call.scheduled")
PART = TopicPartition(TELEPHONY, 0)

# Timeouts


@pytest.mark.parametrize(
    ("bodies", "status", "limit"),
    [
        ([CREATED, BEGUN], "ONGOING", 2 * HOUR),
        ([CREATED], "REGISTERED", DAY),
        ([SCHEDULED], "SCHEDULED", DAY),
        ([event("call.scheduled", start_timestamp=STARTED + 9 * DAY * 1_000)], "SCHEDULED", 10 * DAY),
    ],
)
async def test_a_call_is_ended_once_it_has_been_idle_for_longer_than_its_timeout(
    bodies: list[Json], status: str, limit: int
) -> None:
    idle = IdleCalls()
    await idle.receive(*bodies)

    in_time = await idle.end_idle_calls(after=limit + SLACK)
    too_late = await idle.end_idle_calls(after=0.001)

    assert (in_time, too_late) == (Round(), ended(**{status: 1}))


async def test_an_ended_call_gets_the_record_of_its_events_and_the_published_end() -> None:
    idle = IdleCalls()
    await idle.receive(BEGUN, SAID)
    await idle.end_idle_calls(after=3 * HOUR)

    (end,) = await idle.fold_ends()

    found = await idle.worker.found()
    assert (found.state, body_of(found)) == (State.FINAL, folded(BEGUN, SAID, end))
    assert orjson.loads(body_of(found) or b"")["disconnection_reason"] == "inactivity"


async def test_an_organization_has_timeouts_of_its_own() -> None:
    idle = IdleCalls(Policies(organizations={"org-789": Policy(close_ongoing_seconds=12)}))
    await idle.receive(BEGUN, event("call.started", organization="org-790"))

    soon = await idle.end_idle_calls(after=13.1)
    (first,) = await idle.fold_ends()
    later = await idle.end_idle_calls(after=2 * HOUR)
    (second,) = await idle.fold_ends()

    assert (soon, first["organizationid"]) == (ended(ONGOING=1), "org-789")
    assert (later, second["organizationid"]) == (ended(ONGOING=1), "org-790")


async def test_a_long_call_is_not_ended_while_it_is_active() -> None:
    idle = IdleCalls()
    await idle.receive(BEGUN)

    rounds = []
    for hour in range(1, 30):
        rounds.append(await idle.end_idle_calls(after=HOUR))
        await idle.receive(event("transcript.turn", at=STARTED + hour * HOUR * 1_000))

    assert rounds == [Round()] * 29


async def test_the_latest_arrival_counts_though_it_is_within_the_slack_of_the_stored_one() -> None:
    idle = IdleCalls()
    await idle.receive(BEGUN)
    idle.clock.move(SLACK)
    await idle.receive(SAID)

    in_time = await idle.end_idle_calls(after=2 * HOUR)
    too_late = await idle.end_idle_calls(after=0.001)

    assert (in_time, too_late) == (Round(), ended(ONGOING=1))


async def test_calls_of_partitions_that_others_own_are_not_ended() -> None:
    idle = IdleCalls(owned=())
    await idle.receive(BEGUN)

    assert await idle.end_idle_calls(after=3 * HOUR) == Round()


# The commit barrier


async def test_nothing_is_ended_before_all_that_had_arrived_is_committed() -> None:
    idle = IdleCalls()
    await idle.receive(BEGUN)
    idle.commit_barrier.written[PART] = 2

    before = await idle.end_idle_calls(after=3 * HOUR)
    waiting = WORKER.registry.get_sample_value("callfold_commit_barrier_age_seconds")
    idle.clock.move(MINUTE)
    still = await idle.timeout.step()
    waiting_longer = WORKER.registry.get_sample_value("callfold_commit_barrier_age_seconds")
    idle.commit_barrier.committed[PART] = 2
    then = await idle.timeout.step()

    assert (before, still, then) == (Round(), Round(), ended(ONGOING=1))
    assert (waiting, waiting_longer, WORKER.registry.get_sample_value("callfold_commit_barrier_age_seconds")) == (
        0,
        60,
        0,
    )


async def test_a_call_with_unread_events_when_the_barrier_was_set_is_not_ended() -> None:
    idle = IdleCalls()
    await idle.receive(BEGUN)
    idle.clock.move(3 * HOUR)
    idle.commit_barrier.written[PART] = 2
    await idle.timeout.step()

    await idle.receive(SAID)
    idle.commit_barrier.committed[PART] = 2

    assert await idle.timeout.step() == Round()


@pytest.mark.parametrize("fewer", [False, True], ids=["shorter", "with fewer partitions"])
async def test_a_barrier_passes_once_a_topic_that_was_made_anew_is_written(fewer: bool) -> None:
    idle = IdleCalls()
    await idle.receive(BEGUN)
    idle.clock.move(3 * HOUR)
    idle.commit_barrier.written[PART] = 500
    await idle.timeout.step()

    idle.commit_barrier.written[PART] = idle.commit_barrier.committed[PART] = 3
    if fewer:
        del idle.commit_barrier.written[PART], idle.commit_barrier.committed[PART]
    unread = await idle.timeout.step()

    assert (unread, await idle.timeout.step()) == (Round(), ended(ONGOING=1))


async def test_idle_time_counts_until_the_barrier_was_set_and_not_until_it_passed() -> None:
    idle = IdleCalls()
    await idle.receive(BEGUN)
    idle.clock.move(HOUR)
    await idle.timeout.step()

    idle.clock.move(5 * HOUR)

    assert await idle.timeout.step() == Round()
    assert await idle.timeout.step() == ended(ONGOING=1)


# Afterwards


async def test_a_real_end_replaces_the_inferred_one_though_its_time_is_earlier() -> None:
    idle = IdleCalls()
    await idle.receive(BEGUN, SAID)
    await idle.end_idle_calls(after=3 * HOUR)
    ends = await idle.fold_ends()

    real = event("call.ended", at=STARTED - 1, source="/carrier", disconnection_reason="completed")
    await idle.receive(real)
    await idle.worker.rest()

    found = await idle.worker.found()
    assert body_of(found) == folded(BEGUN, SAID, *ends, real)
    assert orjson.loads(body_of(found) or b"")["disconnection_reason"] == "completed"


async def test_later_activity_reopens_the_call_and_the_timeout_ends_it_again_by_another_event() -> None:
    idle = IdleCalls()
    await idle.receive(BEGUN)
    await idle.end_idle_calls(after=3 * HOUR)
    first = await idle.fold_ends()
    later = event("call.dtmf", at=STARTED + 1)

    await idle.receive(later)
    await idle.worker.rest()
    reopened = (await idle.worker.found()).state
    at_once = await idle.end_idle_calls()
    again = await idle.end_idle_calls(after=3 * HOUR)
    second = await idle.fold_ends()

    found = await idle.worker.found()
    assert (reopened, at_once, again) == (State.LIVE, Round(), ended(ONGOING=1))
    assert {end["id"] for end in first}.isdisjoint(end["id"] for end in second)
    assert (found.state, body_of(found)) == (State.FINAL, folded(BEGUN, later, *first, *second))


async def test_two_workers_publish_one_event() -> None:
    idle = IdleCalls()
    await idle.receive(BEGUN, SAID)
    idle.clock.move(3 * HOUR)

    rounds = [await idle.end_idle_calls(idle_calls=idle.another()) for _ in range(2)]

    one, other = await idle.fold_ends()
    assert rounds == [ended(ONGOING=1)] * 2
    assert one == other
    assert body_of(await idle.worker.found()) == folded(BEGUN, SAID, one)


async def test_a_call_that_was_ended_is_not_ended_again() -> None:
    idle = IdleCalls()
    await idle.receive(BEGUN)
    await idle.end_idle_calls(after=3 * HOUR)
    await idle.fold_ends()

    assert await idle.end_idle_calls(after=30 * DAY) == Round()


async def test_an_opted_out_call_is_ended_too() -> None:
    idle = IdleCalls()
    await idle.receive(BEGUN, SAID, OPT_OUT)
    await idle.worker.rest()

    assert await idle.end_idle_calls(after=3 * HOUR) == ended(ONGOING=1)
    ends = await idle.fold_ends()
    assert body_of(await idle.worker.found()) == folded(BEGUN, SAID, OPT_OUT, *ends)
