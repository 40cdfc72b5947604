"""Tables of how well facts were answered, for terminals and as Markdown."""

from __future__ import annotations

from collections.abc import Iterator

from exonym.foundation.files import JSON
from exonym.reports.score_tables import Table, markdown_table
from exonym.systems.facts import FactFigures

_TITLES = {
    "untold": "Facts that the language of the question never told, but another did",
    "control": "Control: facts that no language told",
    "told": "Facts told in the language of the question",
    "all": "Facts",
}


def title_of(kind: str) -> str:
    """What a kind of question is called above its table."""
    return _TITLES.get(kind, f"Facts: {kind}")


def accuracy_table(accuracy: JSON, bias: JSON | None = None) -> Table:
    """A row for each way to ask: accuracy, its interval, questions, and the language bias.

    Args:
        accuracy: of one kind of question, as of `mluke.accuracy_block`.
        bias: of the same, as of `mluke.bias_block`; None leaves its column out.
    """
    header = ["asked", "accuracy", "low", "high", "questions"]
    rows = [
        [name, v["accuracy"], v["low"], v["high"], v["questions"]] for name, v in accuracy.items()
    ]
    if bias is None:
        return header, rows
    shares = [bias[name]["share"] if name in bias else None for name in accuracy]
    return [*header, "bias"], [[*row, share] for row, share in zip(rows, shares, strict=True)]


def language_table(accuracy: JSON) -> Table:
    """A row for each language, with the accuracy of each way to ask."""
    languages = dict.fromkeys(code for row in accuracy.values() for code in row["by_language"])
    return ["language", *accuracy], [
        [code, *(row["by_language"].get(code) for row in accuracy.values())] for code in languages
    ]


def count_table(figures: FactFigures) -> Table:
    """What was asked, what of it the entity vocabulary knows, and what was left out."""
    known = figures.coverage

    def row(what: str, count: int, whole: int) -> list[object]:
        return [what, count, count / whole if whole else None]

    rows: list[list[object]] = [
        ["questions in the files", known.questions, None],
        row(
            "questions with a right answer in the entity vocabulary",
            known.answerable,
            known.questions,
        ),
        row("questions asked", figures.asked, known.questions),
        ["subjects", known.subjects, None],
        row("subjects in the entity vocabulary", known.known_subjects, known.subjects),
        ["candidates, of all lists", known.candidates, None],
        row("candidates of which an entity is known", known.entities, known.candidates),
        row("candidates in the entity vocabulary", known.known, known.candidates),
    ]
    for reason, count in figures.left_out.items():
        rows.append([f"left out or odd: {reason}", count, None])
    return ["what", "count", "share"], rows


def tables(figures: FactFigures, *, by_language: bool = False) -> Iterator[tuple[str, Table]]:
    """All tables with their titles.

    Args:
        figures: what was measured.
        by_language: also a table of each language's accuracies.
    """
    for kind, accuracy in figures.accuracy.items():
        yield title_of(kind), accuracy_table(accuracy, figures.bias[kind])
        if by_language:
            yield f"{title_of(kind)}, by language", language_table(accuracy)
    yield "Questions and candidates", count_table(figures)


def markdown(figures: FactFigures) -> str:
    """All tables as Markdown, with those of languages, and how the facts were asked."""
    parts = [
        f"## {title}\n\n{markdown_table(table)}"
        for title, table in tables(figures, by_language=True)
    ]
    options = figures.options
    parts.append(
        f"Candidates: {options.candidates}. Without a row in the entity vocabulary: "
        f"{options.unknown}. Accuracy is the mean over languages, with its 95 % interval by "
        "percentile bootstrap over facts; bias is the share of the most frequent wrong answer."
    )
    return "\n\n".join(parts) + "\n"
