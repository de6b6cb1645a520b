"""The objectives over 28 days, as the rules of `deploy/prometheus` record them."""

from grafana_foundation_sdk.models import units
from grafana_foundation_sdk.models.dashboard import Panel

from deploy.grafana import pages
from deploy.grafana.panels import graph, number
from deploy.grafana.queries import Query, share_within
from deploy.grafana.shown import GREEN, ORANGE, RED, About, Shown

_OBJECTIVES = (
    "Freshness: 99 % of events can be read within 5 s. Coverage: 99.99 % of valid events are in a record. The API: "
    "99.9 % of responses are no server error, 99 % end within 250 ms."
)


def objectives() -> list[Panel]:
    return [_budgets(), _burn(), _freshness()]


def _budgets() -> Panel:
    about = About(
        "How much of each error budget is left?",
        f"Of the last 28 days; at 0 all of it is spent, below 0 the objective is missed. {_OBJECTIVES}",
        pages.OBJECTIVES,
        width=8,
    )
    query = Query("callfold:error_budget_remaining:ratio", "{{objective}}")
    return number(about, query, Shown(units.PercentUnit, {0: ORANGE, 0.25: GREEN}, start=RED, lowest=None))


def _burn() -> Panel:
    about = About(
        "How fast is each error budget spent?",
        "1 spends the budget of 28 days in 28 days, 13.44 all of it in two days, which pages. The last hour.",
        pages.OBJECTIVES,
        width=8,
    )
    query = Query("callfold:errors:ratio_rate1h / callfold:error_budget:ratio", "{{objective}}")
    return graph(about, [query], Shown(units.NoUnit, {1: ORANGE, 13.44: RED}))


def _freshness() -> Panel:
    about = About(
        "Which share of the events is readable within 5 s?",
        "From the arrival in Kafka until a read finds the event, of the events that workers have read.",
        pages.FRESHNESS,
        width=8,
    )
    query = Query(share_within("5.0", "callfold_arrival_to_readable_seconds"), "within 5 s")
    return graph(about, [query], Shown(units.PercentUnit, {0.95: ORANGE, 0.99: GREEN}, start=RED, top=1))
