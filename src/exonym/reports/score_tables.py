"""Tables of scores over files and languages, for terminals and as Markdown."""

from __future__ import annotations

from collections.abc import Sequence

from exonym.analysis.task_scores import MEAN, Row

TITLES = {
    "ner": "Named entities, each score with its 95 % interval",
    "relation": "Relations, each score with its 95 % interval",
    "qa": "Answers, each score with its 95 % interval",
}
Table = tuple[list[str], list[list[object]]]


def score_table(rows: Sequence[Row]) -> Table:
    """Header and cells: a score and the ends of its interval in one cell.

    Args:
        rows: of one task; those of one model.
    """
    header = ["file", "language", "items", *rows[0].scores]
    return header, [
        [
            row.file,
            row.language,
            row.items,
            *(f"{one.value:.3f} ({one.low:.3f} to {one.high:.3f})" for one in row.scores.values()),
        ]
        for row in rows
    ]


def difference_table(rows: Sequence[Row]) -> Table:
    """Header and cells: a difference, the ends of its interval, and p of the permutation test.

    Args:
        rows: of one task, with differences.
    """
    header = ["file", "language", "items", *rows[0].differences]
    return header, [
        [
            row.file,
            row.language,
            row.items,
            *(
                f"{one.value:+.3f} ({one.low:+.3f} to {one.high:+.3f}), {_p(one.p)}"
                for one in row.differences.values()
            ),
        ]
        for row in rows
    ]


def _p(value: float) -> str:
    return "p < 0.001" if value < 0.001 else f"p = {value:.3f}"


def markdown(
    rows: Sequence[Row], notes: Sequence[str] = (), *, other: str = "the other model"
) -> str:
    """Both tables as Markdown, what they are below them.

    Args:
        rows: of one task.
        notes: what a reader must know beside.
        other: what the model is called whose scores are subtracted in the second table.
    """
    parts = [markdown_table(score_table(rows))]
    if rows[0].differences:
        parts += [f"These scores less those of {other}:", markdown_table(difference_table(rows))]
    clusters = "What depends on each other (a document, a passage, an example in many languages)"
    parts.append(
        f"In brackets: 95 % intervals by percentile bootstrap. {clusters} is drawn together."
    )
    if any(row.file == MEAN for row in rows):
        parts.append("The mean is over the rows above it.")
    return "\n\n".join([*parts, *(f"- {note}" for note in notes)]) + "\n"


def markdown_table(table: Table) -> str:
    """A table as Markdown, what follows the first two columns on the right."""
    header, rows = table
    ruler = ["---"] * 2 + ["---:"] * (len(header) - 2)
    lines: list[Sequence[object]] = [header, ruler, *rows]
    return "\n".join("| " + " | ".join(map(_cell, line)) + " |" for line in lines)


def _cell(value: object) -> str:
    match value:
        case None:
            return ""
        case float():
            return f"{value:.3f}"
        case int():
            return f"{value:,}"
        case _:
            return str(value).replace("|", "\\|").replace("\n", " ")
