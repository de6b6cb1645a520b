"""The state of everything at this moment, in numbers."""

from grafana_foundation_sdk.models import units
from grafana_foundation_sdk.models.dashboard import Panel

from deploy.grafana import pages
from deploy.grafana.panels import number
from deploy.grafana.queries import Query
from deploy.grafana.shown import GREEN, ORANGE, RED, About, Shown
from deploy.grafana.states import answers_or_not, number_of_state, texts_of
from deploy.grafana.tables import rows
from shared.lag.models import Cause, GroupState, Verdict

DAY = 86_400
SILENT = "the monitor is silent"
_ALERTS = 'alertname=~"Callfold.+"'


def group() -> list[Panel]:
    return [
        _verdict(),
        _cause(),
        _last_ok(),
        _records(),
        _oldest(),
        _drain(),
        _group_state(),
        _members(),
        _headroom(),
        _canary(),
        _dependencies(),
        _firing(),
    ]


def _verdict() -> Panel:
    about = About(
        "Is anything late?",
        "The monitor's verdict on the whole consumer group: the worst of its partitions, judged by their movement.",
        pages.CAUSES,
        width=4,
        height=5,
    )
    query = Query(number_of_state("callfold_lag_verdict", Verdict))
    return number(about, query, Shown(units.NoUnit, mappings=texts_of(Verdict)), nothing=SILENT)


def _cause() -> Panel:
    about = About(
        "Why?",
        "The cause that the monitor can show; `none` while nothing is late, `unknown` where it cannot tell.",
        pages.CAUSES,
        width=4,
        height=5,
    )
    query = Query(number_of_state("callfold_lag_cause", Cause))
    return number(about, query, Shown(units.NoUnit, mappings=texts_of(Cause)), nothing=SILENT)


def _last_ok() -> Panel:
    about = About(
        "How long ago was it last ok?",
        "Since the verdict was `ok` for the last time, to half a minute, within the last six hours.",
        pages.CAUSES,
        width=4,
        height=5,
    )
    moment = 'max(max_over_time(timestamp(callfold_lag_verdict{verdict="ok"} == 1)[6h:30s]))'
    shown = Shown(units.Seconds, {60: ORANGE, 300: RED})
    return number(about, Query(f"time() - {moment}"), shown, nothing="more than 6 h")


def _records() -> Panel:
    about = About(
        "How many records wait?",
        "Records of both input topics that no worker has committed, as a reader of committed transactions counts them.",
        pages.FALLING_BEHIND,
        width=4,
        height=5,
    )
    return number(about, Query("sum(callfold_lag_records)"), Shown(units.Short, {10_000: ORANGE, 1_000_000: RED}))


def _oldest() -> Panel:
    about = About(
        "How old is the oldest of them?",
        "The age of the oldest record that is not committed, by its own timestamp. Readers miss what came since.",
        pages.CAUSES,
        width=4,
        height=5,
    )
    return number(about, Query("max(callfold_lag_seconds)"), Shown(units.Seconds, {5: ORANGE, 60: RED}))


def _drain() -> Panel:
    about = About(
        "When is nothing left?",
        "How long the slowest partition needs at its present rates; infinite while more comes than is written.",
        pages.FALLING_BEHIND,
        width=4,
        height=5,
    )
    return number(about, Query("max(callfold_lag_drain_seconds)"), Shown(units.Seconds, {60: ORANGE, 3600: RED}))


def _group_state() -> Panel:
    about = About(
        "Are the workers in their group?",
        "The state of the consumer group: `empty` is no worker, `rebalancing` is partitions that change hands.",
        pages.WITHOUT_OWNER,
        width=4,
        height=5,
    )
    query = Query(number_of_state("callfold_group_state", GroupState))
    return number(about, query, Shown(units.NoUnit, mappings=texts_of(GroupState)), nothing=SILENT)


def _members() -> Panel:
    about = About(
        "How many workers are in it?", "Members of the consumer group.", pages.WITHOUT_OWNER, width=4, height=5
    )
    return number(about, Query("max(callfold_group_members)"), Shown(units.Short, {1: GREEN}, start=RED))


def _headroom() -> Panel:
    about = About(
        "How long until records are lost?",
        "How long until Kafka's retention deletes the oldest record that is not committed. Infinite while none waits.",
        pages.HEADROOM,
        width=4,
        height=5,
    )
    shown = Shown(units.Seconds, {DAY / 4: ORANGE, DAY: GREEN}, start=RED)
    return number(about, Query("min(callfold_loss_headroom_seconds)"), shown)


def _canary() -> Panel:
    about = About(
        "How long ago did a canary call come through?",
        "Every 10 s the monitor publishes a call of its own and reads its record over HTTP; since the last right one.",
        pages.CANARY_LATE,
        width=4,
        height=5,
    )
    query = Query("time() - max(callfold_canary_last_right_timestamp_seconds)")
    return number(about, query, Shown(units.Seconds, {30: ORANGE, 60: RED}), nothing="the canary is off")


def _dependencies() -> Panel:
    about = About(
        "Which dependency does not answer?",
        "What each process finds: Kafka, MongoDB and the API for the monitor, Kafka and MongoDB for worker and API.",
        pages.DEPENDENCY,
        width=8,
        height=5,
    )
    query = Query("max by (service, dependency) (callfold_dependency_unavailable)", "{{service}}: {{dependency}}")
    return number(about, query, Shown(units.NoUnit, mappings=answers_or_not()))


def _firing() -> Panel:
    about = About(
        "Which alerts are pending or firing?",
        "The alerts of Callfold, and since when each has been active. Each leads to a page of the runbooks.",
        pages.RUNBOOKS,
        width=24,
        height=7,
    )
    since = Query(f"ALERTS{{{_ALERTS}}} * ignoring (alertstate) group_left () ALERTS_FOR_STATE{{{_ALERTS}}} * 1000")
    return rows(
        about,
        {"Since": (since, Shown(units.DateTimeFromNow))},
        renamed={"alertname": "Alert", "alertstate": "State", "severity": "Severity"},
        hidden=("__name__", "job", "instance"),
        nothing="none",
    )
