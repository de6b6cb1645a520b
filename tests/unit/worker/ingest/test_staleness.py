"""Which calls of a batch are updated, case by case (docs/decisions/0003)."""

import pytest

from services.worker.ingest.decode_batch import CallBatch
from services.worker.ingest.staleness import GrowthTrigger, update_of, updates_of
from shared.store.models import CallSnapshot, CallUpdate
from shared.store.states import State
from tests.support.store.makers import CALL

ARRIVED = 10_000_000
FIVE_MINUTES = 5 * 60 * 1000
STALE = CallUpdate(CALL, 7, ARRIVED, stale=True)
FIRST_SEEN = CallUpdate(CALL, 7, ARRIVED, stale=False)


def batch(*, events: int = 1, ends: bool = False, opts_out: bool = False, arrived: int = ARRIVED) -> CallBatch:
    types = ["call.note"] * events
    return CallBatch(CALL, b"call-456", 7, last_arrival=arrived, ends=ends, opts_out=opts_out, types=types)


def snapshot(state: State, *, stored: int = 0, arrived: int = ARRIVED, opted_out: bool = False) -> CallSnapshot:
    return CallSnapshot(state, opted_out, arrived, stored)


@pytest.mark.parametrize("state", [None, *State])
def test_a_call_that_ends_is_marked_stale_in_every_state(state: State | None) -> None:
    read_state = None if state is None else snapshot(state)

    assert update_of(batch(ends=True), read_state, GrowthTrigger()) == STALE


@pytest.mark.parametrize("state", [None, *State])
def test_a_call_that_opts_out_is_marked_so_in_every_state(state: State | None) -> None:
    read_state = None if state is None else snapshot(state)

    assert update_of(batch(opts_out=True), read_state, GrowthTrigger()) == CallUpdate(
        CALL, 7, ARRIVED, stale=True, opted_out=True
    )


@pytest.mark.parametrize("state", [State.FOLDING, State.FINAL, State.BROKEN])
def test_a_call_that_is_folding_or_settled_is_marked_stale(state: State) -> None:
    assert update_of(batch(), snapshot(state), GrowthTrigger()) == STALE


def test_a_call_that_is_first_seen_gets_its_header() -> None:
    assert update_of(batch(), None, GrowthTrigger()) == FIRST_SEEN


@pytest.mark.parametrize(("events", "stale"), [(49, False), (50, True)])
def test_a_call_whose_first_batch_is_large_is_folded_at_once(events: int, stale: bool) -> None:
    update = update_of(batch(events=events), None, GrowthTrigger())

    assert update is not None
    assert update.stale is stale


@pytest.mark.parametrize("state", [State.LIVE, State.STALE])
def test_a_live_or_stale_call_needs_no_update(state: State) -> None:
    assert update_of(batch(), snapshot(state, stored=100), GrowthTrigger()) is None


def test_a_call_that_opted_out_before_needs_no_update() -> None:
    assert update_of(batch(), snapshot(State.LIVE, opted_out=True), GrowthTrigger()) is None


@pytest.mark.parametrize("slack", [FIVE_MINUTES, 80])
@pytest.mark.parametrize(("state", "update"), [(State.LIVE, FIRST_SEEN), (State.STALE, STALE)])
def test_the_last_arrival_is_updated_when_it_is_further_behind_than_the_slack(
    state: State, update: CallUpdate, slack: int
) -> None:
    known = [snapshot(state, stored=100, arrived=ARRIVED - since) for since in (slack, slack + 1)]

    assert [update_of(batch(), each, GrowthTrigger(), slack) for each in known] == [None, update]


def test_only_the_calls_that_need_it_are_updated() -> None:
    calls = {"o/new": batch(), "o/live": batch(), "o/final": batch()}
    snapshots = {"o/live": snapshot(State.LIVE), "o/final": snapshot(State.FINAL)}

    assert updates_of(calls, snapshots, GrowthTrigger()) == [FIRST_SEEN, STALE]


# Growth: a live call is folded when it has doubled


@pytest.mark.parametrize(("stored", "due"), [(0, 50), (10, 50), (50, 50), (51, 51), (400, 400)])
def test_a_live_call_is_marked_stale_after_as_many_events_as_are_stored_and_at_least_fifty(
    stored: int, due: int
) -> None:
    growth = GrowthTrigger()

    updates = [update_of(batch(), snapshot(State.LIVE, stored=stored), growth) for _ in range(due)]

    assert updates == [None] * (due - 1) + [STALE]


def test_the_count_starts_again_after_a_growth_trigger() -> None:
    growth = GrowthTrigger()
    assert growth.is_due(CALL, 50, 0)

    assert not growth.is_due(CALL, 49, 50)
    assert growth.is_due(CALL, 1, 50)


def test_each_call_has_its_own_count() -> None:
    growth = GrowthTrigger()
    growth.is_due(CALL, 49, 0)

    assert not growth.is_due("o/other", 1, 0)


@pytest.mark.parametrize("events", [100, 1_000, 30_000])
def test_each_event_is_folded_a_constant_number_of_times_however_long_the_call(events: int) -> None:
    growth, stored, folded = GrowthTrigger(), 0, 0

    for number in range(1, events + 1):
        if growth.is_due(CALL, 1, stored):
            stored = number
            folded += number

    assert stored >= events / 2
    assert folded <= 2 * events
