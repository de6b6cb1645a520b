"""When a drill counts as seen, and as over."""

from contextlib import nullcontext
from dataclasses import replace

import pytest

from deploy.drills.catalogue import Drill
from deploy.drills.rehearsal import Rehearsal, rows
from deploy.drills.watching import Detection, Shown, wait_until_calm
from shared.lag.models import Cause, Verdict

ALERT = "CallfoldPartitionStalled"
DRILL = Drill(
    "worker-away",
    "the worker is away",
    "It was away.",
    lambda _scene: nullcontext(),
    frozenset({Verdict.STALLED}),
    frozenset({Cause.WORKER_FROZEN}),
    frozenset({ALERT}),
)
OK = Shown(Verdict.OK, Cause.NONE, (), {})
STALLED = Shown(Verdict.STALLED, Cause.WORKER_FROZEN, (), {})
ALARMED = replace(STALLED, alerts={ALERT: "pending"})


def seen(*looks: Shown, drill: Drill = DRILL) -> Detection:
    """Return what is detected of looks, one a second."""
    detection = Detection(drill, drill.alerts)
    for second, shown in enumerate(looks):
        detection.observe(shown, float(second))
    return detection


def test_the_time_to_detect_ends_when_verdict_cause_and_alert_have_been_there() -> None:
    detection = seen(OK, STALLED, STALLED, ALARMED, ALARMED)

    assert (detection.verdict_seconds, detection.alert_seconds, detection.seconds) == (1.0, 3.0, 3.0)
    assert detection.alert == f"{ALERT} pending"


@pytest.mark.parametrize(
    "looks",
    [
        (OK, STALLED),
        (replace(ALARMED, verdict=Verdict.NO_OWNER),),
        (replace(ALARMED, cause=Cause.UNKNOWN),),
        (replace(STALLED, alerts={"CallfoldFallingBehind": "firing"}),),
    ],
    ids=["no alert", "another verdict", "another cause", "another alert"],
)
def test_a_drill_is_not_seen_by_a_part_of_what_it_should_show(looks: tuple[Shown, ...]) -> None:
    detection = seen(*looks)

    assert detection.seconds is None


def test_what_holds_for_one_partition_may_not_be_shown_of_two() -> None:
    drill = replace(DRILL, one_partition=True)
    one = replace(ALARMED, partitions=((Verdict.STALLED, Cause.WORKER_FROZEN), (Verdict.OK, Cause.NONE)))
    two = replace(ALARMED, partitions=((Verdict.STALLED, Cause.WORKER_FROZEN),) * 2)

    assert seen(two, drill=drill).seconds is None
    assert seen(two, one, drill=drill).seconds == 1.0


def test_a_fault_is_over_when_several_looks_in_a_row_show_nothing() -> None:
    looks = iter([ALARMED, OK, replace(OK, alerts={ALERT: "firing"}), OK, OK, OK, STALLED])

    last = wait_until_calm(lambda: next(looks), DRILL.alerts, within=60)

    assert last == OK
    assert next(looks) == STALLED


def test_a_fault_that_is_not_over_is_shown_as_it_is() -> None:
    last = wait_until_calm(lambda: STALLED, DRILL.alerts, within=0.0)

    assert last == STALLED


def test_the_table_has_a_line_for_each_drill() -> None:
    lines = list(rows([Rehearsal(seen(OK, STALLED, ALARMED), OK, 4.25)]))

    assert lines[2:] == [f"| `worker-away` | `stalled` | `worker_frozen` | {ALERT} pending | 1.0 | 2.0 | 4.2 |"]
