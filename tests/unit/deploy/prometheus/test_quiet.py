"""No alert fires while everything is as it should be, or comes right by itself."""

from pathlib import Path

import pytest

from shared.lag.models import Cause
from tests.support.prometheus.promtool import check_alerts, needs_promtool
from tests.support.prometheus.simulation import MONITOR, WORKER, Stack, between

pytestmark = needs_promtool

QUIET = {
    "a rebalance of half a minute": Stack(40, capacity=between(32, 32.5, 0, 2000), cause=Cause.REBALANCE),
    "a deploy of all workers at once": Stack(40, worker=between(32, 33, 0, 1), cause=Cause.NO_WORKER),
    "a deploy of everything in the first minutes": Stack(
        15, worker=between(3, 4, 0, 1), api=between(3, 4, 0, 1), monitor=between(3, 4, 0, 1)
    ),
    "a burst of a minute at ten times the load": Stack(40, arrivals=between(32, 33, 5000, 500)),
    "a quiet night with the canary": Stack(40, arrivals=0.4, reads=0.1),
    "a quiet night without anything": Stack(40, arrivals=0, reads=0, canary=False),
    "late events in a quiet night": Stack(
        40, arrivals=between(32, 32.5, 0.1, 0), capacity=between(32, 33, 0, 9), reads=0, canary=False
    ),
    "a backlog that drains in ten minutes": Stack(80, arrivals=between(31, 31.5, 30_000, 500)),
    "a backlog from before the start": Stack(40, arrivals=between(0, 0.5, 30_000, 500)),
    "a restart of the monitor": Stack(40, monitor=between(32, 33, 0, 1)),
}


@pytest.mark.parametrize("stack", QUIET.values(), ids=QUIET.keys())
def test_no_alert_fires(stack: Stack, tmp_path: Path) -> None:
    check_alerts(tmp_path, stack.series(), stack.step, fired=set())


def test_what_was_counted_long_ago_does_not_count_again_when_scrapes_fail(tmp_path: Path) -> None:
    stack = Stack(40)
    counted = {
        f'callfold_dead_letters_total{{reason="not_json",{WORKER}}}': 1000.0,
        f'callfold_records_lost_total{{topic="calls.telephony",partition="0",{WORKER}}}': 1000.0,
        f'callfold_canary_calls_total{{result="wrong",{MONITOR}}}': 1000.0,
    }
    failed = range(64, 66)
    series = stack.series()
    series |= {name: [value] * len(series[f"up{{{WORKER}}}"]) for name, value in counted.items()}

    for name, samples in series.items():
        for at in failed if WORKER in name or MONITOR in name else ():
            samples[at] = 0.0 if name.startswith("up{") else None

    check_alerts(tmp_path, series, stack.step, fired=set())
