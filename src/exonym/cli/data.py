"""``exonym data``: look at a task's files, and put entities into them."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from exonym.cli import data_check, data_check_cloze
from exonym.cli.output import print_json, print_table
from exonym.foundation.files import JSON

app = typer.Typer(
    help="Check the files of a task, and put entities into them.",
    no_args_is_help=True,
    rich_markup_mode=None,
)
link = typer.Typer(
    help="Put entities into the texts of a task.", no_args_is_help=True, rich_markup_mode=None
)
data_check.app.command("cloze")(data_check_cloze.check_cloze)
app.add_typer(data_check.app, name="check")
app.add_typer(link, name="link")

TITLES_SHOWN = 3

_JSON = typer.Option("--json", help="Print JSON for machines.")
_LANGUAGE = typer.Option(help="Of the passages, where the file's name does not say.")
_QUESTION_LANGUAGE = typer.Option(help="Of the questions, if it is another.")


@link.callback()
def _tasks() -> None:
    """Keeps this a group while it has one task."""


@link.command("qa")
def link_qa(
    files: Annotated[
        list[Path], typer.Argument(help="Questions in the layout of SQuAD, or JSON Lines.")
    ],
    kb: Annotated[Path, typer.Option(help="Knowledge base made by `exonym kb build`.")],
    out: Annotated[Path, typer.Option(help="The directory to make.")],
    language: Annotated[str | None, _LANGUAGE] = None,
    question_language: Annotated[str | None, _QUESTION_LANGUAGE] = None,
    source_language: Annotated[
        str | None,
        typer.Option(
            help="Of the Wikipedia that titles name articles of. Default: the passages' or English."
        ),
    ] = None,
    min_link_probability: Annotated[
        float, typer.Option(help="Names that are links less often are left out.")
    ] = 0.01,
    min_prior: Annotated[
        float,
        typer.Option(help="Share of a name's links, in other languages than the article's."),
    ] = 0.01,
    subject: Annotated[
        bool, typer.Option("--subject", help="Look for the article's own entity, too.")
    ] = False,
    general: Annotated[
        bool,
        typer.Option("--general", help="Link as `exonym link` does where no article is known."),
    ] = False,
    model: Annotated[
        str | None, typer.Option(help="Checkpoint that chooses between candidates, for --general.")
    ] = None,
    overwrite: Annotated[bool, typer.Option(help="Replace --out.")] = False,
    json: Annotated[bool, _JSON] = False,
) -> None:
    """Put entities into questions and passages, by the article that each passage comes from.

    Example: exonym data link qa xquad.en.json xquad.es.json --kb work/kb --out work/xquad
    """
    from exonym.foundation.errors import InputError
    from exonym.knowledge import KnowledgeBase
    from exonym.linking.source_article import ArticleRule
    from exonym.tasks.qa.annotation import AnnotationOptions
    from exonym.tasks.qa.annotation_files import write_annotations

    if model is not None and not general:
        raise InputError(
            "--model is for texts without a known article, and they are only linked with --general",
            remedy="Add --general",
        )
    options = AnnotationOptions(
        source_language, ArticleRule(min_link_probability, min_prior, subject)
    )
    opened, linker = KnowledgeBase.open(kb), None
    if general:
        from exonym.linking.linker import Linker

        linker = Linker.open(opened, model=model)
    written = write_annotations(
        files,
        out,
        opened,
        options,
        linker=linker,
        linker_name=None if linker is None else linker.scorer,
        language=language,
        question_language=question_language,
        overwrite=overwrite,
    )
    if json:
        print_json(written.manifest)
    else:
        _print_linked(written.path, written.manifest)


def _print_linked(path: Path, manifest: JSON) -> None:
    rows = [
        [
            name,
            source,
            titles["titles"],
            titles["titles"] - len(titles["missing"]),
            ", ".join(titles["missing"][:TITLES_SHOWN]) or None,
        ]
        for name, file in manifest["files"].items()
        for source, titles in file["titles"].items()
    ]
    if rows:
        header = ["file", "wikipedia", "titles", "with an article", "without, such as"]
        print_table(f"Source articles of {path}", header, rows)
    languages = manifest["languages"]
    names = list(dict.fromkeys(name for counts in languages.values() for name in counts))
    print_table(
        "Found",
        ["what", *languages],
        [[name, *(counts.get(name, 0) for counts in languages.values())] for name in names],
    )
