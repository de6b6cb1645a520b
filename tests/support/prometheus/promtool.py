"""Which alerts fire on given series: promtool evaluates the rules as Prometheus does."""

import json
import math
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest
import yaml

FOLDER = Path(__file__).parents[3] / "deploy" / "prometheus"
RULES = sorted((FOLDER / "rules").glob("*.yml"))
SHORT = [path for path in RULES if path.name != "burn-slow.yml"]
"""All but those that need six hours of history, and take long to evaluate."""

SIX_HOURS = 360

Series = Mapping[str, Sequence[float | None]]
"""Samples by series; None where the process was not scraped."""

needs_promtool = pytest.mark.skipif(
    shutil.which("promtool") is None, reason="promtool is not installed: it comes with Prometheus"
)


def promtool(*arguments: str) -> str:
    """Run promtool and return its output; fail with it if promtool does."""
    done = subprocess.run(["promtool", *arguments], capture_output=True, text=True, timeout=120, check=False)  # noqa: S607
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def check_alerts(
    folder: Path, series: Series, step: int, fired: set[str], firing_at: Mapping[int, set[str]] | None = None
) -> None:
    """Check that just these alerts fired at any time of the series, and at the given minutes. `step` is in seconds."""
    minutes = max(map(len, series.values())) * step // 60
    rules = RULES if minutes >= SIX_HOURS else SHORT
    ever = f'last_over_time(ALERTS{{alertstate="firing"}}[{minutes}m])'
    expected = [(minutes, ever, fired)]
    expected += [(at, 'ALERTS{alertstate="firing"}', names) for at, names in (firing_at or {}).items()]
    run_test(
        folder,
        rules,
        {
            "interval": f"{step}s",
            "input_series": as_input(series),
            "promql_expr_test": [
                {
                    "expr": f"group by (alertname) ({expression})",
                    "eval_time": f"{at}m",
                    "exp_samples": [{"labels": f'{{alertname="{name}"}}', "value": 1} for name in sorted(names)],
                }
                for at, expression, names in expected
            ],
        },
    )


def run_test(folder: Path, rules: Sequence[Path], test: Mapping[str, object]) -> None:
    """Run one unit test of promtool on the rules."""
    file = folder / "test.yml"
    # Else promtool takes the groups in any order, and an alert may be a step late.
    order = [group for path in sorted(rules, key=lambda path: path.name != "objectives.yml") for group in _groups(path)]
    text = {
        "rule_files": [str(path) for path in rules],
        "group_eval_order": order,
        "evaluation_interval": test["interval"],
        "tests": [test],
    }
    file.write_text(json.dumps(text))  # every JSON is YAML
    promtool("test", "rules", str(file))


def as_input(series: Series) -> list[dict[str, str]]:
    return [{"series": name, "values": " ".join(map(_sample, samples))} for name, samples in series.items()]


def _groups(path: Path) -> list[str]:
    return [group["name"] for group in yaml.safe_load(path.read_text())["groups"]]


def _sample(value: float | None) -> str:
    if value is None:
        return "stale"
    return f"{value:.6g}" if math.isfinite(value) else str(value).replace("inf", "Inf")
