"""The closer: from a call that has gone silent to its inferred end."""

import orjson
import pytest
from aiokafka import TopicPartition

from services.worker.maintenance.idle_calls import Round
from shared.config.policies import Policies, Policy
from shared.process.metrics import WORKER
from shared.store.states import State
from tests.support.events.makers import STARTED, Json, event
from tests.support.worker.fold_cases import BEGUN, CREATED, OPT_OUT, SAID
from tests.support.worker.idle_calls import DAY, HOUR, MINUTE, SLACK, Desk, ended
from tests.support.worker.memory_worker import TELEPHONY, folded

SCHEDULED = event("call.scheduled")
PART = TopicPartition(TELEPHONY, 0)

# The limits


@pytest.mark.parametrize(
    ("told", "status", "limit"),
    [
        ([CREATED, BEGUN], "ONGOING", 2 * HOUR),
        ([CREATED], "REGISTERED", DAY),
        ([SCHEDULED], "SCHEDULED", DAY),
        ([event("call.scheduled", start_timestamp=STARTED + 9 * DAY * 1_000)], "SCHEDULED", 10 * DAY),
    ],
)
async def test_a_call_is_closed_once_it_was_silent_for_longer_than_its_limit(
    told: list[Json], status: str, limit: int
) -> None:
    desk = Desk()
    await desk.receive(*told)

    in_time = await desk.end_idle_calls(after=limit + SLACK)
    too_late = await desk.end_idle_calls(after=0.001)

    assert (in_time, too_late) == (Round(), ended(**{status: 1}))


async def test_a_closed_call_gets_the_record_that_its_events_and_the_published_one_tell_of() -> None:
    desk = Desk()
    await desk.receive(BEGUN, SAID)
    await desk.end_idle_calls(after=3 * HOUR)

    (end,) = await desk.fold_ends()

    found = await desk.worker.found()
    assert (found.state, found.body) == (State.FINAL, folded(BEGUN, SAID, end))
    assert orjson.loads(found.body or b"")["disconnection_reason"] == "inactivity"


async def test_an_organization_has_limits_of_its_own() -> None:
    desk = Desk(Policies(organizations={"org-789": Policy(close_ongoing_seconds=12)}))
    await desk.receive(BEGUN, event("call.started", organization="org-790"))

    soon = await desk.end_idle_calls(after=13.1)
    (first,) = await desk.fold_ends()
    later = await desk.end_idle_calls(after=2 * HOUR)
    (second,) = await desk.fold_ends()

    assert (soon, first["organizationid"]) == (ended(ONGOING=1), "org-789")
    assert (later, second["organizationid"]) == (ended(ONGOING=1), "org-790")


async def test_a_call_that_is_merely_long_is_not_closed_while_it_talks() -> None:
    desk = Desk()
    await desk.receive(BEGUN)

    rounds = []
    for hour in range(1, 30):
        rounds.append(await desk.end_idle_calls(after=HOUR))
        await desk.receive(event("transcript.turn", at=STARTED + hour * HOUR * 1_000))

    assert rounds == [Round()] * 29


async def test_the_latest_arrival_counts_though_it_was_too_soon_after_another_to_be_kept() -> None:
    desk = Desk()
    await desk.receive(BEGUN)
    desk.clock.move(SLACK)
    await desk.receive(SAID)

    in_time = await desk.end_idle_calls(after=2 * HOUR)
    too_late = await desk.end_idle_calls(after=0.001)

    assert (in_time, too_late) == (Round(), ended(ONGOING=1))


async def test_calls_of_partitions_that_others_own_are_theirs() -> None:
    desk = Desk(owned=())
    await desk.receive(BEGUN)

    assert await desk.end_idle_calls(after=3 * HOUR) == Round()


# The fence


