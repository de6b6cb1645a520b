"""What did not become part of a record, and what came without something."""

from grafana_foundation_sdk.models import units
from grafana_foundation_sdk.models.dashboard import Panel

from deploy.grafana import pages
from deploy.grafana.panels import graph, number
from deploy.grafana.queries import Query, rate
from deploy.grafana.shown import RED, About, Shown


def invalid() -> list[Panel]:
    return [_dead_letters(), _problems(), _passed_over(), _lost(), _mis_keyed()]


def _dead_letters() -> Panel:
    about = About(
        "How many records are invalid, and why?",
        "Dead letters a minute by reason. A rise is a publisher that changed.",
        pages.DEAD_LETTERS,
    )
    queries = [
        Query(f"{rate('callfold:dead_letters:sum_by_instance')} * 60", "all"),
        Query(f"{rate('callfold_dead_letters_total', by='reason')} * 60", "{{reason}}"),
    ]
    return graph(about, queries, Shown(units.EventsPerMinute))


def _problems() -> Panel:
    about = About(
        "What is wrong with events that count?",
        "Problems a minute by kind, counted at each fold: the event counts without what is wrong.",
        pages.PROBLEMS,
    )
    query = Query(f"{rate('callfold_problems_total', by='kind')} * 60", "{{kind}}")
    return graph(about, [query], Shown(units.EventsPerMinute), stacked=True)


def _passed_over() -> Panel:
    about = About(
        "How many records were passed over?",
        "In the last day: records of batches that are too large or that cannot be read.",
        pages.UNREAD,
        width=8,
        height=5,
    )
    query = Query("sum(increase(callfold:unread_records:sum_by_instance[1d]))")
    return number(about, query, Shown(units.Short, {1: RED}, decimals=0))


def _lost() -> Panel:
    about = About(
        "How many records were lost?",
        "In the last day: records that Kafka removed before a worker had read them.",
        pages.LOST,
        width=8,
        height=5,
    )
    query = Query("sum(increase(callfold:records_lost:sum_by_instance[1d]))")
    return number(about, query, Shown(units.Short, {1: RED}, decimals=0))


def _mis_keyed() -> Panel:
    about = About(
        "How many events have a wrong key?",
        "In the last day: events whose key is not the id of their call. They count; they cost the workers more.",
        pages.METRICS,
        width=8,
        height=5,
    )
    query = Query("sum(increase(callfold_mis_keyed_events_total[1d]))")
    return number(about, query, Shown(units.Short, decimals=0))
