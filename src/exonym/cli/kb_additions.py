"""``exonym kb add``: a name or an entity more, in effect without building anything again."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from exonym.cli.output import print_json
from exonym.foundation.errors import ConfigError, InputError

_DIRECTORY = typer.Argument(metavar="DIR", help="A directory made by `exonym kb build`.")
_NAMES = typer.Argument(metavar="NAME...", help="What the entity is called, the label first.")
_ENTITY = typer.Option(help="Its key: an item id or a title key, or with --new any other.")
_LANGUAGE = typer.Option(help="In which it is called so.")
_NEW = typer.Option("--new", help="The knowledge base does not have the entity yet.")
_DESCRIPTION = typer.Option(help="What a new entity is, in the language.")


def add(
    directory: Annotated[Path, _DIRECTORY],
    names: Annotated[list[str], _NAMES],
    entity: Annotated[str, _ENTITY],
    language: Annotated[str, _LANGUAGE],
    new: Annotated[bool, _NEW] = False,
    description: Annotated[str | None, _DESCRIPTION] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON for machines.")] = False,
) -> None:
    """Add names of an entity, or an entity, for `exonym link` to find from now on.

    Example: exonym kb add kb/ "Land of the Rising Sun" --entity Q17 --language en

    The knowledge base stays as it is: additions are lines of additions.jsonl in the directory
    beside it whose name ends in .linking, and can be taken back there.
    """
    from exonym.knowledge import KnowledgeBase
    from exonym.linking.additions import add_alias, add_entity, linking_folder
    from exonym.wikimedia.wikis import WIKIPEDIA_LANGUAGES

    kb = KnowledgeBase.open(directory)
    if language not in WIKIPEDIA_LANGUAGES and language not in kb.languages:
        raise InputError(
            f"no language {language!r}",
            where="--language",
            remedy=f"Give a code of Wikipedia's; here: {', '.join(kb.languages)}",
        )
    if new:
        label, *aliases = names
        added = int(
            add_entity(kb, entity, label, language, description=description, aliases=aliases)
        )
        added *= len(names)
    else:
        if description is not None:
            raise ConfigError("--description is for a new entity", remedy="Pass --new with it")
        added = sum([add_alias(kb, name, language, entity) for name in names])
    place = linking_folder(kb)
    if as_json:
        print_json({"entity": entity, "language": language, "names": names, "added": added})
    elif added:
        typer.echo(f"{added} names of {entity} added to {place}; they count from now on.")
    else:
        typer.echo(f"Nothing new: {place} has them already.")