async def test_nothing_is_closed_before_all_that_had_arrived_is_committed() -> None:
    desk = Desk()
    await desk.receive(BEGUN)
    desk.commit_barrier.written[PART] = 2

    before = await desk.end_idle_calls(after=3 * HOUR)
    waiting = WORKER.get_sample_value("callfold_commit_barrier_age_seconds")
    desk.clock.move(MINUTE)
    still = await desk.idle_calls.step()
    waiting_longer = WORKER.get_sample_value("callfold_commit_barrier_age_seconds")
    desk.commit_barrier.committed[PART] = 2
    then = await desk.idle_calls.step()

    assert (before, still, then) == (Round(), Round(), ended(ONGOING=1))
    assert (waiting, waiting_longer, WORKER.get_sample_value("callfold_commit_barrier_age_seconds")) == (0, 60, 0)


async def test_a_call_whose_events_were_on_their_way_when_the_fence_was_set_up_is_not_closed() -> None:
    desk = Desk()
    await desk.receive(BEGUN)
    desk.clock.move(3 * HOUR)
    desk.commit_barrier.written[PART] = 2
    await desk.idle_calls.step()

    await desk.receive(SAID)
    desk.commit_barrier.committed[PART] = 2

    assert await desk.idle_calls.step() == Round()


async def test_silence_counts_until_the_fence_was_set_up_and_not_until_it_was_passed() -> None:
    desk = Desk()
    await desk.receive(BEGUN)
    desk.clock.move(HOUR)
    await desk.idle_calls.step()

    desk.clock.move(5 * HOUR)

    assert await desk.idle_calls.step() == Round()
    assert await desk.idle_calls.step() == ended(ONGOING=1)


# Afterwards


async def test_a_real_end_replaces_the_inferred_one_though_its_time_is_earlier() -> None:
    desk = Desk()
    await desk.receive(BEGUN, SAID)
    await desk.end_idle_calls(after=3 * HOUR)
    ends = await desk.fold_ends()

    real = event("call.ended", at=STARTED - 1, disconnection_reason="completed")
    await desk.receive(real)
    await desk.worker.rest()

    found = await desk.worker.found()
    assert found.body == folded(BEGUN, SAID, *ends, real)
    assert orjson.loads(found.body or b"")["disconnection_reason"] == "completed"


async def test_a_later_sign_of_life_reopens_the_call_and_silence_closes_it_again_by_another_event() -> None:
    desk = Desk()
    await desk.receive(BEGUN)
    await desk.end_idle_calls(after=3 * HOUR)
    first = await desk.fold_ends()
    later = event("call.dtmf", at=STARTED + 1)

    await desk.receive(later)
    await desk.worker.rest()
    reopened = (await desk.worker.found()).state
    at_once = await desk.end_idle_calls()
    again = await desk.end_idle_calls(after=3 * HOUR)
    second = await desk.fold_ends()

    found = await desk.worker.found()
    assert (reopened, at_once, again) == (State.LIVE, Round(), ended(ONGOING=1))
    assert {end["id"] for end in first}.isdisjoint(end["id"] for end in second)
    assert (found.state, found.body) == (State.FINAL, folded(BEGUN, later, *first, *second))


async def test_two_closers_publish_one_event() -> None:
    desk = Desk()
    await desk.receive(BEGUN, SAID)
    desk.clock.move(3 * HOUR)

    rounds = [await desk.end_idle_calls(idle_calls=desk.another()) for _ in range(2)]

    one, other = await desk.fold_ends()
    assert rounds == [ended(ONGOING=1)] * 2
    assert one == other
    assert (await desk.worker.found()).body == folded(BEGUN, SAID, one)


async def test_a_call_that_is_closed_is_not_closed_again() -> None:
    desk = Desk()
    await desk.receive(BEGUN)
    await desk.end_idle_calls(after=3 * HOUR)
    await desk.fold_ends()

    assert await desk.end_idle_calls(after=30 * DAY) == Round()


async def test_an_opted_out_call_is_closed_too() -> None:
    desk = Desk()
    await desk.receive(BEGUN, SAID, OPT_OUT)
    await desk.worker.rest()

    assert await desk.end_idle_calls(after=3 * HOUR) == ended(ONGOING=1)
    ends = await desk.fold_ends()
    assert (await desk.worker.found()).body == folded(BEGUN, SAID, OPT_OUT, *ends)
