"""The results as Markdown tables."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from exonym.foundation.files import JSON

DETECTION = ("precision", "recall", "F1")


def tables(results: JSON) -> str:
    """Detection and disambiguation by language, by script, and of all, with their intervals."""
    estimates = results["estimates"]
    accuracy = [name for name in estimates if name not in DETECTION]
    order = ["accuracy of prior", *sorted(name for name in accuracy if name != "accuracy of prior")]
    parts = []
    for title, measures in (("Detection", DETECTION), ("Disambiguation", order)):
        there = [name for name in measures if name in estimates]
        if there:
            parts.append(f"**{title}**\n\n{_table(estimates, there)}")
    parts.append(_counts(results["counts"]))
    return "\n\n".join(parts) + "\n"


def _table(estimates: JSON, measures: Sequence[str]) -> str:
    lines = [
        _row(["", *measures, "items"]),
        _row(["---", *("---:" for _ in measures), "---:"]),
    ]
    for group in ("languages", "scripts", "all"):
        keys = sorted({key for name in measures for key in estimates[name][group]})
        for key in keys:
            cells = [estimates[name][group].get(key) for name in measures]
            items = max(cell["items"] for cell in cells if cell)
            lines.append(_row([key, *map(_cell, cells), f"{items:,}"]))
    return "\n".join(lines)


def _cell(estimate: JSON | None) -> str:
    if estimate is None:
        return ""
    mean, low, high = (100 * estimate[name] for name in ("mean", "low", "high"))
    return f"{mean:.1f} ({low:.1f} to {high:.1f})"


def _counts(counts: Mapping[str, Mapping[str, int]]) -> str:
    names = sorted({name for own in counts.values() for name in own})
    lines = [_row(["", *names]), _row(["---", *("---:" for _ in names)])]
    for language in sorted(counts):
        lines.append(_row([language, *(f"{counts[language].get(name, 0):,}" for name in names)]))
    return "**Counts**\n\n" + "\n".join(lines)


def _row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"
