"""Folding, and the calls that are live, wait, or are broken."""

from grafana_foundation_sdk.models import units
from grafana_foundation_sdk.models.dashboard import Panel

from deploy.grafana import pages
from deploy.grafana.panels import graph
from deploy.grafana.queries import Query, quantiles, rate
from deploy.grafana.shown import ORANGE, RED, About, Shown


def folding() -> list[Panel]:
    return [_calls(), _waiting(), _folds(), _fold_time(), _idle(), _unrated()]


def _calls() -> Panel:
    about = About(
        "How many calls are live, wait, or are broken?",
        "Live calls; calls that wait for a fold (`stale`); calls that cannot be folded (`broken`), whose readers get a "
        "500 until they are rebuilt.",
        pages.BROKEN,
    )
    queries = [
        Query("sum(callfold_live_calls)", "live"),
        Query("sum(callfold_stale_calls)", "stale"),
        Query("sum(callfold_broken_calls)", "broken"),
    ]
    return graph(about, queries, Shown(units.Short))


def _waiting() -> Panel:
    about = About(
        "How long has the oldest call waited for its fold?",
        "A read folds such a call itself, so readers see it; filters and finality wait for the fold.",
        pages.BEHIND,
    )
    queries = [Query("max(callfold_oldest_stale_call_seconds)", "oldest")]
    return graph(about, queries, Shown(units.Seconds, {60: ORANGE, 600: RED}))


def _folds() -> Panel:
    about = About(
        "How many folds, with which result?",
        "Folds a second: `live`, `final`, `overtaken` by a new event, or `broken` by an internal error.",
        pages.BROKEN,
    )
    return graph(about, [Query(rate("callfold_folds_total", by="result"), "{{result}}")], Shown(units.OpsPerSecond))


def _fold_time() -> Panel:
    about = About(
        "How long does a fold take?",
        "From the log of a call as it was read to its rendered record. Large calls have processes of their own.",
        "docs/operations.md#large-calls",
    )
    return graph(about, quantiles("callfold_fold_duration_seconds"), Shown(units.Seconds, {0.25: ORANGE, 1: RED}))


def _idle() -> Panel:
    about = About(
        "How many idle calls are ended?",
        "Calls a minute that were idle for too long and were ended. A rise is a provider whose ends are missing.",
        "docs/operations.md#prices-and-policies",
    )
    query = Query(f"{rate('callfold_idle_calls_ended_total')} * 60 or vector(0)", "ended")
    return graph(about, [query], Shown(units.EventsPerMinute))


def _unrated() -> Panel:
    about = About(
        "How much usage has no price?",
        "Usages a minute that are not in the total cost of their call: the price book lacks the product or the rate.",
        "docs/operations.md#prices-and-policies",
    )
    query = Query(f"{rate('callfold_unrated_usage_total')} * 60", "without a price")
    return graph(about, [query], Shown(units.EventsPerMinute))
