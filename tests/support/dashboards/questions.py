"""The queries of the dashboards, asked as Grafana asks them."""

import json
import math
import re
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from deploy.grafana.files import FOLDER

VALUES = {"$__rate_interval": "1m"}
"""Grafana's own variables, as they are for a graph of some hours."""


@dataclass(frozen=True, slots=True)
class Question:
    """One query of a panel, or of the annotations; `labels` are those that its legend names."""

    panel: str
    expr: str
    labels: frozenset[str]
    instant: bool

    def __str__(self) -> str:
        return f"{self.panel} {self.expr}"


def questions(folder: Path = FOLDER) -> list[Question]:
    return [question for path in sorted(folder.glob("*.json")) for question in _of(json.loads(path.read_text()))]


def _of(dashboard: dict[str, Any]) -> Iterator[Question]:
    for annotation in dashboard["annotations"]["list"]:
        yield _question(f"{dashboard['title']}: {annotation['name']}", annotation)
    for panel in dashboard["panels"]:
        for target in panel.get("targets", []):
            yield _question(f"{dashboard['title']}: {panel['title']}", target)


def _question(panel: str, query: dict[str, Any]) -> Question:
    expr = query["expr"]
    for name, value in VALUES.items():
        expr = expr.replace(name, value)
    assert "$" not in expr, f"{panel} has a variable without a value: {expr}"
    labels = re.findall(r"\{\{\s*(\w+)\s*\}\}", query.get("legendFormat", ""))
    return Question(panel, expr, frozenset(labels), query.get("instant", False))


@dataclass(frozen=True, slots=True)
class Answer:
    """The series of an answer, each with its labels; `known` are those with a value that is a number."""

    error: str | None
    series: list[dict[str, str]]
    known: list[dict[str, str]]

    def has(self, labels: frozenset[str]) -> bool:
        """Return whether each series has these labels."""
        return all(labels <= series.keys() for series in self.series)


class Prometheus:
    """Asks one Prometheus; a graph begins with `since`, in Unix seconds."""

    def __init__(self, client: httpx.Client, since: float) -> None:
        self._client = client
        self._since = since

    def ask(self, question: Question) -> Answer:
        if question.instant:
            response = self._client.post("/api/v1/query", data={"query": question.expr})
        else:
            span = {"start": str(self._since), "end": str(time.time()), "step": "1"}
            response = self._client.post("/api/v1/query_range", data={"query": question.expr, **span})
        body = response.json()
        if body["status"] != "success":
            return Answer(body["error"], [], [])
        series = body["data"]["result"]
        known = [each["metric"] for each in series if any(map(_is_known, _values(each)))]
        return Answer(None, [each["metric"] for each in series], known)


def _values(series: dict[str, Any]) -> list[str]:
    return [value for _, value in series.get("values") or [series["value"]]]


def _is_known(value: str) -> bool:
    return not math.isnan(float(value))
