"""The quickstart's report: did asking by entities cross languages, and what did it take?"""

from __future__ import annotations

from pathlib import Path

from exonym.reports import built
from exonym.reports.extras import require_report_extra
from exonym.reports.formats import ABSENT, count, decimal, interval, language_name, percent
from exonym.reports.page import Table, write_page
from exonym.reports.summary import Quickstart, Rows, Summary, read_quickstart
from exonym.reports.svg import Drawing
from exonym.reports.verdict import NAMES, judge

FILE = "report.html"
_PLOTTED = ("words_only", "mluke_w", "mluke_e_y", "mluke_e_xy")
_RUNS = {"backbone": "Backbone", "mluke": "mLUKE", "words-only": "Words-only control"}
_CAPTIONS = {
    "backbone": "The backbone: masked words only. It stands in for XLM-R.",
    "mluke": "mLUKE: first only what is new (entities), then everything.",
    "words-only": "The control: the same steps on the same text, masked words only.",
}


def write_quickstart_report(directory: Path) -> Path:
    """Write ``report.html`` into a finished quickstart: one file that needs no network.

    Equal figures give equal bytes.

    Args:
        directory: the quickstart's, with ``summary.json`` and its runs.

    Returns:
        The report's path.

    Raises:
        MissingExtraError: matplotlib or jinja2 is not installed.
        InputError: there is no finished quickstart.
        FormatError: a file of it is damaged or lacks a field.
    """
    require_report_extra()
    found = read_quickstart(directory)
    path = directory / FILE
    write_page(path, "quickstart.html", _fields(found))
    return path


def _fields(found: Quickstart) -> dict[str, object]:
    """What the template shows."""
    # Matplotlib and torch (which the recipe room needs) cost seconds; other rooms stay light.
    from exonym.reports import losses, recipes
    from exonym.systems import mluke

    summary, cloze = found.summary, found.summary.cloze
    published = mluke.recipe("mluke-base").to_json()
    return {
        "summary": summary,
        "verdict": judge(cloze),
        "names": NAMES,
        "untold": accuracy_table(
            "Facts that only other languages told",
            cloze.untold,
        ),
        "untold_plot": accuracy_plot("untold", cloze.untold),
        "control": cloze.control and accuracy_table("Facts that no language told", cloze.control),
        "control_plot": cloze.control and accuracy_plot("control", cloze.control),
        "language_plot": accuracy_by_language_plot(summary),
        "language_tables": [
            _accuracy_by_language(summary, f"Accuracy on {kind} facts, by language", rows)
            for kind, rows in (("untold", cloze.untold), ("control", cloze.control))
            if rows is not None
        ],
        "bias": _bias_table(summary),
        "bias_by_language": _by_language(
            summary,
            "Share of the most frequent wrong answer, by language (a dash: nothing was wrong)",
            {name: row.by_language for name, row in summary.language_bias.items()},
        ),
        "losses": losses.loss_drawings(found.metrics, _CAPTIONS),
        "stages": losses.stage_table(found.metrics, _RUNS),
        "counts": built.headline_counts(summary),
        "language_counts": built.language_counts(summary),
        "questions": built.question_counts(summary),
        "skipped": built.skipped_counts(summary),
        "steps": built.step_times(summary),
        "departures": recipes.departures(summary.recipe, published),
        "settings": recipes.settings(summary.recipe, published),
        "command": recipes.command(summary),
        "manifest": found.manifest,
    }


def accuracy_table(caption: str, rows: Rows) -> Table:
    """Accuracy, interval and number of questions of each way to answer."""
    return Table(
        caption,
        ("Answered by", "Accuracy", "95\N{NO-BREAK SPACE}% interval", "Questions"),
        tuple(
            (NAMES[name], decimal(row.accuracy), interval(row.low, row.high), count(row.questions))
            for name, row in rows.items()
        ),
    )


def accuracy_plot(kind: str, rows: Rows) -> Drawing:
    """The same as `accuracy_table`, drawn."""
    from exonym.reports.figures import Bar, interval_plot

    return interval_plot(
        kind,
        f"Accuracy on {kind} facts",
        "Accuracy, mean over languages; the line is the 95\N{NO-BREAK SPACE}% interval.",
        [Bar(NAMES[name], name, row) for name, row in rows.items()],
    )


def accuracy_by_language_plot(summary: Summary) -> Drawing:
    """Untold facts by language, asked by words and by entities."""
    from exonym.reports.figures import Series, language_plot

    rows = dict(summary.cloze.untold.items())
    told = {code: counts.get("facts told") for code, counts in summary.atlas.counts.items()}
    asked = {code for name in _PLOTTED for code in rows[name].by_language}
    order = [code for code in built.by_telling(summary) if code in asked]
    order += sorted(asked.difference(order))
    return language_plot(
        "by-language",
        "Accuracy by language on untold facts",
        "Facts that the language never told, by language. In brackets: facts it does tell.",
        {code: f"{language_name(code)} ({count(told.get(code))})" for code in order},
        [Series(NAMES[name], name, rows[name].by_language) for name in _PLOTTED],
    )


def _by_language(summary: Summary, caption: str, columns: dict[str, dict[str, float]]) -> Table:
    """One figure per language and row; languages that tell the most facts first."""
    asked = {code for values in columns.values() for code in values}
    order = [code for code in built.by_telling(summary) if code in asked]
    order += sorted(asked.difference(order))
    return Table(
        caption,
        ("Language", *(NAMES.get(name, name) for name in columns)),
        tuple(
            (language_name(code), *(decimal(values.get(code)) for values in columns.values()))
            for code in order
        ),
    )


def _accuracy_by_language(summary: Summary, caption: str, rows: Rows) -> Table:
    columns = {name: row.by_language for name, row in rows.items()}
    return _by_language(summary, caption, columns)


def _bias_table(summary: Summary) -> Table:
    return Table(
        "Share of the most frequent wrong answer (untold facts)",
        ("Answered by", "Share", "Wrong answers", "Lowest language", "Highest language"),
        tuple(
            (
                NAMES.get(name, name),
                percent(row.share),
                count(row.wrong),
                *_ends(row.by_language),
            )
            for name, row in summary.language_bias.items()
        ),
    )


def _ends(values: dict[str, float]) -> tuple[str, str]:
    """The lowest and the highest value, each with its language unless all are equal."""
    if not values:
        return ABSENT, ABSENT
    low, high = (choose(sorted(values), key=lambda code: values[code]) for choose in (min, max))
    if values[low] == values[high]:
        return percent(values[low]), percent(values[high])
    first, second = (f"{percent(values[code])} ({language_name(code)})" for code in (low, high))
    return first, second
