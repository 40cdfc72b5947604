"""``exonym evaluate cloze``: ask a pretrained model for facts."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from exonym.cli.options import LANGUAGES, codes_of, language_codes, require_one_of
from exonym.cli.output import print_json, print_table
from exonym.foundation.files import JSON

if TYPE_CHECKING:
    from exonym.systems.facts import FactOptions
    from exonym.tasks.cloze import ClozeModel

_MODEL = typer.Option(help="Checkpoint or run folder, such as RUN/model, or a name on the hub.")
_QUESTIONS = typer.Option(help="mLAMA's folder, one language or relation in it, or a table.")
_CONTROL = typer.Option(help="Checkpoint of the words-only control, for its row.")
_RELATIONS = typer.Option(help="Only these, as in P36,P19; candidates stay as they are.")
_CANDIDATES = typer.Option(help="typed: the relation's; full: all relations' of the language.")
_UNKNOWN = typer.Option(
    help="Candidates that are no entities of the vocabulary: leave-out (the paper's first table), "
    "words (scored by their words, its second), keep (never chosen by entities)."
)
_ASKING = typer.Option(
    help="Ways to ask: words, entity-y ([Y] is an entity), entity-xy ([X], too)."
)
_KB = typer.Option(help="Knowledge base: leads items to rows that the vocabulary knows by titles.")
_KEEP_GOING = typer.Option("--keep-going", help="Leave out, and count, what is wrong with files.")
_BY_LANGUAGE = typer.Option("--by-language", help="Print each language's accuracies, too.")
_OUT = typer.Option(help="Write all figures here: .md is Markdown, anything else JSON.")
_SEED = typer.Option(help="Of the bootstrap intervals.")
_DEVICE = typer.Option(help="Such as cpu or cuda. [default: a GPU where there is one]")
_JSON = typer.Option("--json", help="Print all figures as JSON.")


def cloze(
    model: Annotated[str, _MODEL],
    questions: Annotated[Path, _QUESTIONS],
    control: Annotated[str | None, _CONTROL] = None,
    languages: Annotated[str | None, LANGUAGES] = None,
    relations: Annotated[str | None, _RELATIONS] = None,
    candidates: Annotated[str, _CANDIDATES] = "typed",
    unknown: Annotated[str, _UNKNOWN] = "leave-out",
    asking: Annotated[str, _ASKING] = "words,entity-y,entity-xy",
    kb: Annotated[Path | None, _KB] = None,
    keep_going: Annotated[bool, _KEEP_GOING] = False,
    by_language: Annotated[bool, _BY_LANGUAGE] = False,
    out: Annotated[Path | None, _OUT] = None,
    device: Annotated[str | None, _DEVICE] = None,
    seed: Annotated[int, _SEED] = 0,
    json: Annotated[bool, _JSON] = False,
) -> None:
    """Ask facts in every language, by words and by entities; top-1 accuracy, macro-averaged.

    Example: exonym evaluate cloze --model work/run/model --questions work/atlas/cloze
    """
    options = _options(candidates, unknown, asking)
    from exonym.foundation.files import atomic_file, write_json
    from exonym.reports.cloze_tables import markdown, tables
    from exonym.systems.facts import measure_facts
    from exonym.tasks.cloze import load_questions

    asked = load_questions(
        questions,
        language_codes(languages),
        relations=None if relations is None else codes_of(relations, "--relations", "P36,P19"),
        keep_going=keep_going,
    )
    loaded = _load(model, device, kb)
    figures = measure_facts(
        asked, loaded, None if control is None else _load(control, device), options, seed=seed
    )
    if out is not None and out.suffix == ".md":
        with atomic_file(out) as stream:
            stream.write(markdown(figures).encode())
    elif out is not None:
        write_json(out, figures.to_json())
    if json:
        print_json(figures.to_json())
        return
    for title, table in tables(figures, by_language=by_language):
        print_table(title, *table)


def _options(candidates: str, unknown: str, asking: str) -> FactOptions:
    from exonym.systems.facts import Candidates, FactOptions, Unknown
    from exonym.tasks.cloze import Asking

    ways = codes_of(asking, "--asking", "words,entity-xy")
    for given, kind, option in (
        ((candidates,), Candidates, "--candidates"),
        ((unknown,), Unknown, "--unknown"),
        (ways, Asking, "--asking"),
    ):
        for value in given:
            require_one_of(option, value, [*kind])
    return FactOptions(
        Candidates(candidates), Unknown(unknown), tuple(way for way in Asking if way in ways)
    )


def _load(model: str, device: str | None, kb: Path | None = None) -> ClozeModel:
    from exonym.knowledge import KnowledgeBase
    from exonym.systems.transfer import find_model, moved
    from exonym.tasks.cloze import load

    loaded = load(find_model(model), kb=None if kb is None else KnowledgeBase.open(kb))
    moved(loaded.model, device)
    return loaded


def print_accuracy(kind: str, accuracy: JSON) -> None:
    """Print one kind of question's accuracies with their intervals."""
    from exonym.reports.cloze_tables import accuracy_table, title_of

    print_table(title_of(kind), *accuracy_table(accuracy))
