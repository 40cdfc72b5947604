"""Build the default table of Atlas from named packages: `src/exonym/atlas/data/atlas.jsonl.xz`.

    python tools/build_atlas.py --fetch            # downloads the packages, then builds
    python tools/build_atlas.py --packages DIR     # builds from packages unpacked in DIR

The same packages give the same bytes. What was left out is printed, by reason, and written to
PROVENANCE.md beside the table.
"""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import orjson

sys.path.insert(0, str(Path(__file__).parent))

from atlas.inputs import read_relations
from atlas.order import ordered
from atlas.packages import PACKAGES, Sources, fetch
from atlas.provenance import provenance
from atlas.world import Builder
from exonym.foundation.errors import ExonymError
from exonym.foundation.files import atomic_file

ROOT = Path(__file__).resolve().parents[1]
DATA = ROOT / "src" / "exonym" / "atlas" / "data"
LICENCE = "Unicode-3.0 (names and relations of CLDR); MIT, ISC and CC0 (QIDs); Apache-2.0 (rest)"


def table(builder: Builder) -> list[dict[str, Any]]:
    """The lines of the table, in the order that its format asks for."""
    world = builder.build()
    order = ordered(builder)
    place = {identifier: number for number, identifier in enumerate(order)}
    relations = read_relations()
    relation_order = {relation["id"]: number for number, relation in enumerate(relations)}
    facts = [
        (subject, "P31", kind) for subject, (kind, _) in world.entities.items() if kind
    ] + list(world.facts)
    facts.sort(key=lambda f: (place[f[0]], relation_order[f[1]], place[f[2]]))
    header = {
        "type": "table",
        "name": "atlas",
        "version": "1",
        "licence": LICENCE,
        "sources": [f"{package.name} {package.version}" for package in PACKAGES],
    }
    entities = [
        {
            "type": "entity",
            "id": identifier,
            "kind": world.entities[identifier][0] or None,
            "names": dict(sorted(world.entities[identifier][1].items())),
        }
        for identifier in order
    ]
    lines = [
        {"type": "fact", "subject": subject, "relation": relation, "object": value}
        for subject, relation, value in facts
    ]
    return [header, *relations, *entities, *lines]


def main(arguments: list[str] | None = None) -> int:
    """Build the table; return the exit status."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--packages", type=Path, default=ROOT / "build" / "atlas-packages")
    parser.add_argument("--fetch", action="store_true", help="download what is missing there")
    parser.add_argument("--out", type=Path, default=DATA)
    options = parser.parse_args(arguments)
    try:
        if options.fetch:
            fetch(options.packages)
        builder = Builder.of(Sources(options.packages))
        lines = table(builder)
    except ExonymError as error:
        print(f"error: {error}", file=sys.stderr)
        return error.exit_status
    with atomic_file(options.out / "atlas.jsonl.xz") as stream:
        for line in lines:
            stream.write(orjson.dumps(line) + b"\n")
    report = provenance(lines, builder)
    with atomic_file(options.out / "PROVENANCE.md") as stream:
        stream.write(report.encode())
    print(report)
    print(Counter(line["type"] for line in lines))
    return 0


if __name__ == "__main__":
    sys.exit(main())
