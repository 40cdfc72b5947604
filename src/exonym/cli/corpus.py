"""``exonym corpus``: from a knowledge base to training sequences."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from exonym.cli.options import language_codes
from exonym.cli.output import print_json, print_table

if TYPE_CHECKING:
    from exonym.corpus import Corpus

app = typer.Typer(
    help="Build and look at training corpora.", no_args_is_help=True, rich_markup_mode=None
)


@app.command("build")
def build(
    out: Annotated[Path, typer.Option(help="Where the corpus goes.")],
    kb: Annotated[
        Path | None, typer.Option(help="Knowledge base made by `exonym kb build`.")
    ] = None,
    text: Annotated[
        Path | None,
        typer.Option(help="Text made by `exonym corpus export`, in its place; needs --entities."),
    ] = None,
    languages: Annotated[
        str | None, typer.Option(help="Only these, as in en,ja,sw. Default: all there are.")
    ] = None,
    tokenizer: Annotated[
        Path | None,
        typer.Option(help="Directory with XLM-R's tokenizer. Default: train one."),
    ] = None,
    vocabulary_size: Annotated[int, typer.Option(help="Most pieces of a trained one.")] = 250_002,
    entities: Annotated[
        Path | None,
        typer.Option(help="Directory with an entity vocabulary, as of a corpus. Default: choose."),
    ] = None,
    add_entities: Annotated[
        int | None,
        typer.Option(help="Extend --entities: keep its rows, add at most N; 0 adds names only."),
    ] = None,
    entity_vocabulary_size: Annotated[int, typer.Option(help="Most entity rows.")] = 1_200_000,
    min_languages: Annotated[
        int, typer.Option(help="Languages an entity must occur in to get a row.")
    ] = 3,
    max_words: Annotated[int, typer.Option(help="Most pieces in a sequence.")] = 510,
    max_sentences: Annotated[
        int, typer.Option(help="Most sentences in a sequence; 0 packs as many as fit.")
    ] = 0,
    max_entities: Annotated[int, typer.Option(help="Most entities in a sequence.")] = 128,
    seed: Annotated[int, typer.Option(help="Of the text the tokenizer is trained on.")] = 0,
    processes: Annotated[int, typer.Option(help="How many encode at a time.")] = 1,
    overwrite: Annotated[bool, typer.Option(help="Replace an existing corpus.")] = False,
    json: Annotated[bool, typer.Option("--json", help="Print the counts as JSON.")] = False,
) -> None:
    """Tokenise a knowledge base's articles into sequences for pretraining.

    Example: exonym corpus build --kb work/kb --out work/corpus --vocabulary-size 8000
    """
    from exonym.corpus import CorpusOptions, build_corpus
    from exonym.foundation.errors import InputError

    source = kb or text
    if source is None or (kb and text):
        raise InputError(
            "a corpus is built either from --kb or from --text",
            remedy=f"For example: exonym corpus build --kb KB --out {out}",
        )
    options = CorpusOptions(
        languages=language_codes(languages),
        tokenizer=tokenizer,
        vocabulary_size=vocabulary_size,
        entities=entities,
        add_entities=add_entities,
        entity_vocabulary_size=entity_vocabulary_size,
        min_languages=min_languages,
        max_words=max_words,
        max_sentences=max_sentences or None,
        max_entities=max_entities,
        seed=seed,
    )
    corpus = build_corpus(source, out, options, overwrite=overwrite, processes=processes)
    _print(corpus, json)


@app.command("export")
def export(
    kb: Annotated[Path, typer.Option(help="Knowledge base made by `exonym kb build`.")],
    out: Annotated[Path, typer.Option(help="Where the Parquet files go.")],
    languages: Annotated[
        str | None, typer.Option(help="Only these, as in en,ja,sw. Default: all there are.")
    ] = None,
    processes: Annotated[int, typer.Option(help="How many languages at a time.")] = 1,
    overwrite: Annotated[bool, typer.Option(help="Replace what is there.")] = False,
    json: Annotated[bool, typer.Option("--json", help="Print the manifest as JSON.")] = False,
) -> None:
    """Write a knowledge base's text with its mentions as Parquet files that can be published.

    Example: exonym corpus export --kb work/kb --out work/text --languages ja,sw
    """
    from exonym.corpus import export_text

    written = export_text(
        kb, out, languages=language_codes(languages), overwrite=overwrite, processes=processes
    )
    if json:
        print_json(written.manifest)
        return
    names = ("pages", "texts", "mentions", "bytes")
    counts = written.manifest["languages"]
    rows = [[code, *(count[name] for name in names)] for code, count in counts.items()]
    sums = [sum(count[name] for count in counts.values()) for name in names]
    print_table(f"Text {written.path}", ["language", *names], [*rows, ["all", *sums]])


@app.command("show")
def show(
    path: Annotated[Path, typer.Argument(help="A corpus.")],
    language: Annotated[
        str | None, typer.Option(help="Print sequences of this language, mentions in brackets.")
    ] = None,
    sequences: Annotated[int, typer.Option(help="How many of them.")] = 5,
    json: Annotated[bool, typer.Option("--json", help="Print the manifest as JSON.")] = False,
) -> None:
    """Show a corpus's counts, or some of its sequences as the model sees them.

    Example: exonym corpus show work/corpus --language ja --sequences 3
    """
    from exonym.corpus import Corpus

    corpus = Corpus.open(path)
    if language is None:
        _print(corpus, json)
        return
    for line in readable_sequences(corpus, language, sequences):
        typer.echo(line)


def readable_sequences(corpus: Corpus, language: str, count: int) -> list[str]:
    """Sequences as text, each mention as ``[words|entity]``."""
    from exonym.foundation.errors import InputError

    if language not in corpus.languages:
        raise InputError(
            f"the corpus has no language {language!r}; it has {', '.join(corpus.languages)}",
            where=corpus.path,
        )
    tokenizer, lines = corpus.tokenizer(), []
    stored = corpus.languages[language]
    for index in range(min(count, len(stored))):
        words, entities, spans = stored[index]
        pieces = [tokenizer.words.piece(int(word)) for word in words]
        for row, (start, end) in zip(entities, spans, strict=True):
            blank = "▁" if pieces[start].startswith("▁") else ""
            pieces[start] = f"{blank}[{pieces[start].removeprefix('▁')}"
            pieces[end - 1] += f"|{tokenizer.entities.key(int(row))}]"
        lines.append("".join(pieces).replace("▁", " ").strip())
    return lines


def _print(corpus: Corpus, json: bool) -> None:
    if json:
        print_json(corpus.manifest)
        return
    names = ("articles", "bytes", "sentences", "sequences", "words", "entities")
    languages, totals = corpus.manifest["languages"], corpus.manifest["totals"]
    shown = {**languages, "all": totals}
    rows = [[code, *(counts.get(name, 0) for name in names)] for code, counts in shown.items()]
    print_table(f"Corpus {corpus.path}", ["language", *names], rows)
    lost = [name for name, count in totals.items() if name not in names and count]
    if lost:
        rows = [[code, *(counts.get(name, 0) for name in lost)] for code, counts in shown.items()]
        print_table("Left out", ["language", *lost], rows)
    if extension := corpus.manifest.get("entity_extension"):
        print_table(
            "Entity vocabulary extended", ["what", "count"], [*map(list, extension.items())]
        )
    typer.echo(
        f"{corpus.manifest['word_vocabulary']:,} pieces, "
        f"{corpus.manifest['entity_vocabulary']:,} entity rows"
    )
