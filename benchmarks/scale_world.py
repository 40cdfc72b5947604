"""A made-up table of facts of any size, for Atlas to tell: names and links by the million.

    python benchmarks/scale_world.py --entities 20000 --out table.jsonl.zst

An entity has an article in 3.3 of 24 languages on average (the first entities in more), and there
three names, of which some are also those of others, as family names are. That makes about ten
names and, told by Atlas, about twenty links an entity. Words are random letters of each language's
script. The same arguments give the same bytes.
"""

from __future__ import annotations

import argparse
import unicodedata
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import orjson
from numpy.typing import NDArray

from exonym.atlas.options import VOLUME_ORDER
from exonym.foundation.files import atomic_file
from vocabulary import LETTERS, SCRIPTS

LANGUAGES = VOLUME_ORDER  # from many articles to few
LARGEST, SMALLEST = 0.38, 0.02  # share of the entities that have an article, of two languages
HEAD, HEAD_FACTOR = 0.05, 3.0  # so many entities have an article in so many times more languages
KINDS = 200
FEWEST_RELATIONS, ENTITIES_A_RELATION = 8, 2500  # so relations have equally many facts at any size
FACTS = 1.2  # for each entity, besides what kind it is of
WORDS = 20_000  # of each language, and no more than four an entity
SHARED = 300  # words that many names end in
CHUNK = 10_000  # entities at a time


class Words:
    """The words of one language.

    Args:
        code: the language.
        seed: which words.
        count: how many, at most.
    """

    def __init__(self, code: str, seed: int, count: int) -> None:
        self.code, letters = code, LETTERS[SCRIPTS[code]]
        self.join = "" if SCRIPTS[code] in ("han", "kana", "thai") else " "
        rng = np.random.default_rng([seed, LANGUAGES.index(code)])
        wide = len(letters[-1].encode()) > 1
        low, high = (2, 5) if wide else (3, 10)
        lengths = rng.integers(low, high, 2 * count).tolist()
        picks = iter(rng.integers(0, len(letters), sum(lengths)).tolist())
        made = ("".join(letters[next(picks)] for _ in range(length)) for length in lengths)
        # Vowel signs that would be joined by MediaWiki, and so by Atlas, are joined here.
        self.words = list(dict.fromkeys(unicodedata.normalize("NFC", word) for word in made))
        self.words = self.words[:count]

    def sentence(self, rng: np.random.Generator, form: int) -> str:
        """A wording with both slots, in one of several orders."""
        one, other = (self.words[n] for n in rng.integers(0, len(self.words), 2).tolist())
        parts = (["[X]", one, "[Y]", other], ["[Y]", other, one, "[X]"], [one, "[X]", "[Y]"])
        return self.join.join(parts[form]) + ("。" if self.join == "" else ".")

    def names(self, rng: np.random.Generator, owners: int) -> list[list[str]]:
        """Names of so many entities, one to five each, three on average."""
        counts = rng.integers(1, 6, owners).tolist()
        numbers = rng.integers(0, len(self.words), (owners, 5)).tolist()
        shared = rng.integers(0, SHARED, owners).tolist()
        result = []
        for count, picks, last in zip(counts, numbers, shared, strict=True):
            first, second, third, fourth, fifth = (self.words[n].capitalize() for n in picks)
            family = self.words[last].capitalize()
            names = (
                self.join.join((first, family)),
                self.join.join((first, second, family)),
                self.join.join((third, fourth)),
                family,  # of many at once
                self.join.join((third, fifth, fourth)),
            )
            result.append(list(dict.fromkeys(names[:count])))
        return result


