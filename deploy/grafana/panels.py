"""Panels of numbers, graphs and timelines of states."""

from collections.abc import Sequence

from grafana_foundation_sdk.cog.variants import Dataquery as AnyQuery
from grafana_foundation_sdk.models import common, stat, statetimeline, timeseries
from grafana_foundation_sdk.models.dashboard import (
    DataSourceRef,
    FieldConfigSource,
    GridPos,
    Panel,
    ValueMapping,
)
from grafana_foundation_sdk.models.prometheus import Dataquery, PromQueryFormat, QueryEditorMode

from deploy.grafana.queries import Query
from deploy.grafana.shown import About, Shown

SOURCE = DataSourceRef("prometheus", "${datasource}")
"""The data source that the reader of the dashboard has chosen."""


def number(about: About, query: Query, shown: Shown, *, nothing: str = "not known") -> Panel:
    """Return a panel with the last value of each series; `nothing` is shown where there is none."""
    options = stat.Options(
        graph_mode=common.BigValueGraphMode.NONE,
        color_mode=common.BigValueColorMode.BACKGROUND,
        text_mode=common.BigValueTextMode.VALUE_AND_NAME if query.legend else common.BigValueTextMode.VALUE,
        reduce_options=common.ReduceDataOptions(values=False, calcs=["last"], fields=""),
    )
    config = FieldConfigSource(shown.field_config(no_value=nothing), [])
    return panel("stat", about, [query], options, config, instant=True)


def graph(about: About, queries: Sequence[Query], shown: Shown, *, stacked: bool = False) -> Panel:
    """Return a graph over time. Where a value is not known, the line has a gap."""
    custom = timeseries.FieldConfig(
        line_width=1,
        fill_opacity=25 if stacked else 0,
        span_nulls=False,
        show_points=common.VisibilityMode.AUTO,
        stacking=common.StackingConfig(common.StackingMode.NORMAL if stacked else common.StackingMode.NONE),
        thresholds_style=common.GraphThresholdsStyleConfig(
            common.GraphThresholdsStyleMode.DASHED if shown.steps else common.GraphThresholdsStyleMode.OFF
        ),
    )
    options = timeseries.Options(
        legend=common.VizLegendOptions(common.LegendDisplayMode.LIST, common.LegendPlacement.BOTTOM, show_legend=True),
        tooltip=common.VizTooltipOptions(common.TooltipDisplayMode.MULTI, common.SortOrder.DESCENDING),
    )
    config = FieldConfigSource(shown.field_config(custom=custom, coloured=False), [])
    return panel("timeseries", about, queries, options, config)


def timeline(about: About, queries: Sequence[Query], mappings: Sequence[ValueMapping]) -> Panel:
    """Return a line of coloured states over time for each series."""
    options = statetimeline.Options(
        show_value=common.VisibilityMode.AUTO,
        merge_values=True,
        per_page=48,
        legend=common.VizLegendOptions(common.LegendDisplayMode.LIST, common.LegendPlacement.BOTTOM, show_legend=True),
        tooltip=common.VizTooltipOptions(common.TooltipDisplayMode.SINGLE),
    )
    shown = Shown("none", mappings=mappings)
    config = FieldConfigSource(shown.field_config(custom=statetimeline.FieldConfig()), [])
    return panel("state-timeline", about, queries, options, config)


def panel(
    kind: str,
    about: About,
    queries: Sequence[Query],
    options: object,
    config: FieldConfigSource,
    *,
    instant: bool = False,
    tabular: bool = False,
) -> Panel:
    targets: list[AnyQuery] = [
        Dataquery(
            datasource=SOURCE,
            editor_mode=QueryEditorMode.CODE,
            expr=query.expr,
            format_val=PromQueryFormat.TABLE if tabular else PromQueryFormat.TIME_SERIES,
            instant=instant,
            range_val=not instant,
            legend_format=query.legend or None,
            ref_id=ref(place),
        )
        for place, query in enumerate(queries)
    ]
    return Panel(
        type_val=kind,
        title=about.title,
        description=about.description,
        datasource=SOURCE,
        grid_pos=GridPos(h=about.height, w=about.width),
        targets=targets,
        options=options,
        field_config=config,
    )


def ref(place: int) -> str:
    return chr(ord("A") + place)
