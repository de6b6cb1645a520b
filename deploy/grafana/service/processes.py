"""The processes themselves: whether they answer, their memory and CPU."""

from grafana_foundation_sdk.models import units
from grafana_foundation_sdk.models.dashboard import Panel

from deploy.grafana import pages
from deploy.grafana.panels import graph, timeline
from deploy.grafana.queries import INTERVAL, Query
from deploy.grafana.shown import ORANGE, About, Shown
from deploy.grafana.states import scraped_or_not

_OURS = 'job=~"callfold-.+"'
_NAME = "{{service}} {{instance}}"


def processes() -> list[Panel]:
    return [_up(), _memory(), _cpu(), _files()]


def _up() -> Panel:
    about = About(
        "Which processes does Prometheus reach?",
        "A process that does not answer within 4 s, that is gone, or that hangs.",
        pages.EXITS,
    )
    return timeline(about, [Query(f"up{{{_OURS}}}", _NAME)], scraped_or_not())


def _memory() -> Panel:
    about = About(
        "How much memory does each process hold?",
        "Resident memory. A worker grows with its batches and with calls of many events; a line that never falls is a "
        "leak.",
        pages.EXITS,
    )
    return graph(about, [Query(f"process_resident_memory_bytes{{{_OURS}}}", _NAME)], Shown(units.BytesIEC))


def _cpu() -> Panel:
    about = About(
        "How much CPU does each process use?",
        "Cores; a worker and an API process use one at most, and what comes on top is their fold pool.",
        pages.BEHIND,
    )
    query = Query(f"rate(process_cpu_seconds_total{{{_OURS}}}[{INTERVAL}])", _NAME)
    return graph(about, [query], Shown(units.PercentUnit, {0.9: ORANGE}))


def _files() -> Panel:
    about = About(
        "How many files and connections does each process have open?",
        "Open descriptors. The limit is the operating system's: `ulimit -n`.",
        pages.CONNECTIONS,
    )
    return graph(about, [Query(f"process_open_fds{{{_OURS}}}", _NAME)], Shown(units.Short))
