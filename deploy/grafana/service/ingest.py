"""What comes, and how soon it is durable and readable."""

from grafana_foundation_sdk.models import units
from grafana_foundation_sdk.models.dashboard import Panel

from deploy.grafana import pages
from deploy.grafana.panels import graph
from deploy.grafana.queries import Query, mean, quantile, quantiles, rate
from deploy.grafana.shown import ORANGE, RED, About, Shown

_STEP = "callfold_batch_step_duration_seconds"


def ingest() -> list[Panel]:
    return [_types(), _outcomes(), _latency(), _steps(), _slow_steps(), _batches(), _commits(), _rebalances()]


def _types() -> Panel:
    about = About(
        "How many events come, by type?",
        "Events a second that are written, repeated deliveries included. `unknown` is of a type that is not in the "
        "contract, which counts on the timeline alone.",
        pages.METRICS,
    )
    query = Query(rate("callfold_events_total", by="type", where='outcome="written"'), "{{type}}")
    return graph(about, [query], Shown(units.EventsPerSecond), stacked=True)


def _outcomes() -> Panel:
    about = About(
        "What becomes of events?",
        "Events a second by outcome: `written` is durable, `dead_letter` is invalid, `late` is of a deleted call.",
        pages.DEAD_LETTERS,
    )
    query = Query(rate("callfold_events_total", by="outcome"), "{{outcome}}")
    return graph(about, [query], Shown(units.EventsPerSecond))


def _latency() -> Panel:
    about = About(
        "How soon are events durable, and readable?",
        "From the arrival in Kafka: until the event is in MongoDB's majority, and until a read finds it.",
        pages.FRESHNESS,
    )
    queries = [
        *quantiles("callfold_arrival_to_durable_seconds", "durable"),
        *quantiles("callfold_arrival_to_readable_seconds", "readable"),
    ]
    return graph(about, queries, Shown(units.Seconds, {5: RED}))


def _steps() -> Panel:
    about = About(
        "On what do workers spend the time of a batch?",
        "Seconds a second in each step of a batch, of all workers together.",
        pages.BEHIND,
    )
    query = Query(rate(f"{_STEP}_sum", by="step"), "{{step}}")
    return graph(about, [query], Shown(units.Seconds), stacked=True)


def _slow_steps() -> Panel:
    about = About(
        "Which step of a batch is slow?",
        "What 99 % of the batches do not exceed in each step. All of MongoDB's steps together are a slow MongoDB.",
        pages.DEPENDENCY,
    )
    query = Query(quantile(0.99, _STEP, by="step"), "{{step}}")
    return graph(about, [query], Shown(units.Seconds, {1: ORANGE, 5: RED}))


def _batches() -> Panel:
    about = About(
        "How large are batches?",
        "Events in a batch. Batches grow with the load; large ones all the time are workers at their limit.",
        pages.BEHIND,
    )
    queries = [Query(mean("callfold_batch_events"), "mean"), *quantiles("callfold_batch_events")]
    return graph(about, queries, Shown(units.Short))


def _commits() -> Panel:
    about = About(
        "How long ago was each partition committed?",
        "As the worker that owns the partition has it. Without new records there is nothing to commit.",
        pages.BEHIND,
    )
    age = "time() - max by (topic, partition) (callfold_last_commit_timestamp_seconds)"
    return graph(about, [Query(age, "{{topic}} {{partition}}")], Shown(units.Seconds))


def _rebalances() -> Panel:
    about = About(
        "How often does the group rebalance, and how long?",
        "Rebalances a minute that workers saw, and for how many seconds a minute they kept workers from reading.",
        pages.EXITS,
    )
    queries = [
        Query(f"{rate('callfold_rebalances_total')} * 60", "rebalances a minute"),
        Query(f"{rate('callfold_rebalance_duration_seconds_sum')} * 60", "seconds a minute without reading"),
    ]
    return graph(about, queries, Shown(units.Short))
