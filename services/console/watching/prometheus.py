"""What Prometheus recorded, asked over HTTP."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import isfinite
from typing import Any

from services.console.watching.asking import ask

_QUERY = "/api/v1/query"
_RANGE = "/api/v1/query_range"


@dataclass(frozen=True, slots=True)
class Series:
    """Values by moment (Unix seconds) of one set of labels; a moment without a value is missing."""

    labels: Mapping[str, str]
    points: Sequence[tuple[float, float]]


@dataclass(frozen=True, slots=True)
class Prometheus:
    """Prometheus at an address, such as `http://127.0.0.1:9090`; each method raises `NoAnswer`."""

    address: str

    async def value(self, query: str, at: float) -> float | None:
        """Return the one value of a query, None without one."""
        result = await self._result(_QUERY, {"query": query, "time": str(at)})
        values = [float(each["value"][1]) for each in result]
        return values[0] if values and isfinite(values[0]) else None

    async def series(self, query: str, begins: float, ends: float, step: float) -> Sequence[Series]:
        """Return the values of a query every `step` seconds."""
        result = await self._result(
            _RANGE, {"query": query, "start": str(begins), "end": str(ends), "step": f"{step:g}"}
        )
        return [Series(each["metric"], list(_points(each["values"]))) for each in result]

    async def _result(self, path: str, parameters: Mapping[str, str]) -> list[Any]:
        document = await ask("Prometheus", self.address, path, parameters)
        result: list[Any] = document["data"]["result"]
        return result


def _points(values: Sequence[tuple[float, str]]) -> list[tuple[float, float]]:
    return [(moment, float(value)) for moment, value in values if isfinite(float(value))]
