"""Each partition: its verdict and cause over time, and its numbers now."""

from grafana_foundation_sdk.models import units
from grafana_foundation_sdk.models.dashboard import Panel

from deploy.grafana import pages
from deploy.grafana.panels import timeline
from deploy.grafana.queries import Query
from deploy.grafana.shown import GREEN, ORANGE, RED, About, Shown
from deploy.grafana.states import number_of_state, texts_of
from deploy.grafana.tables import rows
from shared.lag.models import Cause, Verdict

PARTITION = ("topic", "partition")
_NAME = "{{topic}} {{partition}}"


def partitions() -> list[Panel]:
    return [_verdicts(), _causes(), _table()]


def _verdicts() -> Panel:
    about = About(
        "Which partitions are late, since when?",
        "The verdict on each partition. All of them at once is a dependency or the group; a single one is a load that "
        "is not spread, or a worker that is frozen. A gap is a monitor that did not run.",
        pages.CAUSES,
        height=14,
    )
    query = Query(number_of_state("callfold_partition_verdict", Verdict, by=PARTITION), _NAME)
    return timeline(about, [query], texts_of(Verdict))


def _causes() -> Panel:
    about = About(
        "Why is each of them late?",
        "The cause on each partition, as far as the monitor can show it.",
        pages.CAUSES,
        height=14,
    )
    query = Query(number_of_state("callfold_partition_cause", Cause, by=PARTITION), _NAME)
    return timeline(about, [query], texts_of(Cause))


def _table() -> Panel:
    about = About(
        "How far is each partition behind?",
        "Each partition now: records that wait, the age of the oldest, how long until nothing waits at these rates, "
        "and how long until Kafka's retention deletes the oldest.",
        pages.CAUSES,
        width=24,
        height=14,
    )
    columns = {
        "Verdict": (
            Query(number_of_state("callfold_partition_verdict", Verdict, by=PARTITION)),
            Shown(units.NoUnit, mappings=texts_of(Verdict)),
        ),
        "Cause": (
            Query(number_of_state("callfold_partition_cause", Cause, by=PARTITION)),
            Shown(units.NoUnit, mappings=texts_of(Cause)),
        ),
        "Records that wait": (_of_each("callfold_lag_records"), Shown(units.Short, {10_000: ORANGE, 1_000_000: RED})),
        "Age of the oldest": (_of_each("callfold_lag_seconds"), Shown(units.Seconds, {5: ORANGE, 60: RED})),
        "Until nothing waits": (_of_each("callfold_lag_drain_seconds"), Shown(units.Seconds, {60: ORANGE, 3600: RED})),
        "Until records are lost": (
            _of_each("callfold_loss_headroom_seconds"),
            Shown(units.Seconds, {21_600: ORANGE, 86_400: GREEN}, start=RED),
        ),
    }
    return rows(about, columns, renamed={"topic": "Topic", "partition": "Partition"})


def _of_each(metric: str) -> Query:
    return Query(f"max by (topic, partition) ({metric})")
