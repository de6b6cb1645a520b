"""The rules are valid, measure what the programs show, and each alert leads to a page that leads back to it."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from deploy.contracts.metrics import SETS
from shared.lag.models import Cause
from tests.support.prometheus.promtool import FOLDER, RULES, SHORT, as_input, needs_promtool, promtool, run_test
from tests.support.prometheus.simulation import WORKER, Stack, between

ROOT = FOLDER.parents[1]
PAGES = ROOT / "docs" / "runbooks"
GROUPS = [group for path in RULES for group in yaml.safe_load(path.read_text())["groups"]]
EVERY = [rule for group in GROUPS for rule in group["rules"]]
ALERTS = {rule["alert"]: rule for rule in EVERY if "alert" in rule}


def measured() -> set[str]:
    """Return the names of the series that the programs show, as docs/metrics.md lists them."""
    every = [metric for metrics in SETS.values() for metric in metrics.descriptions]
    parts = {f"{each.name}_{part}" for each in every if each.type == "histogram" for part in ("bucket", "count", "sum")}
    return parts | {metric.name for metric in every}


def alerts_of(page: Path) -> dict[str, str]:
    """Return the severity of each alert that a page is for."""
    line = re.search(r"^Alert: (.+)$", page.read_text(), re.MULTILINE)
    return dict(re.findall(r"(\w+) \((\w+)\)", line[1])) if line else {}


@needs_promtool
def test_promtool_finds_nothing_wrong() -> None:
    promtool("check", "rules", "--lint=all", "--lint-fatal", *map(str, RULES))
    promtool("check", "config", "--lint-fatal", str(FOLDER / "prometheus.yml"))


@pytest.mark.parametrize("name", ALERTS)
def test_each_alert_has_a_page_that_is_for_it_with_the_same_severity(name: str) -> None:
    alert = ALERTS[name]

    page = ROOT / alert["annotations"]["runbook_url"]

    assert page.parent == PAGES
    assert alerts_of(page)[name] == alert["labels"]["severity"]
    assert alert["labels"]["severity"] in {"page", "ticket"}
    assert all(alert["annotations"][text] for text in ("summary", "description"))


def test_each_alert_of_a_page_exists_and_the_index_leads_to_it() -> None:
    index = (PAGES / "README.md").read_text()
    lines = [line for line in index.splitlines() if line.startswith("| `Callfold")]

    paged = {name: page.name for page in PAGES.glob("*.md") for name in alerts_of(page)}

    assert set(paged) == set(ALERTS)
    assert [
        name for name, page in paged.items() if not any(f"`{name}`" in line and page in line for line in lines)
    ] == []


def test_each_cause_has_a_section() -> None:
    sections = re.findall(r"^## (.+)$", (PAGES / "causes.md").read_text(), re.MULTILINE)

    assert sections == [cause for cause in Cause if cause is not Cause.NONE]


def test_every_metric_of_a_rule_is_one_that_the_programs_show() -> None:
    expressions = " ".join(rule["expr"] for rule in EVERY)
    recorded = {rule["record"] for rule in EVERY if "record" in rule}

    used = set(re.findall(r"\bcallfold_\w+", expressions))

    assert used - measured() == set()
    assert set(re.findall(r"\bcallfold:[\w:]+", expressions)) - recorded == set()
    assert used


def test_every_target_has_a_job_that_the_rules_know() -> None:
    expressions = " ".join(rule["expr"] for rule in EVERY)
    wanted = set(re.findall(r'job="([\w-]+)"', expressions))

    for name in ("targets.yml", "targets-compose.yml"):
        groups: list[dict[str, Any]] = yaml.safe_load((FOLDER / name).read_text())
        assert {group["labels"]["job"] for group in groups} == wanted
        assert all(group["labels"]["job"] == f"callfold-{group['labels']['service']}" for group in groups)


@needs_promtool
def test_an_alert_of_a_partition_names_it_and_its_cause(tmp_path: Path) -> None:
    stack = Stack(6, capacity=between(1, 9, 0, 2000), cause=Cause.WORKER_FROZEN, share_of_first=1)
    labels = {"topic": "calls.telephony", "partition": "0", "severity": "page"}
    annotations = ALERTS["CallfoldPartitionStalled"]["annotations"] | {
        "summary": "Nothing is committed of calls.telephony/0 although events wait",
        "description": "Cause: worker_frozen. `callfold lag` shows the owner and since when; its causes have a page of"
        " their own.",
    }

    run_test(
        tmp_path,
        SHORT,
        {
            "interval": "30s",
            "input_series": as_input(stack.series()),
            "alert_rule_test": [
                {
                    "alertname": "CallfoldPartitionStalled",
                    "eval_time": "5m",
                    "exp_alerts": [{"exp_labels": labels, "exp_annotations": annotations}],
                }
            ],
        },
    )


@needs_promtool
@pytest.mark.parametrize("counter", ["records_lost", "unread_records", "dead_letters"])
def test_what_a_worker_counts_first_is_an_increase(counter: str, tmp_path: Path) -> None:
    series = Stack(6).series() | {f"callfold_{counter}_total{{{WORKER}}}": [None] * 6 + [1.0] * 7}

    run_test(
        tmp_path,
        SHORT,
        {
            "interval": "30s",
            "input_series": as_input(series),
            "promql_expr_test": [
                {
                    "expr": f"sum(increase(callfold:{counter}:sum_by_instance[6m])) > bool 0",
                    "eval_time": "6m",
                    "exp_samples": [{"labels": "{}", "value": 1}],
                }
            ],
        },
    )
