"""``exonym data check``: what is in a file of a task, what is wrong, what a model would see."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from exonym.cli.linked_listing import plain
from exonym.cli.output import print_json, table_lines
from exonym.cli.task_options import TAG_NAMES, language_code, named_tags

if TYPE_CHECKING:
    from exonym.tasks.ner import NerExample
    from exonym.tasks.qa import QuestionExample
    from exonym.tasks.reading import Problem
    from exonym.tasks.relation import RelationExample
    from exonym.text import AnnotatedText

app = typer.Typer(
    help="Say what is in a task's file, and what is wrong with it, line by line.",
    no_args_is_help=True,
    rich_markup_mode=None,
)

PROBLEMS_SHOWN = 20
EXAMPLES_SHOWN = 3

_JSON = typer.Option("--json", help="Print JSON for machines.")
_MODEL = typer.Option(
    help="A checkpoint: examples are shown as it will see them, in pieces. [default: as text]"
)
_LANGUAGE = typer.Option(help="Of texts, where neither file nor file name says it.")
_ENCODING = typer.Option(help="Of the file. [default: found out]")


@app.command("ner")
def check_ner(
    file: Annotated[Path, typer.Argument(help="Columns of words and tags, or JSON Lines.")],
    model: Annotated[str | None, _MODEL] = None,
    language: Annotated[str | None, _LANGUAGE] = None,
    encoding: Annotated[str | None, _ENCODING] = None,
    word_column: Annotated[
        int | None, typer.Option(min=1, help="The column of words, from 1. [default: found out]")
    ] = None,
    tag_column: Annotated[
        int | None, typer.Option(min=1, help="The column of tags, from 1. [default: found out]")
    ] = None,
    tag_names: Annotated[str | None, typer.Option(help=TAG_NAMES)] = None,
    json: Annotated[bool, _JSON] = False,
) -> None:
    """Check a file of named entities; exit status 2 if something is wrong with it.

    Example: exonym data check ner de/test.conllu
    """
    from exonym.tasks.ner import check_examples, show_examples

    dataset = check_examples(
        file,
        language=language_code(language),
        encoding=encoding,
        word_column=None if word_column is None else word_column - 1,
        tag_column=None if tag_column is None else tag_column - 1,
        tag_names=named_tags(tag_names),
    )
    layout = f"{dataset.format}, {dataset.encoding}"
    notes = [
        f"{layout}, {dataset.scheme} tags" if dataset.scheme else layout,
        f"{len(dataset.examples):,} sentences",
        *dataset.notes,
    ]
    shown = _seen(model, "ner", dataset.examples, show_examples) or map(
        _ner_text, dataset.examples[:EXAMPLES_SHOWN]
    )
    _tell(file, notes, dataset.problems, shown, json, counts=dataset.counts)


@app.command("relation")
def check_relation(
    file: Annotated[Path, typer.Argument(help="In the layout of KBP37, TACRED, or JSON Lines.")],
    model: Annotated[str | None, _MODEL] = None,
    language: Annotated[str | None, _LANGUAGE] = None,
    encoding: Annotated[str | None, _ENCODING] = None,
    json: Annotated[bool, _JSON] = False,
) -> None:
    """Check a file of relations; exit status 2 if something is wrong with it.

    Example: exonym data check relation RELX_de.txt
    """
    from exonym.tasks.relation import check_examples, show_examples

    dataset = check_examples(file, language=language_code(language), encoding=encoding)
    shown = _seen(model, "relation", dataset.examples, show_examples) or map(
        _relation_text, dataset.examples[:EXAMPLES_SHOWN]
    )
    _tell(file, dataset.notes, dataset.problems, shown, json, counts=dataset.counts)


@app.command("qa")
def check_qa(
    file: Annotated[Path, typer.Argument(help="In the layout of SQuAD, or JSON Lines.")],
    model: Annotated[str | None, _MODEL] = None,
    language: Annotated[str | None, _LANGUAGE] = None,
    question_language: Annotated[
        str | None, typer.Option(help="Of the questions, if it is another.")
    ] = None,
    json: Annotated[bool, _JSON] = False,
) -> None:
    """Check a file of questions about passages; exit status 2 if something is wrong with it.

    Example: exonym data check qa xquad.ar.json
    """
    from exonym.tasks.qa import check_examples

    dataset = check_examples(
        file,
        language=language_code(language),
        question_language=language_code(question_language, "--question-language"),
    )
    shown = None
    if model is not None:
        from exonym.tasks.qa import show_examples

        shown = _seen(model, "qa", dataset.examples, show_examples)
    shown = shown or map(_qa_text, dataset.examples[:EXAMPLES_SHOWN])
    _tell(file, dataset.notes, dataset.problems, shown, json)


def _seen(model: str | None, task: str, examples: Sequence[Any], show: Any) -> Iterator[str] | None:
    """The first examples as a model will see them, or would after fine-tuning."""
    if model is None:
        return None
    from exonym.modeling.checkpoint import find_checkpoint, read_shape
    from exonym.systems.task_kits import kit_of
    from exonym.systems.transfer import find_model
    from exonym.tokenization import EntityTokenizer

    found = find_model(model)
    config = read_shape(find_checkpoint(found))
    defaults = kit_of(task).settings(config, config.variant, {})
    own = type(defaults).of(config) if f"exonym_{task}" in config.other else defaults
    paragraphs: Iterator[str] = show(
        examples[:EXAMPLES_SHOWN], EntityTokenizer.from_pretrained(found), own
    )
    return paragraphs


def _tell(
    file: Path,
    notes: Sequence[str],
    problems: Sequence[Problem],
    shown: Iterable[str],
    as_json: bool,
    counts: dict[str, int] | None = None,
) -> None:
    """Print everything; ends the command with status 2 where the file cannot be used."""
    fatal = sum(problem.fatal for problem in problems)
    notes = [note.removeprefix(f"{file.name}: ") for note in notes]
    if as_json:
        value: dict[str, object] = {
            "notes": notes,
            "problems": [asdict(problem) for problem in problems],
            "examples": [*shown],
        }
        print_json(value if counts is None else {**value, "labels": dict(sorted(counts.items()))})
    else:
        typer.echo(f"{file}: {'; '.join(notes)}")
        for problem in problems[:PROBLEMS_SHOWN]:
            odd = "" if problem.fatal else "odd, but usable: "
            typer.echo(f"{file}:{problem.line}: {odd}{plain(problem.what)}")
        if (more := len(problems) - PROBLEMS_SHOWN) > 0:
            typer.echo(f"and {more:,} more; --json has all")
        if counts:
            rows = sorted(counts.items(), key=lambda one: (-one[1], one[0]))
            for line in table_lines(["label", "count"], [[plain(one), n] for one, n in rows]):
                typer.echo(line)
        for one in shown:
            typer.echo(f"\n{one.translate(SIGNS)}")
        if fatal:
            typer.echo(f"\n{file}: {fatal:,} lines must be mended before it can be used")
    if fatal:
        raise typer.Exit(2)


# A terminal would obey control characters; line feeds are ours.
SIGNS = {code: 0x2400 + code for code in range(0x20) if chr(code) not in "\t\n"} | {0x7F: 0x2421}


def _ner_text(example: NerExample) -> str:
    """A sentence, and each of its entities."""
    lines = [f"{example.source} ({example.language})", f"  {_flat(example.text)}"]
    lines += [
        f"  {label} [{start}, {end}) {_flat(example.text[start:end])}"
        for start, end, label in example.entities
    ]
    return "\n".join(lines)


def _relation_text(example: RelationExample) -> str:
    """A text, its two mentions and their label."""
    head, tail = (
        f"[{span.start}, {span.end}) {_flat(example.surface(span))}"
        for span in (example.head, example.tail)
    )
    return (
        f"{example.id} ({example.language}) {example.label or 'without a label'}\n"
        f"  {_flat(example.text.text)}\n  head {head}\n  tail {tail}"
    )


def _qa_text(example: QuestionExample) -> str:
    """A question, its passage and the right answers, mentions marked."""
    lines = [f"{example.id}: {_marked(example.question)}", f"  {_marked(example.context)}"]
    lines += [f"  = {answer.text} [{answer.start}, {answer.end})" for answer in example.answers]
    return "\n".join(lines)


def _marked(text: AnnotatedText) -> str:
    """A text on one line, each mention as ``[words|entity]``."""
    pieces, last = [], 0
    for mention in text.mentions:
        pieces.append(
            f"{text.text[last : mention.start]}[{text.surface(mention)}|{mention.entity}]"
        )
        last = mention.end
    return _flat("".join([*pieces, text.text[last:]]))


def _flat(text: str) -> str:
    return " ".join(text.split())
