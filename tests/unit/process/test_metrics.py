"""Metrics follow Prometheus' naming conventions."""

import re
import shutil
import subprocess
from collections.abc import Callable

import pytest
from prometheus_client import REGISTRY, Metric

from shared.process import metrics

FAMILIES = [
    family
    for registry in (metrics.WORKER, metrics.API, REGISTRY)
    for family in registry.collect()
    if family.name.startswith("callfold_")
]
UNITS = re.compile(r"_(milliseconds|ms|minutes|hours|days|kilobytes|megabytes|mb|percent)$")


@pytest.mark.parametrize("family", FAMILIES, ids=lambda family: str(family.name))
def test_a_metric_is_named_in_base_units_with_a_help_text_and_no_type_in_its_name(family: Metric) -> None:
    name = family.name

    assert re.fullmatch(r"callfold(_[a-z]+)+", name)
    assert not UNITS.search(name)
    assert not re.search(r"_(counter|gauge|histogram|summary|total|count|sum|bucket)(_|$)", name)
    assert family.type != "histogram" or name.endswith(("_seconds", "_events"))
    assert family.documentation.strip()


@pytest.mark.skipif(shutil.which("promtool") is None, reason="promtool (package prometheus) is not installed")
@pytest.mark.parametrize("text", [metrics.worker, metrics.api], ids=["worker", "api"])
def test_promtool_accepts_the_metrics(text: Callable[[], bytes]) -> None:
    checked = subprocess.run(
        ["promtool", "check", "metrics"],  # noqa: S607 - where it is installed, it is on PATH
        input=text(),
        capture_output=True,
        check=False,
        timeout=30,
    )

    assert (checked.returncode, checked.stdout + checked.stderr) == (0, b"")
