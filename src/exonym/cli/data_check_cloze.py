"""``exonym data check cloze``: what is in files of facts, and what is wrong with them."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from exonym.cli.data_check import EXAMPLES_SHOWN, PROBLEMS_SHOWN, SIGNS
from exonym.cli.linked_listing import plain
from exonym.cli.options import language_codes
from exonym.cli.output import print_json

if TYPE_CHECKING:
    from exonym.tasks.cloze.data import CheckedQuestions

_PATH = typer.Argument(
    metavar="PATH", help="mLAMA's folder, one language or relation in it, or a table."
)
_MODEL = typer.Option(
    help="A checkpoint: examples are shown as it will see them, in pieces. [default: as text]"
)
_LANGUAGES = typer.Option(help="Only these, as in en,ja,sw.")
_JSON = typer.Option("--json", help="Print JSON for machines.")


def check_cloze(
    path: Annotated[Path, _PATH],
    model: Annotated[str | None, _MODEL] = None,
    languages: Annotated[str | None, _LANGUAGES] = None,
    json: Annotated[bool, _JSON] = False,
) -> None:
    """Check files of facts; exit status 2 if something is wrong with them.

    Example: exonym data check cloze mlama1.1/sw
    """
    from exonym.tasks.cloze import check_questions

    checked = check_questions(path, language_codes(languages))
    shown = _shown(checked, model)
    fatal = sum(problem.fatal for problem in checked.problems)
    if json:
        problems = [{**asdict(one), "path": str(one.path)} for one in checked.problems]
        print_json({"notes": checked.notes, "problems": problems, "examples": shown})
    else:
        typer.echo(f"{path}: {'; '.join(checked.notes) or 'nothing that can be asked'}")
        for problem in checked.problems[:PROBLEMS_SHOWN]:
            odd = "" if problem.fatal else "odd, but usable: "
            typer.echo(f"{problem.where}: {odd}{plain(problem.what)}")
        if (more := len(checked.problems) - PROBLEMS_SHOWN) > 0:
            typer.echo(f"and {more:,} more; --json has all")
        for one in shown:
            typer.echo(f"\n{one.translate(SIGNS)}")
        if fatal:
            typer.echo(
                f"\n{path}: to be mended: {fatal:,}; or left out, with "
                "`exonym evaluate cloze --keep-going`"
            )
    if fatal:
        raise typer.Exit(2)


def _shown(checked: CheckedQuestions, model: str | None) -> list[str]:
    """The first questions, as text or as a model will see them."""
    from exonym.systems.transfer import find_model
    from exonym.tasks.cloze import show_questions
    from exonym.tokenization import EntityTokenizer

    tokenizer = None if model is None else EntityTokenizer.from_pretrained(find_model(model))
    if checked.questions is None:
        return []
    first = checked.questions.questions[:EXAMPLES_SHOWN]
    return [*show_questions(first, checked.questions, tokenizer)]
