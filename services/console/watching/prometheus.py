"""What Prometheus recorded, asked over HTTP."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import isfinite

from pydantic import BaseModel, ValidationError

from services.console.watching.asking import NoAnswer, ask
from services.console.watching.charts import Window

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
        values = [each.value[1] for each in result if each.value is not None]
        return values[0] if values and isfinite(values[0]) else None

    async def series(self, query: str, window: Window) -> Sequence[Series]:
        """Return the values of a query over time."""
        result = await self._result(
            _RANGE, {"query": query, "start": str(window.begins), "end": str(window.ends), "step": f"{window.step:g}"}
        )
        return [Series(each.metric, _points(each.values)) for each in result]

    async def _result(self, path: str, parameters: Mapping[str, str]) -> "list[_Found]":
        document = await ask("Prometheus", self.address, path, parameters)
        try:
            return _Answer.model_validate(document).data.result
        except ValidationError as error:
            raise NoAnswer(f"Prometheus at {self.address} answers with something else.") from error


class _Found(BaseModel):
    metric: Mapping[str, str]
    value: tuple[float, float] | None = None
    values: Sequence[tuple[float, float]] = ()


class _Data(BaseModel):
    result: list[_Found]


class _Answer(BaseModel):
    data: _Data


def _points(values: Sequence[tuple[float, float]]) -> list[tuple[float, float]]:
    return [(moment, value) for moment, value in values if isfinite(value)]
