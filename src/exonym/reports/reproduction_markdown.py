"""The report of a reproduction as Markdown, with the same tables as the page."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from exonym.reports.page import Table
    from exonym.reports.reproduction import Report

MARKS = {"yes": "✓", "no": "✗", "open": "?"}
ROWS = (
    "All models are trained on the same text for the same steps. *Words only* is the paper's "
    '"XLM-R with extra training"; *mLUKE-W* and *mLUKE-E* are one model, without and with entities '
    "in the input; with *random entity vectors* all but the special ones are drawn anew before "
    "fine-tuning. Where the input has no entity but [MASK] (relations, named entities) that would "
    "change nothing, and the row is not run."
)
INTERVALS = (
    "Figures are means over languages and seeds. Intervals are of 95 %: by bootstrap over examples "
    "(an example in all its languages together; questions of a passage together) and seeds; for "
    "modularity and language bias by random halves. Differences are taken between models of the "
    "same seed on the same draws."
)
SCALE = (
    "This is a world of a few hundred entities and a model of two layers: it says whether the "
    "paper's method does what is claimed where everything can be run in two hours, not what it "
    "does at the paper's size. No figure here is comparable with the paper's beside it, only signs "
    "are."
)


def markdown(report: Report) -> str:
    """The whole report.

    Args:
        report: as the page shows it.
    """
    return "\n\n".join(_parts(report)) + "\n"


def _parts(report: Report) -> Iterator[str]:
    summary = report.summary
    yield f"# {report.headline}"
    yield f"Exonym {summary.exonym}, `exonym reproduce mluke --scale atlas`. {report.paper}."
    yield f"Languages: {len(summary.languages)}. Seeds: {len(summary.seeds)}."
    yield SCALE
    yield "## The paper's claims"
    lines = (
        f"- {MARKS[one.kind]} {one.text}: **{one.outcome}** ({one.seen}). Paper: {one.source}"
        for one in report.claims
    )
    yield "\n".join(lines)
    yield "## Tables"
    yield ROWS
    yield INTERVALS
    for section in report.sections:
        yield f"### {section.title}"
        yield f"In the paper: {section.paper}."
        yield markdown_table(section.scores)
        if section.differences is not None:
            yield markdown_table(section.differences)
        if section.languages is not None:
            yield markdown_table(section.languages)
    yield "## The paper's figures"
    yield markdown_table(report.figures)
    yield "## What was run"
    for table in (report.examples, report.training, report.steps):
        yield markdown_table(table)
    yield f"```\n{report.command}\n```"


def markdown_table(table: Table) -> str:
    """A table with its caption above it."""
    ruler = ["---", *("---" if table.text else "---:" for _ in table.columns[1:])]
    lines = [table.columns, ruler, *table.rows]
    body = "\n".join("| " + " | ".join(map(_cell, line)) + " |" for line in lines)
    return f"{table.caption}:\n\n{body}"


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")
