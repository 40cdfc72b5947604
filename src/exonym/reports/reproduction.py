"""The report of a reproduction: the paper's tables in miniature, and what came out of its claims.

One HTML page and the same in Markdown, from the same tables.
"""

from __future__ import annotations

import shlex
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from exonym.foundation.files import atomic_file
from exonym.reports import reproduction_markdown
from exonym.reports.extras import require_report_extra
from exonym.reports.formats import ABSENT, count, decimal, duration, interval, language_name
from exonym.reports.page import Table, write_page
from exonym.reports.reproduction_summary import (
    ClaimOutcome,
    ReproductionSummary,
    Score,
    ScoredRow,
    read_reproduction,
)

HTML, MARKDOWN = "report.html", "report.md"
NOT_AT_HAND = "not at hand"
NAMES: Mapping[str, str] = {
    "words_only": "Words only, same training",
    "mluke_w": "mLUKE-W: no entities in the input",
    "mluke_e": "mLUKE-E: entities in the input",
    "mluke_e_random": "mLUKE-E, random entity vectors",
    "chance": "Chance",
    "most_frequent": "Most frequent object",
    "mluke_e_y": "mLUKE-E, asked by [Y]",
    "mluke_e_xy": "mLUKE-E, asked by [X] and [Y]",
}
"""Of the rows; "words only" is the paper's XLM-R with extra training."""
_OUTCOMES = {
    "comes out": "comes out here",
    "does not come out": "does not come out here: the contrary does",
    "cannot be said": "cannot be said here: the interval contains 0",
}
_MISSING = "cannot be said here: this world has nothing to measure it by"


@dataclass(frozen=True, slots=True)
class Section:
    """A table of the paper in miniature.

    Args:
        name: of the table.
        title: heading.
        paper: what the paper measures it on.
        scores: each row with its figures, and the paper's average.
        differences: each difference that a claim speaks of.
        languages: the score that decides, by language; None where there is none.
    """

    name: str
    title: str
    paper: str
    scores: Table
    differences: Table | None
    languages: Table | None


@dataclass(frozen=True, slots=True)
class ClaimLine:
    """A claim as one line.

    Args:
        text: what is claimed.
        outcome: whether it comes out here, in plain words.
        seen: the difference and its interval.
        source: where the paper says it.
        kind: ``"yes"``, ``"no"`` or ``"open"``.
    """

    text: str
    outcome: str
    seen: str
    source: str
    kind: str


@dataclass(frozen=True, slots=True)
class Report:
    """What both forms show.

    Args:
        summary: the figures.
        headline: the outcome in a sentence.
        claims: one line each.
        sections: the paper's tables in miniature.
        paper: which one.
        figures: of the paper, as far as they were at hand.
        examples: how many there were.
        steps: what each took.
        training: how models were fine-tuned.
        command: to run it again.
    """

    summary: ReproductionSummary
    headline: str
    claims: tuple[ClaimLine, ...]
    sections: tuple[Section, ...]
    paper: str
    figures: Table
    examples: Table
    steps: Table
    training: Table
    command: str


def write_reproduction_report(directory: Path) -> tuple[Path, Path]:
    """Write ``report.html`` and ``report.md`` into a finished reproduction.

    The page needs no network; equal figures give equal bytes.

    Args:
        directory: with ``summary.json``.

    Returns:
        The paths of both.

    Raises:
        MissingExtraError: jinja2 is not installed.
        InputError: there is no finished reproduction.
        FormatError: its summary is damaged or lacks a field.
    """
    require_report_extra("jinja2")
    report = make_report(read_reproduction(directory))
    page, text = directory / HTML, directory / MARKDOWN
    write_page(page, "reproduction.html", {"report": report, "texts": reproduction_markdown})
    with atomic_file(text) as stream:
        stream.write(reproduction_markdown.markdown(report).encode())
    return page, text


def make_report(summary: ReproductionSummary) -> Report:
    """The tables and lines of a summary."""
    # Torch, which the systems need, costs seconds; other rooms stay light.
    from exonym.systems.reproduction.paper import FIGURES, PAPER
    from exonym.systems.reproduction.tables import TABLES

    return Report(
        summary=summary,
        headline=headline(summary.claims),
        claims=tuple(_claim_line(one) for one in summary.claims),
        sections=tuple(
            _section(summary, name, table.title, table.paper)
            for name, table in TABLES.items()
            if name in summary.tables
        ),
        paper=PAPER,
        figures=Table(
            "Figures of the paper and its authors that were at hand",
            ("Measured on", "Value", "Model", "Seen in"),
            tuple(
                (
                    one.what,
                    f"{one.value:.1f}",
                    "not named" if one.row is None else NAMES[one.row],
                    one.source,
                )
                for one in FIGURES
            ),
            text=True,
        ),
        examples=_examples(summary),
        steps=_steps(summary),
        training=_training(summary),
        command=command(summary),
    )


def headline(claims: Sequence[ClaimOutcome]) -> str:
    """How many claims come out, in a sentence."""
    found = Counter(one.outcome for one in claims)
    return (
        f"{found['comes out']} of {len(claims)} claims come out here, "
        f"{found['does not come out']} do not, {found['cannot be said']} cannot be told"
    )


