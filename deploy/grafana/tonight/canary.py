"""The monitor's own calls, published like a provider's and read like a customer's."""

from grafana_foundation_sdk.models import units
from grafana_foundation_sdk.models.dashboard import Panel

from deploy.grafana import pages
from deploy.grafana.panels import graph
from deploy.grafana.queries import Query, quantiles, rate
from deploy.grafana.shown import ORANGE, RED, About, Shown


def canary() -> list[Panel]:
    return [_results(), _readable(), _final()]


def _results() -> Panel:
    about = About(
        "How do canary calls end?",
        "Calls a minute by result. `right`: the record is exactly what it should be; `late`: it was not there in time; "
        "`wrong`: it differs; `not_published` and `not_read`: Kafka or the API refused the monitor.",
        pages.CANARY_WRONG,
        width=8,
    )
    query = Query(f"{rate('callfold_canary_calls_total', by='result')} * 60", "{{result}}")
    return graph(about, [query], Shown(units.EventsPerMinute), stacked=True)


def _readable() -> Panel:
    about = About(
        "How soon can a canary call be read?",
        "From the publishing of its events to the first answer of the API that has them.",
        pages.CANARY_LATE,
        width=8,
    )
    return graph(about, quantiles("callfold_canary_readable_seconds"), Shown(units.Seconds, {5: ORANGE, 30: RED}))


def _final() -> Panel:
    about = About(
        "How soon is a canary call final?",
        "From the publishing of its last event to a record whose `final` is true.",
        pages.CANARY_LATE,
        width=8,
    )
    return graph(about, quantiles("callfold_canary_final_seconds"), Shown(units.Seconds))
