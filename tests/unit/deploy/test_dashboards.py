"""The dashboards as Grafana gets them: the files are those of the code, and of Grafana's schema."""

import json
import re
from itertools import combinations
from pathlib import Path
from typing import Any, get_args, get_type_hints

import pytest
import yaml
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.cog.plugins import register_default_plugins
from grafana_foundation_sdk.models import units
from grafana_foundation_sdk.models.dashboard import Dashboard

from deploy.contracts.metrics import SETS
from deploy.grafana import files

ROOT = Path(__file__).parents[3]
DASHBOARDS = {path.stem: json.loads(path.read_text()) for path in sorted(files.FOLDER.glob("*.json"))}
RULES = sorted((ROOT / "deploy" / "prometheus" / "rules").glob("*.yml"))
PROVISIONING = files.FOLDER.parent / "provisioning"
UNITS = {unit for hint in get_type_hints(units).values() for unit in get_args(hint)}


def panels(dashboard: dict[str, Any]) -> list[dict[str, Any]]:
    return [panel for panel in dashboard["panels"] if panel["type"] != "row"]


def every_panel() -> list[Any]:
    return [
        pytest.param(panel, id=f"{name}: {panel['title']}")
        for name, dashboard in DASHBOARDS.items()
        for panel in panels(dashboard)
    ]


def as_grafana_knows_it(dashboard: dict[str, Any]) -> Any:
    """Return the dashboard with nothing but the fields of Grafana's schema."""
    register_default_plugins()
    return json.loads(json.dumps(Dashboard.from_json(dashboard), cls=JSONEncoder))


def shown_units(panel: dict[str, Any]) -> list[str]:
    config = panel["fieldConfig"]
    properties = [each for override in config["overrides"] for each in override["properties"]]
    columns = [each["value"] for each in properties if each["id"] == "unit"]
    return columns or [config["defaults"]["unit"]]


def recorded() -> set[str]:
    rules = [rule for path in RULES for group in yaml.safe_load(path.read_text())["groups"] for rule in group["rules"]]
    return {rule["record"] for rule in rules if "record" in rule}


def exported() -> set[str]:
    """Return the names of all series of the programs."""
    described = [each for metrics in SETS.values() for each in metrics.descriptions]
    parts = {each.name: ("_bucket", "_sum", "_count") if each.type == "histogram" else ("",) for each in described}
    return {f"{name}{part}" for name, ends in parts.items() for part in ends}


def anchors(page: Path) -> set[str]:
    headings = re.findall(r"^#+ (.+)$", page.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading).strip().lower().replace(" ", "-") for heading in headings}


def overlap(one: dict[str, int], other: dict[str, int]) -> bool:
    return (
        one["x"] < other["x"] + other["w"]
        and other["x"] < one["x"] + one["w"]
        and one["y"] < other["y"] + other["h"]
        and other["y"] < one["y"] + one["h"]
    )


def test_the_files_are_those_of_the_code() -> None:
    assert files.out_of_date() == []


def test_a_changed_a_missing_and_a_foreign_file_are_out_of_date(tmp_path: Path) -> None:
    files.write(tmp_path)
    (tmp_path / "tonight.json").write_text("{}")
    (tmp_path / "service.json").unlink()
    (tmp_path / "other.json").write_text("{}")

    named = files.out_of_date(tmp_path)
    files.write(tmp_path)

    assert named == ["other.json", "service.json", "tonight.json"]
    assert files.out_of_date(tmp_path) == []


@pytest.mark.parametrize("name", DASHBOARDS)
def test_every_field_is_one_of_grafanas_schema(name: str) -> None:
    assert as_grafana_knows_it(DASHBOARDS[name]) == DASHBOARDS[name]


def test_a_field_that_grafana_does_not_know_is_found() -> None:
    dashboard = json.loads(json.dumps(DASHBOARDS["tonight"]))

    panels(dashboard)[0]["fieldConfig"]["defaults"]["units"] = "s"

    assert as_grafana_knows_it(dashboard) != dashboard


@pytest.mark.parametrize("name", DASHBOARDS)
def test_panels_have_places_and_numbers_of_their_own(name: str) -> None:
    places = [panel["gridPos"] for panel in DASHBOARDS[name]["panels"]]
    numbers = [panel["id"] for panel in DASHBOARDS[name]["panels"]]

    assert [pair for pair in combinations(places, 2) if overlap(*pair)] == []
    assert all(place["x"] + place["w"] <= 24 for place in places)
    assert len(set(numbers)) == len(numbers)


@pytest.mark.parametrize("name", DASHBOARDS)
def test_no_two_panels_have_the_same_title(name: str) -> None:
    titles = [panel["title"] for panel in panels(DASHBOARDS[name])]

    assert sorted(titles) == sorted(set(titles))


@pytest.mark.parametrize("panel", every_panel())
def test_a_panel_asks_a_question_and_leads_to_a_page(panel: dict[str, Any]) -> None:
    answers, _, page = panel["description"].partition("\n\nWhat to do: ")
    file, _, anchor = page.partition("#")

    assert panel["title"].endswith("?")
    assert answers.endswith(".")
    assert (ROOT / file).is_file()
    assert not anchor or anchor in anchors(ROOT / file)


@pytest.mark.parametrize("panel", every_panel())
def test_a_panel_has_units_that_grafana_knows(panel: dict[str, Any]) -> None:
    assert set(shown_units(panel)) <= UNITS


@pytest.mark.parametrize("name", DASHBOARDS)
def test_every_metric_exists(name: str) -> None:
    queries = " ".join(target["expr"] for panel in panels(DASHBOARDS[name]) for target in panel["targets"])

    assert set(re.findall(r"callfold[_:][a-z0-9_:]+", queries)) <= exported() | recorded()


@pytest.mark.parametrize("panel", every_panel())
def test_a_panel_asks_the_chosen_data_source(panel: dict[str, Any]) -> None:
    chosen = {"type": "prometheus", "uid": "${datasource}"}

    assert [panel["datasource"], *(target["datasource"] for target in panel["targets"])] == [
        chosen,
        *(chosen for _ in panel["targets"]),
    ]


def test_provisioning_has_the_folder_that_is_mounted() -> None:
    mounted = [
        volume.split(":")[:2]
        for volume in yaml.safe_load((ROOT / "docker-compose.yml").read_text())["services"]["grafana"]["volumes"]
    ]
    [provider] = yaml.safe_load((PROVISIONING / "dashboards" / "callfold.yaml").read_text())["providers"]

    assert ["./deploy/grafana/dashboards", provider["options"]["path"]] in mounted
    assert ["./deploy/grafana/provisioning", "/etc/grafana/provisioning"] in mounted
