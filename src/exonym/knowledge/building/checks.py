"""What a finished knowledge base is checked for before anybody uses it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from exonym.foundation.errors import ExonymError
from exonym.knowledge.tables import StringTable, map_column

# (counted, of what, least share, what it looks like when it is less); the shares of the full
# Wikipedias lie far above.
_LEAST_SHARES = (
    ("links resolved", "links", 0.5, "of the links lead to a known page"),
    ("redirects resolved", "redirects", 0.5, "of the redirects lead to a known page"),
    ("paragraphs with a link", "paragraphs", 0.02, "of the paragraphs have a link"),
)
_LEAST_COUNTED = 200  # of fewer pages, shares say nothing

# (column of rows, the table whose rows they are)
_REFERENCES = (
    ("titles.entity", "entities"), ("sitelinks.title", "titles"),
    ("candidates.entity", "entities"), ("names.surface", "surfaces"),
    ("triples.subject", "entities"), ("triples.object", "entities"),
    ("triples.relation", "relations"),
)  # fmt: skip
# (starts, column that they cut, table of the owners)
_STARTS = (
    ("sitelinks.start", "sitelinks.title", "entities"),
    ("candidates.start", "candidates.entity", "surfaces"),
    ("names.start", "names.surface", "entities"),
    ("occurrences.start", "occurrences.links", "entities"),
    ("triples.start", "triples.subject", "entities"),
    ("triples.object_start", "triples.by_object", "entities"),
    ("relations.start", "triples.by_relation", "relations"),
)


def check_references(tables: Path) -> None:
    """Check that no column points at a row that is not there.

    Raises:
        ExonymError: one does: a fault of Exonym, not of the dumps.
    """
    rows = {
        name: len(StringTable(tables, name))
        for name in ("entities", "titles", "surfaces", "relations")
    }
    for column, table in _REFERENCES:
        values = map_column(tables, column)
        if len(values) and int(values.max()) >= rows[table]:
            raise _contradiction(tables, f"{column} points beyond the {rows[table]:,} {table}")
    for name, column, owners in _STARTS:
        starts = map_column(tables, name)
        whole = len(starts) == rows[owners] + 1 and starts[-1] == len(map_column(tables, column))
        if not whole or np.any(starts[1:] < starts[:-1]):
            raise _contradiction(tables, f"{name} does not cut {column}")


def _contradiction(tables: Path, what: str) -> ExonymError:
    return ExonymError(
        f"the knowledge base that was built contradicts itself: {what}",
        where=tables,
        remedy="Please report this with the names and dates of the dumps",
    )


def warnings_about(
    languages: Mapping[str, Mapping[str, int]], *, joined_by: str | None
) -> list[str]:
    """What looks wrong in the counts of a build, a sentence each.

    Args:
        languages: counts by language, as in the manifest.
        joined_by: what joined the languages; None if nothing did.
    """
    found = []
    for language, counts in languages.items():
        for kind in ("articles", "links", "links resolved", "names"):
            if not counts.get(kind):
                found.append(f"{language}: there are no {kind}")
                break
        for part, whole, least, meaning in _LEAST_SHARES:
            total = counts.get(whole, 0)
            if part in counts and total >= _LEAST_COUNTED and counts[part] < least * total:
                share = counts[part] / total
                found.append(
                    f"{language}: only {share:.0%} {meaning} ({counts[part]:,} of {total:,})"
                )
        alone, articles = counts.get("articles without an item", 0), counts.get("articles", 0)
        if joined_by == "wikidata" and articles >= _LEAST_COUNTED and alone > 0.2 * articles:
            found.append(
                f"{language}: {alone:,} of {articles:,} articles have no item; is the Wikidata "
                "dump whole, and of about the same date?"
            )
    return found
