"""Each alert fires when it should, no other does, and it ends with its reason."""

from collections.abc import Callable
from pathlib import Path

import pytest

from shared.lag.models import Cause
from tests.support.prometheus.promtool import check_alerts, needs_promtool
from tests.support.prometheus.simulation import API, MONITOR, TOPIC, WORKER, Stack, between

pytestmark = needs_promtool

STALLED, WITHOUT_OWNER, BEHIND = "CallfoldPartitionStalled", "CallfoldPartitionWithoutOwner", "CallfoldFallingBehind"
CANARY_LATE, CANARY_WRONG = "CallfoldCanaryLate", "CallfoldCanaryWrong"
UNAVAILABLE, API_GONE, MONITOR_GONE = "CallfoldDependencyUnavailable", "CallfoldApiGone", "CallfoldMonitorGone"
PARTITION = f'topic="{TOPIC}",partition="0",{MONITOR}'
MONGODB_AWAY = {f'callfold_dependency_unavailable{{dependency="mongodb",{WORKER}}}': between(2, 6, 1, 0)}
LITTLE_HEADROOM = {
    f"callfold_loss_headroom_seconds{{{PARTITION}}}": 80_000,
    f"callfold_lag_seconds{{{PARTITION}}}": 400,
}
OPEN_TRANSACTION = {
    f'callfold_open_transaction_seconds{{topic="{TOPIC}",partition="0",{WORKER}}}': between(2, 6, 90, 0)
}
DEAD_LETTERS = {f'callfold_dead_letters_total{{reason="not_json",{WORKER}}}': between(3, 99, 1, 0)}

SOON = {
    "the worker is stopped": (
        Stack(20, worker=between(2, 8, 0, 1), cause=Cause.NO_WORKER),
        {3: set(), 5: {WITHOUT_OWNER}, 7: {WITHOUT_OWNER, CANARY_LATE}, 14: set()},
    ),
    "the worker is frozen": (
        Stack(20, capacity=between(2, 8, 0, 2000), cause=Cause.WORKER_FROZEN),
        {3: set(), 5: {STALLED}, 7: {STALLED, CANARY_LATE}, 14: set()},
    ),
    "the load is more than the workers can do": (
        Stack(20, arrivals=between(2, 12, 3000, 500)),
        {5: set(), 9: {BEHIND, CANARY_LATE}, 11: {BEHIND, CANARY_LATE}, 19: set()},
    ),
    "everything comes to one partition": (
        Stack(20, arrivals=1500, share_of_first=0.9, canary=False),
        {5: set(), 8: {BEHIND}},
    ),
    "MongoDB is away": (
        Stack(15, capacity=between(2, 6, 0, 2000), cause=Cause.MONGODB_UNAVAILABLE, canary=False, extra=MONGODB_AWAY),
        {2: set(), 4: {UNAVAILABLE}, 7: set()},
    ),
    "the API is away": (
        Stack(20, api=between(2, 8, 0, 1)),
        {3: set(), 5: {API_GONE, CANARY_LATE}, 7: {API_GONE, CANARY_LATE}, 14: set()},
    ),
    "the monitor is away": (Stack(15, monitor=between(2, 8, 0, 1)), {4: set(), 6: {MONITOR_GONE}, 9: set()}),
    "the monitor sees nothing": (
        Stack(10, extra={f'callfold_lag_verdict{{verdict="unknown",{MONITOR}}}': between(2, 8, 1, 0)}),
        {4: set(), 6: {MONITOR_GONE}, 9: set()},
    ),
    "the monitor reads no more": (
        Stack(10, extra={f"callfold_monitor_last_reading_timestamp_seconds{{{MONITOR}}}": lambda at: min(at, 2) * 60}),
        {4: set(), 7: {MONITOR_GONE}},
    ),
    "canary calls do not become right": (Stack(10, canary_result="late"), {1: set(), 5: {CANARY_LATE}}),
    "the canary itself fails": (
        Stack(10, canary=False, extra={f"callfold_canary_errors_total{{{MONITOR}}}": lambda minute: 6 * minute}),
        {1: set(), 7: {CANARY_LATE}},
    ),
    "a canary call is wrong": (
        Stack(
            20, canary=False, extra={f'callfold_canary_calls_total{{result="wrong",{MONITOR}}}': between(3, 99, 1, 0)}
        ),
        {2: set(), 4: {CANARY_WRONG}, 15: set()},
    ),
    "retention deletes unread events soon": (Stack(10, extra=LITTLE_HEADROOM), {4: set(), 6: {"CallfoldLossHeadroom"}}),
    "a transaction stays open": (
        Stack(10, extra=OPEN_TRANSACTION),
        {2: set(), 4: {"CallfoldOpenTransaction"}, 7: set()},
    ),
    "the first dead letter": (Stack(20, extra=DEAD_LETTERS), {2: set(), 4: {"CallfoldDeadLetters"}, 15: set()}),
    "a call is broken": (
        Stack(10, extra={f"callfold_broken_calls{{{WORKER}}}": between(2, 6, 1, 0)}),
        {2: set(), 4: {"CallfoldCallsBroken"}, 7: set()},
    ),
}


