"""Which calls of a batch are marked: the table of the storage's design, row by row."""

import pytest

from services.worker.ingest.decode_batch import CallBatch
from services.worker.ingest.staleness import GrowthTrigger, update_of, updates_of
from shared.store.models import CallSnapshot, CallUpdate
from shared.store.states import State
from tests.support.store.makers import CALL

ARRIVED = 10_000_000
FIVE_MINUTES = 5 * 60 * 1000
STALE = CallUpdate(CALL, 7, ARRIVED, stale=True)
SEEN_ONLY = CallUpdate(CALL, 7, ARRIVED, stale=False)


def brings(*, events: int = 1, ends: bool = False, opts_out: bool = False, arrived: int = ARRIVED) -> CallBatch:
    return CallBatch(CALL, b"call-456", 7, last_arrival=arrived, ends=ends, opts_out=opts_out, events=events)


def found(state: State, *, stored: int = 0, arrived: int = ARRIVED, opted_out: bool = False) -> CallSnapshot:
    return CallSnapshot(state, opted_out, arrived, stored)


@pytest.mark.parametrize("state", [None, *State])
def test_a_call_that_ends_is_marked_whatever_the_look_found(state: State | None) -> None:
    sighting = None if state is None else found(state)

    assert update_of(brings(ends=True), sighting, GrowthTrigger()) == STALE


@pytest.mark.parametrize("state", [None, *State])
def test_a_call_that_opts_out_is_marked_so_whatever_the_look_found(state: State | None) -> None:
    sighting = None if state is None else found(state)

    assert update_of(brings(opts_out=True), sighting, GrowthTrigger()) == CallUpdate(
        CALL, 7, ARRIVED, stale=True, opted_out=True
    )


@pytest.mark.parametrize("state", [State.FOLDING, State.FINAL, State.BROKEN])
def test_a_call_that_is_being_or_has_been_settled_is_marked(state: State) -> None:
    assert update_of(brings(), found(state), GrowthTrigger()) == STALE


def test_a_call_at_first_sight_gets_its_header() -> None:
    assert update_of(brings(), None, GrowthTrigger()) == SEEN_ONLY


@pytest.mark.parametrize(("events", "stale"), [(49, False), (50, True)])
def test_a_call_whose_first_batch_is_large_is_folded_at_once(events: int, stale: bool) -> None:
    mark = update_of(brings(events=events), None, GrowthTrigger())

    assert mark is not None
    assert mark.stale is stale


@pytest.mark.parametrize("state", [State.LIVE, State.STALE])
def test_a_call_that_is_live_or_stale_already_needs_nothing(state: State) -> None:
    assert update_of(brings(), found(state, stored=100), GrowthTrigger()) is None


def test_a_call_that_opted_out_before_needs_nothing_more_than_another() -> None:
    assert update_of(brings(), found(State.LIVE, opted_out=True), GrowthTrigger()) is None


@pytest.mark.parametrize("slack", [FIVE_MINUTES, 80])
@pytest.mark.parametrize(("state", "mark_stale"), [(State.LIVE, SEEN_ONLY), (State.STALE, STALE)])
def test_the_last_arrival_is_moved_when_it_lies_further_behind_than_it_may(
    state: State, mark: CallUpdate, slack: int
) -> None:
    known = [found(state, stored=100, arrived=ARRIVED - since) for since in (slack, slack + 1)]

    assert [update_of(brings(), each, GrowthTrigger(), slack) for each in known] == [None, mark]


def test_only_the_calls_that_need_it_are_marked() -> None:
    calls = {"o/new": brings(), "o/live": brings(), "o/final": brings()}
    seen = {"o/live": found(State.LIVE), "o/final": found(State.FINAL)}

    assert updates_of(calls, seen, GrowthTrigger()) == [SEEN_ONLY, STALE]


# Growth: a live call is folded now and then, so that MongoDB shows it too


@pytest.mark.parametrize(("stored", "due"), [(0, 50), (10, 50), (50, 50), (51, 51), (400, 400)])
def test_a_live_call_is_marked_once_it_has_brought_as_many_events_as_are_stored_and_fifty(
    stored: int, due: int
) -> None:
    growth = GrowthTrigger()

    marks = [update_of(brings(), found(State.LIVE, stored=stored), growth) for _ in range(due)]

    assert marks == [None] * (due - 1) + [STALE]


def test_after_a_mark_it_is_counted_anew() -> None:
    growth = GrowthTrigger()
    assert growth.is_due(CALL, 50, 0)

    assert not growth.is_due(CALL, 49, 50)
    assert growth.is_due(CALL, 1, 50)


def test_calls_are_counted_apart() -> None:
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
