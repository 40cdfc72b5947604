"""The page that says where the table comes from, what is in it and what was left out."""

from __future__ import annotations

from collections import Counter
from typing import Any

from atlas.cldr import LANGUAGES
from atlas.packages import PACKAGES
from atlas.world import Builder


def provenance(lines: list[dict[str, Any]], builder: Builder) -> str:
    """PROVENANCE.md as text; depends only on the table and the builder's counts."""
    entities = [line for line in lines if line["type"] == "entity"]
    facts = [line for line in lines if line["type"] == "fact"]
    english = {line["id"]: line["names"]["en"] for line in lines if line["type"] == "relation"}
    kinds = {line["id"]: line["names"]["en"][0] for line in entities if line["kind"] is None}
    told = Counter(fact["relation"] for fact in facts)
    by_kind = Counter(line["kind"] for line in entities)
    wide = sum(len(line["names"]) >= 20 for line in entities)
    languages = Counter(language for line in entities for language in line["names"])
    own = sum(line["id"].startswith("X") for line in entities)
    questioned = sum(count for relation, count in told.items() if relation != "P31")
    sections = [
        _HEAD,
        _rows(
            ("package (npm)", "version", "licence", "used for"),
            [(p.name, p.version, p.licence, p.used_for) for p in PACKAGES],
        ),
        _WRITTEN,
        "## What is in it\n",
        f"{len(entities):,} entities ({wide / len(entities):.1%} of them with names in at least "
        f"20 of the 24 languages; {len(entities) - own:,} with a QID, {own:,} with an own id), "
        f"{len(english)} relations, {questioned:,} facts and {told['P31']:,} statements of kind.\n",
        _rows(
            ("kind", "entities"),
            [(kinds.get(k or "", "kinds themselves"), n) for k, n in by_kind.most_common()],
        ),
        _rows(
            ("relation", "meaning", "facts"),
            [(r, english[r], told[r]) for r in english],
        ),
        _rows(("language", "entities named"), [(code, languages[code]) for code in LANGUAGES]),
        "## What was left out or changed, by reason\n",
        _rows(("entities and facts left out", "number"), sorted(builder.world.skipped.items())),
        _rows(("names left out", "number"), sorted(builder.cleaner.dropped.items())),
        _rows(("names changed", "number"), sorted(builder.cleaner.changed.items())),
    ]
    return "\n".join(sections).rstrip() + "\n"


def _rows(head: tuple[str, ...], rows: list[Any]) -> str:
    lines = [head, tuple("---" for _ in head), *rows]
    return "".join(f"| {' | '.join(str(cell) for cell in row)} |\n" for row in lines)


_HEAD = """\
# Where the default table of Atlas comes from

`atlas.jsonl.xz` and this page are made by `python tools/build_atlas.py --fetch`; the same
packages give the same bytes. The licence texts are in `NOTICE` at the root of the repository.
"""

_WRITTEN = """\
Written for Exonym (Apache-2.0), in `tools/atlas/`: the templates and names of relations, the
names of kinds, language families, organisations and further cities, the capitals, land borders
and memberships, and the QIDs that no package carries (only where certain; everything else has an
id that starts with `X`). Each land border
was checked against the outlines in country-coder (that of Botswana and Zambia is too short there).

The table follows its sources on what exists and where, and claims nothing about sovereignty: the
members of the United Nations, the Holy See, Palestine, Kosovo and Taiwan are of the kind
"country"; what CLDR lists besides is "territory". Facts whose wording says "country" are told of
countries only. No capital is given where it is disputed.
"""
