"""Texts with spans for the tokenizer's golden files and comparisons: 24 languages, odd Unicode."""

from __future__ import annotations

import random
from typing import Any

from exonym.atlas.table import FactTable, load_table

HARD = (
    "Ｔｏｋｙｏ１２", "ﬁne ﬂow ﬃ", "㌔", "\ufdfa", "…½´", "e\u0323\u0302", "Vie\u0323\u0302t",
    "\u0e17\u0e33", "\u1112\u1161\u11ab", "각", "👩\u200d👩\u200d👧", "🇯🇵", "✊🏽", "م\u200cی",
    "a\u200db", "\u0301", "a\u0301\u0301", "\u093f", "\x00", "\x01", "\x1c", "\x85", "\u2028",
    "\ufffd", "\ufeff", "\u2581", "\u200b", "\u3000", "\u00a0", "\t", "\n", "  ", " ", "İstanbul",
    "ß", "\U000f0000\U000f0001", "<mask>", " <mask>", "<ent>", "<ent2>", "</s>", "<s",
    "שלום", "\u202bעברית\u202c",
)  # fmt: skip


def sentences(table: FactTable, language: str, rng: random.Random, count: int) -> list[str]:
    """Sentences of a language about facts of the table."""
    facts = [fact for fact in table.facts if table.can_tell(fact, language)]
    found = []
    for fact in rng.sample(facts, count):
        wording = rng.choice(table.relations[fact.relation].templates[language])
        for slot, entity in (("[X]", fact.subject), ("[Y]", fact.object)):
            wording = wording.replace(slot, str(table.entities[entity].name(language)))
        found.append(wording)
    return found


def odd_text(rng: random.Random, plain: list[str]) -> str:
    """A text that is likely to find a fault: pieces of sentences, hard strings, any characters."""
    kind = rng.random()
    if kind < 0.3:
        ranges = ((32, 0x2FF), (0x300, 0x1FFF), (0x2000, 0xD7FF), (0xE000, 0xFFFF), (65536, 131071))
        return "".join(chr(rng.randint(*rng.choice(ranges))) for _ in range(rng.randint(1, 20)))
    words = [word for sentence in rng.sample(plain, 2) for word in sentence.split()]
    parts = [rng.choice((*HARD, *words)) for _ in range(rng.randint(1, 12))]
    return rng.choice(("", " ")).join(parts)


def spans(text: str, count: int, rng: random.Random) -> list[list[int]]:
    """Spans of a text, many of them short, some overlapping."""
    found: list[list[int]] = []
    while len(found) < count:
        start = rng.randrange(len(text))
        end = rng.randint(start + 1, min(len(text), start + rng.choice((3, 12, 400))))
        found.append([start, end])
    return found


def cases(
    texts: list[str], task: str | None, keys: list[str], rng: random.Random
) -> list[dict[str, Any]]:
    """One request for each text, as tools/tokenizer_oracle.py takes them."""
    made = []
    for text in texts:
        case: dict[str, Any] = {"text": text}
        single = {"entity_classification": 1, "entity_pair_classification": 2}
        if task is not None:
            case["spans"] = spans(text, single.get(task, rng.randint(1, 6)), rng)
        elif rng.random() < 0.85:
            case["spans"] = spans(text, rng.randint(1, 4), rng)
            if rng.random() < 0.7:
                case["entities"] = rng.choices(keys, k=len(case["spans"]))
        if task is None and rng.random() < 0.25:
            case["pair"] = rng.choice(texts)
            if "spans" in case and rng.random() < 0.6:
                case["pair_spans"] = spans(case["pair"], rng.randint(1, 3), rng)
                if "entities" in case:
                    case["pair_entities"] = rng.choices(keys, k=len(case["pair_spans"]))
        if rng.random() < 0.3:
            most = rng.choice((8, 16, 64))
            case["options"] = {"truncation": True, "max_length": most, "max_entity_length": 99}
        made.append(case)
    return made


def all_texts(rng: random.Random, odd: int, per_language: int) -> list[str]:
    """Sentences of all 24 languages and ``odd`` odd texts, in random order."""
    table = load_table()
    plain = [
        sentence
        for language in table.languages()
        for sentence in sentences(table, language, rng, per_language)
    ]
    texts = plain + [odd_text(rng, plain) for _ in range(odd)]
    rng.shuffle(texts)
    return texts
