"""Line charts over a run's steps, written as SVG directly: many small ones stay small and fast."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from html import escape

from exonym.reports.svg import Drawing

Point = tuple[float, float]
_LOG_FROM = 10  # below that factor an axis from zero says more
_CHARACTER = 6.3  # width of a usual one at the text's size


@dataclass(frozen=True, slots=True)
class Line:
    """A line in pieces that are not joined.

    Args:
        label: what it shows, for the legend and for the text alternative.
        colour: a variable of the style sheet without its dashes, such as ``"words"``.
        pieces: points (step, value), in order of steps.
        marked: whether it is dashed, with a dot at every point, as few points are.
    """

    label: str
    colour: str
    pieces: Sequence[Sequence[Point]]
    marked: bool = False


@dataclass(frozen=True, slots=True)
class Scale:
    """The axis of values.

    Args:
        label: what is shown, with its unit.
        low: its lower end.
        high: its upper end; None takes the largest value. Larger ones are drawn at the end.
        log: whether equal distances are equal factors, from the smallest value on, where the
            largest is many times that.
    """

    label: str
    low: float = 0.0
    high: float | None = None
    log: bool = False


@dataclass(frozen=True, slots=True)
class _Frame:
    """Where things lie in a chart, in its own units (1 is a pixel of a page 29 rem wide)."""

    width: float
    height: float
    left: float
    right: float
    top: float
    bottom: float
    text: float


_LARGE = _Frame(464, 250, 52, 452, 38, 214, 12)
_SMALL = _Frame(170, 96, 26, 164, 8, 80, 10)


def line_chart(
    key: str,
    title: str,
    caption: str,
    lines: Sequence[Line],
    scale: Scale,
    *,
    end: float,
    stages: Sequence[tuple[str, float]] = (),
    legend: bool = False,
    small: bool = False,
) -> Drawing:
    """Draw lines over steps.

    Args:
        key: unlike that of any other figure of the page; letters, digits and hyphens.
        title: its short text alternative.
        caption: printed under it.
        lines: what to draw; those without points are left out.
        scale: of the values.
        end: the last step of the axis.
        stages: each stage's name and the step it ends at.
        legend: whether the lines' labels stand below.
        small: a chart of a grid of many: without names of axes and stages.
    """
    from markupsafe import Markup

    frame = _SMALL if small else _LARGE
    lines = [line for line in lines if any(line.pieces)]
    values = [y for line in lines for piece in line.pieces for _, y in piece]
    across = _Mapping(0.0, max(end, 1.0), frame.left, frame.right)
    upright = _upright(scale, values, frame)
    height = frame.height + (18 * _rows(lines, frame) + 4 if legend else 0)
    parts = [
        *_stage_marks(stages, across, frame, small),
        *_grid(upright, frame, small),
        *_steps(across, frame, small),
        *(part for line in lines for part in _drawn(line, across, upright)),
        *(_legend(lines, frame) if legend else ()),
    ]
    if not small:
        parts.append(_text(frame.left - 44, 12, scale.label, "muted", frame.text))
    said = "; ".join(
        f"{line.label} from {_number(line.pieces[0][0][1])} to {_number(line.pieces[-1][-1][1])}"
        for line in lines
    )
    svg = (
        f'<svg viewBox="0 0 {frame.width:g} {height:g}" role="img" '
        f'aria-labelledby="{key}-title {key}-description">'
        f'<title id="{key}-title">{escape(title)}</title>'
        f'<desc id="{key}-description">{escape(said or "No values yet")}.</desc>'
        f"{''.join(parts)}</svg>"
    )
    return Drawing(Markup(svg), caption)


@dataclass(frozen=True, slots=True)
class _Mapping:
    """From values to places in the drawing."""

    low: float
    high: float
    start: float
    stop: float
    log: bool = False

    def __call__(self, value: float) -> float:
        low, high = self.low, self.high
        value = min(max(value, low), high)
        if self.log:
            low, high, value = math.log(low), math.log(high), math.log(value)
        return self.start + (self.stop - self.start) * (value - low) / (high - low)

    def ticks(self, most: int) -> list[float]:
        """Round values within, in order."""
        if self.log:
            powers = range(math.floor(math.log10(self.low)), math.ceil(math.log10(self.high)) + 1)
            ticks = [f * 10.0**p for p in powers for f in (1, 2, 5)]
            ticks = [tick for tick in ticks if self.low <= tick <= self.high * 1.001]
            return ticks[:: math.ceil(len(ticks) / most) or 1]
        raw = (self.high - self.low) / most
        power = 10.0 ** math.floor(math.log10(raw))
        step = next(f * power for f in (1, 2, 5, 10) if f * power >= raw * 0.999)
        first = math.ceil(self.low / step - 1e-9)
        last = math.floor(self.high / step + 1e-9)
        return [n * step for n in range(first, last + 1)]


def _upright(scale: Scale, values: Sequence[float], frame: _Frame) -> _Mapping:
    above_zero = [value for value in values if value > 0]
    low, high = min(above_zero, default=1.0), max(above_zero, default=1.0)
    if scale.log and high >= _LOG_FROM * low:
        return _Mapping(low / 1.1, high * 1.1, frame.bottom, frame.top, log=True)
    high = scale.high if scale.high is not None else 1.05 * max(values, default=1.0)
    return _Mapping(scale.low, high if high > scale.low else scale.low + 1, frame.bottom, frame.top)


def _grid(upright: _Mapping, frame: _Frame, small: bool) -> Iterator[str]:
    for tick in upright.ticks(2 if small else 5):
        y = upright(tick)
        yield _stroke([(frame.left, y), (frame.right, y)], "rule", 0.6)
        yield _text(frame.left - 4, y + 3.5, _number(tick), "muted", frame.text, anchor="end")


def _steps(across: _Mapping, frame: _Frame, small: bool) -> Iterator[str]:
    for tick in across.ticks(2 if small else 5):
        x = across(tick)
        yield _stroke([(x, frame.bottom), (x, frame.bottom + 3)], "rule", 1)
        anchor = "end" if x > frame.right - 12 else "middle"
        yield _text(
            x, frame.bottom + 4 + frame.text, _number(tick), "muted", frame.text, anchor=anchor
        )
    if not small:
        middle = (frame.left + frame.right) / 2
        yield _text(middle, frame.bottom + 33, "step", "muted", frame.text, anchor="middle")


def _stage_marks(
    stages: Sequence[tuple[str, float]], across: _Mapping, frame: _Frame, small: bool
) -> Iterator[str]:
    start = 0.0
    free = frame.left
    for name, end in stages:
        if start:
            x = across(start)
            yield _stroke([(x, frame.top), (x, frame.bottom)], "rule", 1)
        middle, half = (across(start) + across(end)) / 2, _CHARACTER * len(name) / 2
        # A short stage has no room for its name beside the next one's.
        if not small and middle - half >= free:
            yield _text(middle, frame.top - 5, name, "muted", frame.text, anchor="middle")
            free = middle + half + 4
        start = end


def _drawn(line: Line, across: _Mapping, upright: _Mapping) -> Iterator[str]:
    for piece in line.pieces:
        points = [(across(x), upright(y)) for x, y in piece]
        if len(points) > 1:
            yield _stroke(points, line.colour, 1.4, dashed=line.marked)
        if line.marked or len(points) == 1:
            for x, y in points:
                yield f'<circle cx="{x:.1f}" cy="{y:.1f}" r="2.2" style="{_fill(line.colour)}"/>'


def _stroke(points: Sequence[Point], colour: str, width: float, *, dashed: bool = False) -> str:
    path = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
    style = f"fill:none;stroke:var(--{colour});stroke-width:{width:g}"
    return f'<polyline points="{path}" style="{style}{";stroke-dasharray:4 3" if dashed else ""}"/>'


def _fill(colour: str) -> str:
    return f"fill:var(--{colour})"


def _text(x: float, y: float, text: str, colour: str, size: float, *, anchor: str = "start") -> str:
    style = f"{_fill(colour)};font-size:{size:g}px;text-anchor:{anchor}"
    return f'<text x="{x:.1f}" y="{y:.1f}" style="{style}">{escape(text)}</text>'


def _places(lines: Sequence[Line], frame: _Frame) -> list[tuple[float, int]]:
    """Where each label of the legend starts: x and row."""
    places, x, row = [], frame.left, 0
    for line in lines:
        wide = 30 + _CHARACTER * len(line.label) + 14
        if x > frame.left and x + wide > frame.width:
            x, row = frame.left, row + 1
        places.append((x, row))
        x += wide
    return places


def _rows(lines: Sequence[Line], frame: _Frame) -> int:
    return 1 + max((row for _, row in _places(lines, frame)), default=-1)


def _legend(lines: Sequence[Line], frame: _Frame) -> Iterator[str]:
    for line, (x, row) in zip(lines, _places(lines, frame), strict=True):
        y = frame.height + 14 + 18 * row
        yield _stroke([(x, y - 4), (x + 24, y - 4)], line.colour, 2, dashed=line.marked)
        yield _text(x + 30, y, line.label, "ink", frame.text)


def _number(value: float) -> str:
    """A tick as it is read: ``0.25``, ``12k``, ``1.5M``, ``5e-4``."""
    size = abs(value)
    if size >= 999_999.5:
        return f"{value / 1e6:.3g}M"
    if size >= 9999.5:
        return f"{value / 1e3:.3g}k"
    if 0 < size < 0.00995:
        digits, power = f"{value:.2e}".split("e")
        return f"{float(digits):g}e{int(power)}"
    return f"{value:.4g}"
