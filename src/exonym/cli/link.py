"""``exonym link``: find the entities that texts mention, in any language of a knowledge base."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, cast

import typer

from exonym.foundation.errors import ConfigError, InputError

if TYPE_CHECKING:
    from exonym.foundation.progress import Progress
    from exonym.knowledge import KnowledgeBase
    from exonym.linking.formats import OutputKind
    from exonym.linking.linked import Linked
    from exonym.linking.options import Cover, Order, Scorer

AUTO = "auto"

_INPUTS = typer.Argument(metavar="TEXT|FILE|-", help="Texts, or files of them; - reads a pipe.")
_KB = typer.Option(help="A directory made by `exonym kb build`.")
_MODEL = typer.Option(help="A checkpoint that reads the context. [default: priors decide]")
_LANGUAGE = typer.Option(help="Of texts that do not say it; auto: found for each.")
_FORMAT = typer.Option(
    help="jsonl, conll, nif, html or text. [default: by the name of --out, else text for texts "
    "and jsonl for files]"
)
_INPUT = typer.Option(help="text (one a line) or jsonl. [default: by a file's name, else text]")
_OUT = typer.Option(help="Write here, compressed by suffix. [default: print]")
_EXPLAIN = typer.Option("--explain", help="Add candidates, their scores, and why one won.")
_GIVEN = typer.Option("--given-mentions", help="Link the mentions of JSON Lines, find none.")
_COVER = typer.Option(help="Of overlapping names: best, longest (from the left) or all.")
_LEAST = typer.Option(help="Leave names alone that are links less often than this.")
_MOST = typer.Option(help="How many entities a name may mean.")
_ACROSS = typer.Option(help="Whether names of other languages than the text's count.")
_NIL = typer.Option(help="Link nothing that is less probable than this.")
_SCORER = typer.Option(help="prior, words or entities. [default: entities with --model]")
_ORDER = typer.Option(help="How the model reads mentions: together or confident-first.")
_WEIGHT = typer.Option(help="How much the prior counts beside the model; 0: nothing.")
_BASE = typer.Option(help="What the names of texts begin with, in NIF. [default: urn:exonym:]")
_JSON = typer.Option("--json", help="The same as --format jsonl.")


def link(
    inputs: Annotated[list[str], _INPUTS],
    kb: Annotated[Path, _KB],
    model: Annotated[str | None, _MODEL] = None,
    language: Annotated[str, _LANGUAGE] = AUTO,
    format: Annotated[str | None, _FORMAT] = None,
    input: Annotated[str | None, _INPUT] = None,
    out: Annotated[Path | None, _OUT] = None,
    explain: Annotated[bool, _EXPLAIN] = False,
    given_mentions: Annotated[bool, _GIVEN] = False,
    cover: Annotated[str, _COVER] = "best",
    min_link_probability: Annotated[float, _LEAST] = 0.01,
    most_candidates: Annotated[int, _MOST] = 16,
    across_languages: Annotated[bool, _ACROSS] = True,
    nil_threshold: Annotated[float, _NIL] = 0.0,
    scorer: Annotated[str | None, _SCORER] = None,
    order: Annotated[str, _ORDER] = "together",
    prior_weight: Annotated[float, _WEIGHT] = 0.25,
    base: Annotated[str | None, _BASE] = None,
    batch_size: Annotated[int, typer.Option(help="Texts at a time.")] = 256,
    processes: Annotated[int, typer.Option(help="How many processes link.")] = 1,
    json: Annotated[bool, _JSON] = False,
) -> None:
    """Find the entities in texts, and say which they are.

    Example: exonym link --kb kb/ --language en "Tokyo is the capital of Japan."

    An argument that is no file is a text. A file has a text a line; one whose name ends in .jsonl
    has {"text": ..., "language": ...} a line. The first run makes an index of the names beside the
    knowledge base. `exonym kb add` adds names and entities.
    """
    from exonym.cli.link_inputs import is_stream, read_inputs
    from exonym.knowledge import KnowledgeBase
    from exonym.linking.linker import Linker
    from exonym.linking.options import LinkingOptions

    files = [argument for argument in inputs if is_stream(argument)]
    kind = _output_kind(format, out, as_json=json, streaming=bool(files))
    texts = read_inputs(inputs, input)
    options = LinkingOptions(
        cover=cast("Cover", cover),
        min_link_probability=min_link_probability,
        most_candidates=most_candidates,
        across_languages=across_languages,
        nil_threshold=nil_threshold,
        order=cast("Order", order),
        prior_weight=prior_weight,
        scorer=cast("Scorer | None", scorer),
    )
    opened = KnowledgeBase.open(kb)
    _check_language(language, opened)
    linker = Linker.open(opened, model=model, options=options)
    linked = linker.pipe(
        texts,
        language=language,
        batch_size=batch_size,
        processes=processes,
        detect=not given_mentions,
    )
    _write(linked, kind, opened, out, explain=explain, base=base, bar=bool(files))


def _output_kind(
    format: str | None, out: Path | None, *, as_json: bool, streaming: bool
) -> OutputKind:
    from exonym.linking.formats import OutputKind, output_kind, require_kind

    if format is not None:
        if as_json and format != "jsonl":
            raise ConfigError(f"--json and --format {format} do not go together")
        require_kind(format, OutputKind, "--format")
        return cast("OutputKind", format)
    if as_json:
        return "jsonl"
    by_name = None if out is None else output_kind(out.name)
    return by_name or ("jsonl" if streaming or out is not None else "text")


def _check_language(language: str, kb: KnowledgeBase) -> None:
    from exonym.wikimedia.wikis import WIKIPEDIA_LANGUAGES

    if language == AUTO or language in kb.languages:
        return
    if language not in WIKIPEDIA_LANGUAGES:
        raise InputError(
            f"no language {language!r}",
            where="--language",
            remedy=f"Give auto or a code of Wikipedia's; here: {', '.join(kb.languages)}",
        )
    typer.echo(
        f"{kb.path} has no language {language!r}; names of its other languages are looked for.",
        err=True,
    )


def _write(
    linked: Iterable[Linked],
    kind: OutputKind,
    kb: KnowledgeBase,
    out: Path | None,
    *,
    explain: bool,
    base: str | None,
    bar: bool,
) -> None:
    from exonym.foundation.files import atomic_file
    from exonym.foundation.progress import stage
    from exonym.linking.formats import encode_pieces

    left_out: Counter[str] = Counter()
    with ExitStack() as open_things:
        if bar:
            linked = _counted(linked, open_things.enter_context(stage("Linking", unit="texts")))
        pieces = _pieces(linked, kind, kb, left_out, explain=explain, base=base)
        stream = sys.stdout.buffer if out is None else open_things.enter_context(atomic_file(out))
        for piece in encode_pieces(pieces):
            stream.write(piece)
        stream.flush()
    for reason, count in left_out.items():
        typer.echo(f"Left out of the CoNLL: {count:,} ({reason})", err=True)
    if out is not None:
        typer.echo(f"Linked texts in {out}", err=True)


def _counted(linked: Iterable[Linked], progress: Progress) -> Iterator[Linked]:
    links = 0
    for one in linked:
        links += len(one.text.mentions)
        progress.advance()
        progress.note(f"{links:,} links")
        yield one


def _pieces(
    linked: Iterable[Linked],
    kind: OutputKind,
    kb: KnowledgeBase,
    left_out: Counter[str],
    *,
    explain: bool,
    base: str | None,
) -> Iterator[str]:
    """What to write, in the format that was asked for."""
    from exonym.linking.labels import labels_of

    labels = labels_of(kb)
    match kind:
        case "jsonl":
            from exonym.linking.formats import write_json_lines

            return write_json_lines(linked, labels, explain=explain)
        case "conll":
            from exonym.linking.conll import write_conll

            return write_conll(linked, labels, left_out)
        case "nif":
            from exonym.linking.nif import BASE, write_nif

            return write_nif(linked, BASE if base is None else base)
        case "html":
            from exonym.reports.linked_text import write_linked_page

            return write_linked_page(linked, labels, explain=explain)
        case "text":
            from exonym.cli.linked_listing import write_listing

            return write_listing(linked, labels, explain=explain)
