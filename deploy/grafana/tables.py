"""A table: a row for each set of labels."""

from collections.abc import Mapping, Sequence

from grafana_foundation_sdk.models import common, table
from grafana_foundation_sdk.models.dashboard import (
    DashboardFieldConfigSourceOverrides,
    DataTransformerConfig,
    DynamicConfigValue,
    FieldColor,
    FieldColorModeId,
    FieldConfig,
    FieldConfigSource,
    MatcherConfig,
    Panel,
)

from deploy.grafana.panels import panel, ref
from deploy.grafana.queries import Query
from deploy.grafana.shown import About, Shown
from deploy.grafana.states import not_known


def rows(
    about: About,
    columns: Mapping[str, tuple[Query, Shown]],
    *,
    renamed: Mapping[str, str],
    hidden: Sequence[str] = (),
    nothing: str = "not known",
) -> Panel:
    """Return a table: a row for each set of labels, a column for each label that is not hidden, and for each query.

    `renamed` has the titles of labels, and with it their order.
    """
    queries = [query for query, _ in columns.values()]
    values = _value_fields(columns)
    titles = {**renamed, **values}
    organize = {
        "renameByName": titles,
        "indexByName": {name: place for place, name in enumerate(titles)},
        "excludeByName": dict.fromkeys(("Time", *hidden), True),
    }
    steps = [DataTransformerConfig("merge", options={}), DataTransformerConfig("organize", options=organize)]
    overrides = [_column(title, shown) for title, (_, shown) in columns.items()]
    config = FieldConfigSource(FieldConfig(custom=common.TableFieldOptions(), no_value=nothing), overrides)
    made = panel("table", about, queries, table.Options(), config, instant=True, tabular=True)
    made.transformations = steps
    return made


def _value_fields(columns: Mapping[str, object]) -> dict[str, str]:
    """Return the title of each query's values by the name that Grafana gives them."""
    names = [f"Value #{ref(place)}" for place in range(len(columns))] if len(columns) > 1 else ["Value"]
    return dict(zip(names, columns, strict=True))


def _column(title: str, shown: Shown) -> DashboardFieldConfigSourceOverrides:
    cell: common.TableCellOptions = common.TableColorTextCellOptions()
    if shown.mappings:
        cell = common.TableColoredBackgroundCellOptions(common.TableCellBackgroundDisplayMode.BASIC)
    properties: dict[str, object] = {
        "unit": shown.unit,
        "mappings": list(shown.mappings) or [not_known()],
        "thresholds": shown.thresholds(),
        "color": FieldColor(FieldColorModeId.THRESHOLDS),
        "custom.cellOptions": cell,
    }
    return DashboardFieldConfigSourceOverrides(
        matcher=MatcherConfig("byName", title),
        properties=[DynamicConfigValue(name, value) for name, value in properties.items()],
    )