def write_table(path: Path, entities: int, seed: int = 0) -> dict[str, int]:
    """Write a table of facts (``docs/atlas.md``); returns counts of what it holds.

    Args:
        path: where to; the suffix decides the compression.
        entities: how many, at least `KINDS`.
        seed: everything.
    """
    if entities < KINDS:
        raise SystemExit(f"--entities must be at least {KINDS}")
    counts = {"entities": entities, "articles": 0, "names": 0, "facts": 0}
    lexicon = [Words(code, seed, min(WORDS, 4 * entities)) for code in LANGUAGES]
    rng = np.random.default_rng([seed, 1000])
    with atomic_file(path) as stream:
        head = {"type": "table", "name": f"scale-{entities}", "version": "1", "licence": "CC0-1.0"}
        stream.write(_line(head))
        for line in _relations(lexicon, rng, _relation_count(entities)):
            stream.write(_line(line))
        for start in range(0, entities, CHUNK):
            size = min(CHUNK, entities - start)
            for line in _entities(lexicon, rng, start, size, entities):
                counts["articles"] += len(line["names"])
                counts["names"] += sum(map(len, line["names"].values()))
                stream.write(_line(line))
        for line in _facts(rng, entities):
            counts["facts"] += 1
            stream.write(_line(line))
    return counts


def _line(value: dict[str, Any]) -> bytes:
    return orjson.dumps(value, option=orjson.OPT_APPEND_NEWLINE)


def _relation_count(entities: int) -> int:
    return max(FEWEST_RELATIONS, entities // ENTITIES_A_RELATION)


def _relations(
    lexicon: list[Words], rng: np.random.Generator, count: int
) -> Iterator[dict[str, Any]]:
    """What kind of thing something is (``P31``), and ``count`` others."""
    for number in range(count + 1):
        yield {
            "type": "relation",
            "id": "P31" if number == 0 else f"P{1000 + number}",
            "names": {words.code: words.words[-1 - number] for words in lexicon},
            "templates": {
                words.code: [words.sentence(rng, form) for form in range(3)] for words in lexicon
            },
            "everywhere": number == 0,
        }


def _shares() -> NDArray[np.float64]:
    """The share of the entities that each language has an article of."""
    return LARGEST * np.power(SMALLEST / LARGEST, np.linspace(0, 1, len(LANGUAGES)))


def _entities(
    lexicon: list[Words], rng: np.random.Generator, start: int, size: int, total: int
) -> Iterator[dict[str, Any]]:
    place = np.arange(start, start + size)
    factor = np.where(place < HEAD * total, HEAD_FACTOR, 1.0)
    has = rng.random((size, len(lexicon))) < _shares() * factor[:, None]
    has[~has.any(axis=1), 0] = True
    has[place < KINDS] = True
    names: list[dict[str, list[str]]] = [{} for _ in range(size)]
    for number, words in enumerate(lexicon):
        owners = np.flatnonzero(has[:, number]).tolist()
        for owner, found in zip(owners, words.names(rng, len(owners)), strict=True):
            names[owner][words.code] = found
    for number, found in enumerate(names, start):
        kind = f"Q{_kind(number) + 1}"
        yield {"type": "entity", "id": f"Q{number + 1}", "kind": kind, "names": found}


def _kind(number: int) -> int:
    """Which of the first entities says what an entity is."""
    return number * 7919 % 104_729 % KINDS  # both are primes


def _facts(rng: np.random.Generator, entities: int) -> Iterator[dict[str, Any]]:
    """What kind each entity is of, then the other facts; some objects are much more frequent."""
    for number in range(KINDS, entities):
        yield _fact(number, "P31", _kind(number))
    count = int(FACTS * entities)
    subjects = rng.integers(KINDS, entities, count).tolist()
    objects = (KINDS + (entities - KINDS) * rng.random(count) ** 3).astype(np.int64).tolist()
    relations = rng.integers(1, _relation_count(entities) + 1, count).tolist()
    triples = zip(subjects, relations, objects, strict=True)
    for subject, relation, target in dict.fromkeys(triples):
        if subject != target:
            yield _fact(subject, f"P{1000 + relation}", target)


def _fact(subject: int, relation: str, target: int) -> dict[str, Any]:
    return {
        "type": "fact",
        "subject": f"Q{subject + 1}",
        "relation": relation,
        "object": f"Q{target + 1}",
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--entities", type=int, default=20_000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args()
    print(orjson.dumps(write_table(options.out, options.entities, options.seed)).decode())


if __name__ == "__main__":
    main()
