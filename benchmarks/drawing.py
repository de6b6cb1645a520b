"""Plots as SVG: the same bytes for the same figures, readable on light and on dark."""

import io
from collections.abc import Sequence
from typing import Any

from matplotlib import rc_context
from matplotlib.figure import Figure as Canvas

from benchmarks.plots import OURS, Bars, Curve, Curves, Plot
from benchmarks.samples import Figure
from benchmarks.tables import number

# As far from white as from black.
_GREY = "#797979"
_BLUE, _ORANGE = "#1f8fd6", "#d9822b"

_STYLE = {
    "svg.hashsalt": OURS,
    "svg.fonttype": "none",  # text stays text: smaller, and in the reader's own font
    "font.family": "sans-serif",
    "font.size": 9,
    "text.parse_math": False,  # MongoDB's operators begin with a dollar
    "text.color": _GREY,
    "axes.edgecolor": _GREY,
    "axes.labelcolor": _GREY,
    "axes.titlesize": 10,
    "axes.titlelocation": "left",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "xtick.color": _GREY,
    "ytick.color": _GREY,
    "legend.labelcolor": _GREY,
}
_WIDTH = 8.0
_BAR_HEIGHT = 0.26
_PANEL_HEIGHT = 0.75
_CURVES_HEIGHT = 3.4


def svg(plot: Plot) -> bytes:
    """Return the plot as an SVG file."""
    with rc_context(_STYLE):
        canvas = Canvas(figsize=_size(plot), layout="constrained")
        for panel, axis in zip(plot, _axes(canvas, plot), strict=True):
            if isinstance(panel, Curves):
                _curves(panel, axis)
            else:
                _bars(panel, axis)
        written = io.BytesIO()
        canvas.savefig(written, format="svg", transparent=True, metadata={"Date": None, "Creator": None})
    return b"\n".join(line.rstrip() for line in written.getvalue().splitlines()) + b"\n"


def _size(plot: Plot) -> tuple[float, float]:
    return _WIDTH, sum(map(_height, plot)) if isinstance(plot[0], Bars) else _height(plot[0])


def _height(panel: Bars | Curves) -> float:
    return _PANEL_HEIGHT + _BAR_HEIGHT * len(panel.bars) if isinstance(panel, Bars) else _CURVES_HEIGHT


def _axes(canvas: Canvas, plot: Plot) -> Any:
    """Return a place for each panel: bars one below the other, curves side by side."""
    if isinstance(plot[0], Bars):
        return canvas.subplots(len(plot), squeeze=False, height_ratios=list(map(_height, plot)))[:, 0]
    return canvas.subplots(1, len(plot), squeeze=False, sharey=True)[0]


def _bars(panel: Bars, axis: Any) -> None:
    found = list(panel.bars.values())
    axis.barh(
        list(panel.bars),
        [each.median for each in found],
        xerr=_errors(found),
        color=[_BLUE if name.startswith(OURS) else _ORANGE for name in panel.bars],
        ecolor=_GREY,
        height=0.7,
    )
    for place, each in enumerate(found):
        axis.annotate(number(each.median), (each.most, place), xytext=(4, 0), textcoords="offset points", va="center")
    axis.invert_yaxis()
    axis.margins(x=0.12)
    axis.xaxis.set_major_formatter("{x:,.0f}")
    axis.set_title(f"{panel.title}: {panel.unit}")


def _curves(panel: Curves, axis: Any) -> None:
    for curve in panel.curves:
        _curve(curve, axis)
    axis.set(xscale="log", yscale="log", xlabel=panel.across, title=f"{panel.title}: {panel.unit}")
    axis.xaxis.set_major_formatter("{x:,.0f}")
    axis.yaxis.set_major_formatter("{x:,.0f}")
    axis.legend(frameon=False)


def _curve(curve: Curve, axis: Any) -> None:
    found = list(curve.points.values())
    costs = [each.median for each in found]
    color = _BLUE if curve.name.startswith(OURS) else _ORANGE
    axis.errorbar(list(curve.points), costs, yerr=_errors(found), label=curve.name, color=color, marker="o", capsize=2)
    if curve.ends is not None:
        axis.plot([curve.ends], costs[-1:], color=color, marker="x", markersize=9, linestyle="none")
        told, place = f"fails at {curve.ends:,.0f} events", (curve.ends, costs[-1])
        axis.annotate(told, place, xytext=(0, 8), textcoords="offset points", ha="right")


def _errors(found: Sequence[Figure]) -> tuple[list[float], list[float]]:
    """Return how far the least lies below each median, and the most above it."""
    return [each.median - each.least for each in found], [each.most - each.median for each in found]
