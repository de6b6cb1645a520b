"""A dashboard from rows of panels: their places, the data source to choose, the links between the dashboards."""

from collections.abc import Sequence
from dataclasses import dataclass

from grafana_foundation_sdk.models.dashboard import (
    AnnotationContainer,
    AnnotationQuery,
    Dashboard,
    DashboardCursorSync,
    DashboardDashboardTemplating,
    DashboardDashboardTime,
    DashboardLink,
    DashboardLinkType,
    GridPos,
    Panel,
    RowPanel,
    VariableModel,
    VariableType,
)

from deploy.grafana.panels import SOURCE

COLUMNS = 24
TAG = "callfold"


@dataclass(frozen=True, slots=True)
class Row:
    """Panels under a heading, from left to right; the next line starts when one does not fit."""

    title: str
    panels: Sequence[Panel]


@dataclass(frozen=True, slots=True)
class Contents:
    """What a dashboard is: `name` is its address in Grafana, and the name of its file. `span` is how far it reaches."""

    name: str
    title: str
    description: str
    rows: Sequence[Row]
    span: str
    refresh: str


def dashboard(contents: Contents) -> Dashboard:
    return Dashboard(
        uid=f"callfold-{contents.name}",
        title=f"Callfold: {contents.title}",
        description=contents.description,
        tags=[TAG],
        editable=True,
        graph_tooltip=DashboardCursorSync.CROSSHAIR,
        time=DashboardDashboardTime(contents.span, "now"),
        refresh=contents.refresh,
        panels=_placed(contents.rows),
        templating=DashboardDashboardTemplating(list_val=[_source_to_choose()]),
        annotations=AnnotationContainer(list_val=[_alerts()]),
        links=[_other_dashboards()],
    )


def _placed(rows: Sequence[Row]) -> list[Panel | RowPanel]:
    placed: list[Panel | RowPanel] = []
    top = 0
    for row in rows:
        placed.append(RowPanel(title=row.title, grid_pos=GridPos(h=1, w=COLUMNS, x=0, y=top), panels=[]))
        top = _place(row.panels, top + 1)
        placed += row.panels
    for number, panel in enumerate(placed, 1):
        panel.id_val = number
    return placed


def _place(panels: Sequence[Panel], top: int) -> int:
    """Set the places of a row's panels, and return where the next row starts."""
    left = height = 0
    for panel in panels:
        size = panel.grid_pos or GridPos()
        if left + size.w > COLUMNS:
            left, top, height = 0, top + height, 0
        panel.grid_pos = GridPos(h=size.h, w=size.w, x=left, y=top)
        left, height = left + size.w, max(height, size.h)
    return top + height


def _source_to_choose() -> VariableModel:
    return VariableModel(
        type_val=VariableType.DATASOURCE,
        name="datasource",
        label="Prometheus",
        description="The Prometheus that scrapes the workers, the API and the monitor",
        query="prometheus",
    )


def _alerts() -> AnnotationQuery:
    return AnnotationQuery(
        name="Firing alerts",
        datasource=SOURCE,
        enable=True,
        icon_color="red",
        expr='ALERTS{alertname=~"Callfold.+", alertstate="firing"}',
    )


def _other_dashboards() -> DashboardLink:
    return DashboardLink(
        title="Callfold's dashboards",
        type_val=DashboardLinkType.DASHBOARDS,
        icon="external link",
        tags=[TAG],
        include_vars=True,
        keep_time=True,
    )
