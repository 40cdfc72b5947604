"""Plots of accuracies: bars with intervals, dots by language."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from exonym.analysis.bootstrap import Estimate
from exonym.reports.formats import decimal, interval
from exonym.reports.svg import COLOURS, Drawing, draw

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_WIDTH = 5.0  # inches of 72 units; as wide as a phone, so that text is not scaled away
_MARKERS = "osD^vPX*"
_INK, _RULE, _PAPER = (COLOURS[name] for name in ("ink", "rule", "paper"))


@dataclass(frozen=True, slots=True)
class Bar:
    """One row of an interval plot; ``colour`` is a name of `exonym.reports.svg.COLOURS`."""

    label: str
    colour: str
    estimate: Estimate


@dataclass(frozen=True, slots=True)
class Series:
    """One value per language; ``colour`` as for `Bar`."""

    label: str
    colour: str
    values: Mapping[str, float]


def _figure(height: float) -> tuple[Figure, Axes]:
    from matplotlib.figure import Figure

    figure = Figure(figsize=(_WIDTH, height), layout="constrained")
    return figure, figure.add_subplot()


def interval_plot(key: str, title: str, caption: str, bars: Sequence[Bar]) -> Drawing:
    """Accuracies from 0 to 1 as bars, each with its interval as a line and its value beside it."""

    def plot() -> Figure:
        figure, axes = _figure(0.36 * len(bars) + 0.45)
        for place, bar in enumerate(bars):
            given = bar.estimate
            axes.barh(place, given.accuracy, height=0.62, color=COLOURS[bar.colour])
            axes.plot([given.low, given.high], [place, place], color=_PAPER, linewidth=3.4)
            axes.plot([given.low, given.high], [place, place], color=_INK, linewidth=1.3)
            beside = max(given.high, given.accuracy) + 0.02
            axes.text(beside, place, f"{given.accuracy:.2f}", va="center")
        axes.set_yticks(range(len(bars)), [bar.label for bar in bars])
        axes.invert_yaxis()
        axes.set_xlim(0, 1.1)
        axes.set_xticks([0, 0.25, 0.5, 0.75, 1], ["0", "0.25", "0.5", "0.75", "1"])
        axes.tick_params(axis="y", length=0)
        axes.spines["left"].set_visible(False)
        return figure

    said = "; ".join(
        f"{bar.label} {decimal(bar.estimate.accuracy)} "
        f"({interval(bar.estimate.low, bar.estimate.high)})"
        for bar in bars
    )
    return draw(key, title, f"Accuracy with 95 % interval: {said}.", caption, plot)


def language_plot(
    key: str, title: str, caption: str, languages: Mapping[str, str], series: Sequence[Series]
) -> Drawing:
    """Accuracies by language, one row of dots each, joined by a thin line from least to most.

    Args:
        key: see `draw`.
        title: see `draw`.
        caption: see `draw`.
        languages: what to print for each code, from top to bottom.
        series: the dots; a language that one of them lacks has none there.
    """

    def plot() -> Figure:
        figure, axes = _figure(0.25 * len(languages) + 1.0)
        for place, code in enumerate(languages):
            found = [s.values[code] for s in series if code in s.values]
            axes.plot([0, 1], [place, place], color=_RULE, linewidth=0.4, zorder=0)
            if found:
                axes.plot([min(found), max(found)], [place] * 2, color=_RULE, linewidth=2, zorder=1)
        for one, marker in zip(series, _MARKERS, strict=False):
            points = [(one.values[c], y) for y, c in enumerate(languages) if c in one.values]
            axes.plot(
                [x for x, _ in points],
                [y for _, y in points],
                marker,
                color=COLOURS[one.colour],
                markeredgecolor=_PAPER,
                markeredgewidth=0.6,
                markersize=7,
                label=one.label,
                clip_on=False,
            )
        axes.set_yticks(range(len(languages)), list(languages.values()))
        axes.set_ylim(len(languages) - 0.4, -0.6)
        axes.set_xlim(0, 1)
        axes.set_xlabel("accuracy")
        axes.tick_params(axis="y", length=0)
        axes.grid(axis="x")
        axes.set_axisbelow(True)
        axes.spines[["left", "bottom"]].set_visible(False)
        figure.legend(loc="outside upper center", ncols=2, columnspacing=1.6, handletextpad=0.2)
        return figure

    said = "; ".join(f"{one.label} {_range(one.values)}" for one in series)
    return draw(key, title, f"Lowest and highest language: {said}.", caption, plot)


def _range(values: Mapping[str, float]) -> str:
    if not values:
        return "none"
    low, high = (choose(values, key=lambda code: values[code]) for choose in (min, max))
    return f"{decimal(values[low])} ({low}) to {decimal(values[high])} ({high})"
