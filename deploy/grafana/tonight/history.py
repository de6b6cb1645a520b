"""How it came about: what waits, what comes and what is written, and what the dependencies did."""

from grafana_foundation_sdk.models import units
from grafana_foundation_sdk.models.dashboard import Panel

from deploy.grafana import pages
from deploy.grafana.panels import graph, timeline
from deploy.grafana.queries import INTERVAL, Query, quantiles
from deploy.grafana.shown import GREEN, ORANGE, RED, About, Shown
from deploy.grafana.states import answers_or_not, number_of_state, texts_of
from shared.lag.models import GroupState

_NAME = "{{topic}} {{partition}}"


def history() -> list[Panel]:
    return [_records(), _seconds(), _rates(), _drain(), _group(), _dependencies(), _mongodb(), _headroom()]


def _records() -> Panel:
    about = About(
        "How many records wait on each partition?",
        "Records that no worker has committed. A line that rises is behind; one that falls is caught up with.",
        pages.FALLING_BEHIND,
    )
    return graph(about, [Query("max by (topic, partition) (callfold_lag_records)", _NAME)], Shown(units.Short))


def _seconds() -> Panel:
    about = About(
        "How old is the oldest record of each partition?",
        "The age of the oldest record that is not committed, by its own timestamp. It rises by one second a second "
        "while nothing is committed. Under 3 s is the interval between two commits.",
        pages.CAUSES,
    )
    queries = [Query("max by (topic, partition) (callfold_lag_seconds)", _NAME)]
    return graph(about, queries, Shown(units.Seconds, {5: ORANGE, 60: RED}))


def _rates() -> Panel:
    about = About(
        "Does more come than is written?",
        "Records that arrive and records that are committed, a second, per topic. Arrivals above commits is a backlog "
        "that grows; no commits at all is a worker or a dependency that stands still.",
        pages.FALLING_BEHIND,
    )
    queries = [
        Query(_rise("callfold_end_offset"), "{{topic}}: arrive"),
        Query(_rise("callfold_committed_offset"), "{{topic}}: are committed"),
    ]
    return graph(about, queries, Shown(units.EventsPerSecond))


def _rise(offset: str) -> str:
    # A rate over NaN, which an offset is while it is not known, is NaN. The comparison leaves NaN out.
    return f"sum by (topic) (rate(({offset} >= 0)[{INTERVAL}:5s]))"


def _drain() -> Panel:
    about = About(
        "How long until nothing waits?",
        "Per topic, the slowest partition at its present rates; a gap is a partition that does not get there.",
        pages.FALLING_BEHIND,
    )
    queries = [Query("max by (topic) (callfold_lag_drain_seconds < Inf)", "{{topic}}")]
    return graph(about, queries, Shown(units.Seconds))


def _group() -> Panel:
    about = About(
        "What did the consumer group do?",
        "The state of the group. Rebalances that follow one another are workers that come and go.",
        pages.CAUSES,
        height=6,
    )
    query = Query(number_of_state("callfold_group_state", GroupState), "group")
    return timeline(about, [query], texts_of(GroupState))


def _dependencies() -> Panel:
    about = About(
        "Which dependency did not answer?",
        "What each process found. A dependency that fails for one process alone is a network or its rights.",
        pages.DEPENDENCY,
        height=6,
    )
    query = Query("max by (service, dependency) (callfold_dependency_unavailable)", "{{service}}: {{dependency}}")
    return timeline(about, [query], answers_or_not())


def _mongodb() -> Panel:
    about = About(
        "How fast does MongoDB write?",
        "The monitor's own small majority write, once a second. Workers need several such writes for a batch.",
        pages.DEPENDENCY,
    )
    queries = quantiles("callfold_monitor_mongodb_write_duration_seconds")
    return graph(about, queries, Shown(units.Seconds, {0.1: ORANGE, 1: RED}))


def _headroom() -> Panel:
    about = About(
        "Did the time until records are lost shrink?",
        "How long until retention deletes the oldest record that is not committed, per topic; a gap while none waits.",
        pages.HEADROOM,
    )
    queries = [Query("min by (topic) (callfold_loss_headroom_seconds < Inf)", "{{topic}}")]
    return graph(about, queries, Shown(units.Seconds, {21_600: ORANGE, 86_400: GREEN}, start=RED))