@pytest.mark.parametrize(("stack", "firing_at"), SOON.values(), ids=SOON.keys())
def test_an_alert_fires_with_its_reason_and_ends_with_it(
    stack: Stack, firing_at: dict[int, set[str]], tmp_path: Path
) -> None:
    check_alerts(tmp_path, stack.series(), stack.step, fired=set().union(*firing_at.values()), firing_at=firing_at)


ROUTE = f'route="/api/calls/{{callId}}",{API}'
ERRORS = {f'callfold_api_requests_total{{status="503",{ROUTE}}}': lambda at: max(at - 32, 0) * 60}
LOST = {f'callfold_records_lost_total{{topic="{TOPIC}",partition="0",{WORKER}}}': between(32, 99, 9000, 0)}


def slow_responses(at: float) -> float:
    """Return how many responses were quick, of 20 a second: half of them after half an hour."""
    return 1200 * (min(at, 32) + max(at - 32, 0) / 2 + 0.5)


SLOW = {f'callfold_api_request_duration_seconds_bucket{{le="0.25",{ROUTE}}}': slow_responses}

BURNS = {
    "nobody reads": (
        Stack(48, worker=between(32, 99, 0, 1), cause=Cause.NO_WORKER, canary=False),
        {WITHOUT_OWNER, "CallfoldFreshnessBurnFast"},
    ),
    "records are lost": (Stack(36, extra=LOST), {"CallfoldCoverageBurnFast"}),
    "the API fails and is slow": (
        Stack(45, extra=ERRORS | SLOW),
        {"CallfoldApiAvailabilityBurnFast", "CallfoldApiLatencyBurnFast"},
    ),
}


@pytest.mark.parametrize(("stack", "fired"), BURNS.values(), ids=BURNS.keys())
def test_a_budget_that_is_spent_fast_is_a_page(stack: Stack, fired: set[str], tmp_path: Path) -> None:
    check_alerts(tmp_path, stack.series(), stack.step, fired=fired)


def slowly(bad: float) -> Callable[[float], float]:
    """Return the course of a counter that rises by so many a minute after the sixth hour."""
    return lambda at: max(at - 360, 0) * bad


SPENT_SLOWLY = {
    # 30,000 events a minute, and 1,200 requests
    f'callfold_records_lost_total{{topic="{TOPIC}",partition="0",{WORKER}}}': slowly(30),
    f'callfold_api_requests_total{{status="500",{ROUTE}}}': slowly(12),
    f'callfold_api_request_duration_seconds_bucket{{le="0.25",{ROUTE}}}': lambda at: 1200 * at - slowly(120)(at),
    f'callfold_arrival_to_readable_seconds_bucket{{le="5.0",{WORKER}}}': lambda at: 30_000 * at - slowly(3000)(at),
}


def test_a_budget_that_is_spent_slowly_is_a_ticket(tmp_path: Path) -> None:
    stack = Stack(8 * 60, step=240, canary=False, extra=SPENT_SLOWLY)

    check_alerts(
        tmp_path,
        stack.series(),
        stack.step,
        fired={f"Callfold{name}BurnSlow" for name in ("Freshness", "Coverage", "ApiAvailability", "ApiLatency")},
    )
