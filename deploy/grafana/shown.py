"""What a panel tells about itself, and how it shows values."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from grafana_foundation_sdk.models.dashboard import (
    FieldColor,
    FieldColorModeId,
    FieldConfig,
    Threshold,
    ThresholdsConfig,
    ThresholdsMode,
    ValueMapping,
)

from deploy.grafana.states import not_known

GREEN = "green"
RED = "red"
ORANGE = "orange"


@dataclass(frozen=True, slots=True)
class About:
    """A panel in words: its title, what it answers, and the page of the docs to go to when that is bad.

    `width` is in columns, of which a row has 24, `height` in Grafana's units of 30 pixels.
    """

    title: str
    answers: str
    page: str
    width: int = 12
    height: int = 8

    @property
    def description(self) -> str:
        return f"{self.answers}\n\nWhat to do: {self.page}"


@dataclass(frozen=True, slots=True)
class Shown:
    """How values are shown: their unit (Grafana's id), and colours from which value on; `steps` starts with green."""

    unit: str
    steps: Mapping[float, str] | None = None
    mappings: Sequence[ValueMapping] = ()
    start: str = GREEN
    decimals: int | None = None
    lowest: float | None = 0
    top: float | None = None

    def field_config(self, *, custom: object = None, no_value: str | None = None, coloured: bool = True) -> FieldConfig:
        mode = FieldColorModeId.THRESHOLDS if coloured else FieldColorModeId.PALETTE_CLASSIC
        return FieldConfig(
            unit=self.unit,
            decimals=self.decimals,
            min_val=self.lowest,
            max_val=self.top,
            mappings=list(self.mappings) or [not_known()],
            thresholds=self.thresholds(),
            color=FieldColor(mode),
            no_value=no_value,
            custom=custom,
        )

    def thresholds(self) -> ThresholdsConfig:
        steps = [Threshold(value, colour) for value, colour in (self.steps or {}).items()]
        return ThresholdsConfig(ThresholdsMode.ABSOLUTE, [Threshold(None, self.start), *steps])
