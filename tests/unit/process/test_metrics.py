"""Metrics follow Prometheus' naming conventions, and each says what it is for."""

import re
import shutil
import subprocess

import pytest

from deploy.contracts.metrics import SETS
from shared.process.metric_set import Description, MetricSet
from shared.process.metrics import PROCESS

ALL = [metric for metrics in SETS.values() for metric in metrics.descriptions]
OTHER_UNITS = re.compile(r"_(milliseconds|ms|minutes|hours|days|kilobytes|megabytes|mb|percent)(_total)?$")
OF_PERSONS = re.compile(r"call|organization|number|key$|id$|name|address")


@pytest.mark.parametrize("metric", ALL, ids=lambda metric: str(metric.name))
def test_a_metric_is_named_in_base_units_and_says_what_it_means_and_answers(metric: Description) -> None:
    name = metric.name.removesuffix("_total")

    assert re.fullmatch(r"callfold(_[a-z]+)+", name)
    assert metric.name.endswith("_total") is (metric.type == "counter")
    assert not OTHER_UNITS.search(name)
    assert not re.search(r"_(counter|gauge|histogram|summary|total|count|sum|bucket)(_|$)", name)
    assert metric.unit
    assert "|" not in metric.meaning + metric.unit
    assert re.fullmatch(r"[A-Z][^|]*\?", metric.question)


@pytest.mark.parametrize("metric", ALL, ids=lambda metric: str(metric.name))
def test_no_label_is_for_a_call_a_number_or_an_organization(metric: Description) -> None:
    assert [label for label in metric.labels if OF_PERSONS.search(label)] == []


@pytest.mark.parametrize("title", SETS)
def test_every_metric_of_a_program_is_defined_with_its_question(title: str) -> None:
    shown = {
        f"{family.name}_total" if family.type == "counter" else family.name
        for family in SETS[title].registry.collect()
        if family.name.startswith("callfold_")
    }

    assert shown == {metric.name for metric in SETS[title].descriptions}


def test_no_name_stands_for_two_metrics() -> None:
    assert len({metric.name for metric in ALL}) == len(ALL)


@pytest.mark.skipif(shutil.which("promtool") is None, reason="promtool (package prometheus) is not installed")
@pytest.mark.parametrize("metrics", [each for each in SETS.values() if each is not PROCESS], ids=list(SETS)[:-1])
def test_promtool_accepts_the_metrics(metrics: MetricSet) -> None:
    checked = subprocess.run(
        ["promtool", "check", "metrics"],  # noqa: S607 - where it is installed, it is on PATH
        input=PROCESS.text() + metrics.text(),
        capture_output=True,
        check=False,
        timeout=30,
    )

    assert (checked.returncode, checked.stdout + checked.stderr) == (0, b"")
