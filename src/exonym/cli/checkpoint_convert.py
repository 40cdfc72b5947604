"""``exonym checkpoint convert``: another entity vocabulary, dtype or form of the files."""

from __future__ import annotations

from dataclasses import asdict
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from exonym.cli.options import language_codes
from exonym.cli.output import print_json, print_table
from exonym.foundation.errors import InputError

if TYPE_CHECKING:
    from exonym.modeling.conversion import Conversion

UNKNOWN_SHOWN = 5


class Dtype(StrEnum):
    """Of the tensors."""

    float32 = "float32"
    float16 = "float16"
    bfloat16 = "bfloat16"


def convert(
    source: Annotated[
        str, typer.Argument(metavar="DIR_OR_ID", help="A checkpoint directory, or a hub id.")
    ],
    out: Annotated[Path, typer.Argument(metavar="OUT", help="The directory to make.")],
    languages: Annotated[
        str | None,
        typer.Option(
            help="Keep the entities with a title in these, such as en,ja, and only those titles."
        ),
    ] = None,
    entities: Annotated[
        Path | None, typer.Option(help="Keep the entities of this file: a key on each line.")
    ] = None,
    lite: Annotated[
        bool, typer.Option("--lite", help="Keep the special rows only, as the lite models do.")
    ] = False,
    add: Annotated[
        Path | None,
        typer.Option(help="Add the entities of this JSON Lines file: key, titles, from or vector."),
    ] = None,
    kb: Annotated[
        Path | None, typer.Option(help="Give rows their Wikidata items by this knowledge base.")
    ] = None,
    dtype: Annotated[Dtype | None, typer.Option(help="Of the tensors. [default: as it is]")] = None,
    random_entities: Annotated[
        int | None,
        typer.Option(metavar="SEED", help="Draw all entities' rows at random, for an ablation."),
    ] = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace OUT.")] = False,
    revision: Annotated[str | None, typer.Option(help="Branch, tag or commit on the hub.")] = None,
    local_files_only: Annotated[
        bool, typer.Option("--local-files-only", help="Ask no hub; use what was fetched before.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON for machines.")] = False,
) -> None:
    """Write a checkpoint anew: fewer or more entities, another dtype, safetensors.

    Example: exonym checkpoint convert model/ model-en-ja/ --languages en,ja

    Entity table, entity head and vocabulary change together; Exonym and transformers 4.57 read
    the result. A line of --add: {"key": "Q1490", "titles": {"en": "Tokyo"}, "from": "names"};
    "from" is "[MASK]" (the default) or "names", or give "vector": [0.1, ...].
    """
    from exonym.knowledge import KnowledgeBase
    from exonym.modeling.conversion import Changes, convert_checkpoint
    from exonym.modeling.entity_rows import read_added

    changes = Changes(
        languages=language_codes(languages),
        entities=None if entities is None else _keys(entities),
        lite=lite,
        added=[] if add is None else read_added(add),
        kb=None if kb is None else KnowledgeBase.open(kb),
        dtype=None if dtype is None else dtype.value,
        random_entities=random_entities,
    )
    found = _located(source, revision, local_files_only)
    done = convert_checkpoint(found, out, changes, overwrite=overwrite)
    if as_json:
        print_json(asdict(done))
    else:
        _print(done, out)


def _located(source: str, revision: str | None, local_files_only: bool) -> Path:
    from exonym.foundation.hub import WEIGHTS, locate
    from exonym.modeling.conversion import COPIED

    return locate(
        source,
        patterns=["config.json", *WEIGHTS, *COPIED, "entity_vocab.json", "entities/*"],
        revision=revision,
        local_files_only=local_files_only,
    )


def _keys(path: Path) -> list[str]:
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except OSError as error:
        raise InputError(f"cannot be read ({error.strerror})", where=path) from error
    except UnicodeDecodeError as error:
        raise InputError(f"not UTF-8 at byte {error.start}", where=path) from error
    keys = [line.strip() for line in lines if line.strip()]
    if not keys:
        raise InputError("expected a key on each line, found none", where=path)
    return keys


def _print(done: Conversion, out: Path) -> None:
    lines = [
        ("rows of the entity table", *done.rows),
        ("names in the vocabulary", *done.names),
    ]
    print_table("Changed", ("what", "before", "after"), lines)
    left_out = [
        *((f"rows: {reason}", count) for reason, count in done.rows_left_out.items()),
        ("names of these rows, and in other languages", done.names_left_out),
        ("entities to keep that have no row", len(done.unknown)),
        ("Wikidata items that another row has", done.items_taken),
    ]
    if any(count for _, count in left_out):
        print_table("Left out", ("what", "count"), [line for line in left_out if line[1]])
    if done.unknown:
        more = ", ..." if len(done.unknown) > UNKNOWN_SHOWN else ""
        typer.echo(f"Without a row: {', '.join(done.unknown[:UNKNOWN_SHOWN])}{more}")
    if done.added or done.items:
        typer.echo(f"Added {done.added:,} entities and {done.items:,} Wikidata items.")
    if done.redrawn:
        typer.echo(f"Drew the rows of {done.redrawn:,} entities at random.")
    for name, reason in done.left_out.items():
        typer.echo(f"Not written: {name} ({reason})")
    if done.files_left_out:
        typer.echo(f"Not copied: {', '.join(done.files_left_out)}")
    typer.echo(f"Checkpoint in {out}.")
