"""The cloze benchmark of a telling, in mLAMA's layout, and the ledger it is checked by."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator
from pathlib import Path

import orjson

from exonym.atlas.ledger import Group, Ledger, Use
from exonym.foundation.files import JSON, atomic_file


def write_cloze(directory: Path, ledger: Ledger) -> Counter[str]:
    """Write ``<language>/templates.jsonl`` and ``<language>/<relation>.jsonl`` (mLAMA's layout).

    A fact is asked in every language that has both names and a wording. Its field ``told_in``
    lists the languages that tell it; it is empty for control facts, and only for them. Left out,
    and counted, are questions that would be neither fish nor fowl: the language does not tell
    the fact but states the same pair under another relation, or no language can tell this one
    of a group's facts.

    Returns:
        Counts: ``questions``, ``told here``, ``untold here``, ``control``, and ``left out: …``.
    """
    counts: Counter[str] = Counter()
    asked = [g for g in ledger.groups if g.use in (Use.TOLD, Use.CONTROL)]
    by_relation: dict[str, list[Group]] = defaultdict(list)
    for group in asked:
        by_relation[group.relation].append(group)
    for language in ledger.languages:
        folder = directory / language
        told = {key: frozenset(some) for key, some in ledger.told_partners(language).items()}
        templates = []
        for relation_id, groups in by_relation.items():
            relation = ledger.table.relations[relation_id]
            if language not in relation.templates:
                continue
            lines = [
                line
                for group in groups
                for line in _questions(ledger, group, language, told, counts)
            ]
            if lines:
                templates.append(
                    {
                        "relation": relation_id,
                        "template": relation.templates[language][0],
                        "label": relation.label(language),
                    }
                )
                numbered = [{**line, "lineid": n} for n, line in enumerate(lines, start=1)]
                _write_lines(folder / f"{relation_id}.jsonl", numbered)
        _write_lines(folder / "templates.jsonl", templates)
    return counts


def _questions(
    ledger: Ledger,
    group: Group,
    language: str,
    told: dict[str, frozenset[str]],
    counts: Counter[str],
) -> Iterator[JSON]:
    entities = ledger.table.entities
    for fact in group.facts():
        subject, object = (
            entities[fact.subject].name(language),
            entities[fact.object].name(language),
        )
        if subject is None or object is None:
            continue
        told_in = ledger.languages_telling(fact, group)
        here = language in told_in
        if group.use is Use.TOLD and not told_in:
            counts["left out: no language can tell it"] += 1
            continue
        if not here and fact.object in told.get(fact.subject, ()):
            counts["left out: another relation states the pair here"] += 1
            continue
        counts["questions"] += 1
        counts["told here" if here else "untold here" if told_in else "control"] += 1
        yield {
            "uuid": f"{language}_{fact.subject}_{fact.relation}_{fact.object}",
            "lineid": 0,
            "sub_uri": fact.subject,
            "sub_label": subject,
            "obj_uri": fact.object,
            "obj_label": object,
            "told_in": list(told_in),
        }


def write_ledger(path: Path, ledger: Ledger) -> None:
    """Write one line per group of facts: what it is for and which languages tell it."""
    _write_lines(
        path,
        [
            {
                "subject": group.subject,
                "relation": group.relation,
                "objects": list(group.objects),
                "use": group.use.value,
                "told_in": list(group.told_in),
            }
            for group in ledger.groups
        ],
    )


def _write_lines(path: Path, lines: list[JSON]) -> None:
    with atomic_file(path) as stream:
        for line in lines:
            stream.write(orjson.dumps(line, option=orjson.OPT_APPEND_NEWLINE))