def _claim_line(claim: ClaimOutcome) -> ClaimLine:
    kinds = {"comes out": "yes", "does not come out": "no", "cannot be said": "open"}
    if claim.difference is None:
        return ClaimLine(claim.text, _MISSING, ABSENT, claim.source or NOT_AT_HAND, "open")
    return ClaimLine(
        claim.text,
        _OUTCOMES[claim.outcome],
        _signed(claim.difference),
        claim.source or NOT_AT_HAND,
        kinds[claim.outcome],
    )


def _section(
    summary: ReproductionSummary,
    name: str,
    title: str,
    paper: str,
) -> Section:
    rows = summary.tables[name]
    claims = [one for one in summary.claims if one.table == name and one.difference is not None]
    return Section(
        name,
        title,
        paper,
        _scores(name, title, rows),
        _differences(claims) if claims else None,
        _languages(title, rows),
    )


def _scores(name: str, title: str, rows: Sequence[ScoredRow]) -> Table:
    from exonym.systems.reproduction.paper import average_of

    keys = list(rows[0].scores)
    columns = [column for key in keys for column in (key, "95\N{NO-BREAK SPACE}% interval")]
    body = []
    for row in rows:
        published = average_of(name, row.row)
        cells = [
            cell
            for score in (row.scores[key] for key in keys)
            for cell in (decimal(score.value), interval(score.low, score.high))
        ]
        if name == "control":
            seen = ABSENT  # the paper has no such questions
        elif published is None:
            seen = NOT_AT_HAND
        else:
            seen = f"{published.value:.1f} ({published.what})"
        body.append((NAMES.get(row.row, row.row), *cells, str(row.seeds), seen))
    return Table(title, ("Model", *columns, "Seeds", "Paper"), tuple(body))


def _differences(claims: Sequence[ClaimOutcome]) -> Table:
    rows = []
    for one in claims:
        assert one.difference is not None, "chosen above"
        rows.append(
            (
                f"{NAMES[one.better]} less {NAMES[one.worse]}",
                NOT_AT_HAND if one.source is None else _SIGNS[one.sign],
                _SIGNS[(one.difference.value > 0) - (one.difference.value < 0)],
                f"{one.difference.value:+.3f}",
                _ends(one.difference),
            )
        )
    return Table(
        "Differences, model by model of the same seed",
        ("Difference", "Sign in the paper", "Sign here", "Here", "95\N{NO-BREAK SPACE}% interval"),
        tuple(rows),
    )


_SIGNS = {1: "+", -1: "\N{MINUS SIGN}", 0: "0"}


def _languages(title: str, rows: Sequence[ScoredRow]) -> Table | None:
    codes = sorted({code for row in rows for code in row.by_language})
    if not codes:
        return None
    return Table(
        f"{title}: by language",
        ("Language", *(NAMES.get(row.row, row.row) for row in rows)),
        tuple(
            (_language(code), *(decimal(row.by_language.get(code)) for row in rows))
            for code in codes
        ),
    )


def _language(code: str) -> str:
    """A language's name, or those of a passage and of the question about it."""
    passage, asked, question = code.partition(", asked in ")
    return language_name(passage) + (asked and asked + language_name(question))


def _signed(score: Score) -> str:
    return f"{score.value:+.3f} ({_ends(score)})"


def _ends(score: Score) -> str:
    return f"{score.low:+.3f} to {score.high:+.3f}"


def _examples(summary: ReproductionSummary) -> Table:
    rows = []
    for task, splits in summary.benchmarks.items():
        for split, files in splits.items():
            sizes = [one["examples"] for one in files.values() if one["examples"]]
            shown = count(sizes[0]) if len(sizes) == 1 else f"{min(sizes)} to {max(sizes)}"
            rows.append((task, split, str(len(sizes)), shown))
    return Table("Examples", ("Task", "Split", "Files", "Examples in each"), tuple(rows))


def _steps(summary: ReproductionSummary) -> Table:
    rows = [(name, duration(spent)) for name, spent in summary.seconds_by_step.items()]
    return Table(
        "Time by step", ("Step", "Time"), (*rows, ("all", duration(summary.seconds))), total=True
    )


def _training(summary: ReproductionSummary) -> Table:
    keys = ("learning_rate", "batch_size", "epochs", "warmup_share", "weight_decay")
    return Table(
        "Fine-tuning: one setting for each task, the same for all models",
        ("Task", *(key.replace("_", " ") for key in keys)),
        tuple(
            (task, *(f"{recipe[key]:g}" for key in keys))
            for task, recipe in summary.training.items()
        ),
    )


def command(summary: ReproductionSummary) -> str:
    """The command that does the same again."""
    options = summary.options
    words = ["exonym", "reproduce", "mluke", "--scale", "atlas", "--out", "DIR"]
    words += ["--seeds", str(options["seeds"]), "--entities", str(options["entities"] or 0)]
    if options["languages"] is not None:
        words += ["--languages", ",".join(options["languages"])]
    if options["table"] is not None:
        words += ["--table", options["table"]]
    if options["recipe"] != "mluke-atlas":
        words += ["--recipe", options["recipe"]]
    for name in ("vocabulary_size", "max_words", "train", "validation", "test", "seed"):
        words += [f"--{name.replace('_', '-')}", str(options[name])]
    for change in options["changes"]:
        words += ["--set", change]
    return shlex.join(words)
