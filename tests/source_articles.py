"""A knowledge base with an English article about Tokyo that has all that annotation must heed."""

from __future__ import annotations

import sys
from pathlib import Path

from exonym.knowledge import KnowledgeBase, build_knowledge_base

sys.path.append(str(Path(__file__).resolve().parent / "knowledge"))
from knowledge_dumps import item, write_wiki, write_wikidata

ENGLISH = (
    (
        "Tokyo",
        "'''Tokyo''' is the capital of [[Japan]] and lies on [[Honshu]], north of [[Osaka]].\n\n"
        "It has more people than [[Japan|Nippon]]'s [[Osaka]], than [[New York City|New York]] or "
        "[[York]]. The [[Japanese language|Japanese]] spoken there is the language of most "
        "[[Japanese people|Japanese]]. Goods come from the [[United States|US]] and from "
        "[[Apple Inc.|Apple]]; it is no [[state]]. [[Japan]] is around it.",
    ),
    ("Japan", "'''Japan''' is a country. Its capital is [[Tokyo]]."),
    ("Honshu", "An island of [[Japan]]."),
    ("Osaka", "A city on [[Honshu]]. It is [[Osaka (film)|Osaka]] in a film."),
    ("Osaka (film)", "A film."),
    ("New York City", "A city."),
    ("York", "A town."),
    ("Japanese language", "A language."),
    ("Japanese people", "People."),
    ("United States", "A country. " + "They told us. " * 150),
    ("Apple Inc.", "A company."),
    ("Apple", "An [[apple]] is a fruit. One apple a day."),
    ("State", "A state. " * 150 + "State! " * 250),
    ("Us", "A word: [[us]]."),
    ("Beyoncé", "'''Beyoncé''' sang in [[Tokyo]]."),
    ("Nippon", "#REDIRECT [[Japan]]"),
    ("Edo", "#REDIRECT [[Tokyo]]"),
)
GERMAN = (
    ("Tokio", "'''Tokio''' ist die Hauptstadt von [[Japan]]. Neben [[Ōsaka|Osaka]]."),
    ("Japan", "'''Japan''' ist ein Land; " + "[[Japan]] heißt [[Japan]]. " * 150),
    ("Ōsaka", "Eine Stadt. In [[Honshū|Japan]] liegt sie."),
    ("Honshū", "Eine Insel. Sie heißt die Insel. " + "Das ist die Insel. " * 120),
    ("New York", "Eine Stadt. [[Ōsaka|Partnerstadt]] ist eine, [[New York|Partnerstadt]] ist sie."),
)
JAPANESE = (
    ("東京都", "'''東京都'''は[[日本]]の首都。[[大阪市|大阪]]もある。"),
    ("日本", "国。"),
    ("大阪市", "市。"),
    ("本州", "島。"),
)
KEYS = {
    "Tokyo": "Q1490", "Japan": "Q17", "Honshu": "Q13989", "Osaka": "Q35765", "Osaka (film)": "Q900",
    "New York City": "Q60", "York": "Q42462", "Japanese language": "Q5287",
    "Japanese people": "Q161652", "United States": "Q30", "Apple Inc.": "Q312", "Apple": "Q89",
    "State": "Q7275", "Us": "Q901", "Beyoncé": "Q36153",
}  # fmt: skip
ELSEWHERE = {
    "Tokyo": ("Tokio", "東京都"),
    "Japan": ("Japan", "日本"),
    "Honshu": ("Honshū", "本州"),
    "Osaka": ("Ōsaka", "大阪市"),
    "New York City": ("New York", None),
}


def build(directory: Path) -> KnowledgeBase:
    """Write the dumps and build."""
    source = directory / "dumps"
    source.mkdir()
    for language, pages in (("en", ENGLISH), ("de", GERMAN), ("ja", JAPANESE)):
        write_wiki(source / f"{language}wiki-20260101-pages-articles.xml", language, pages)
    records = []
    for title, key in KEYS.items():
        german, japanese = ELSEWHERE.get(title, (None, None))
        titles = {"enwiki": title, "dewiki": german, "jawiki": japanese}
        links = {wiki: page for wiki, page in titles.items() if page is not None}
        aliases = {"de": ["die Insel", "Hondo"]} if title == "Honshu" else {}
        records.append(item(key, links, aliases=aliases))
    write_wikidata(source / "wikidata-20260101-all.json", records)
    return build_knowledge_base([source], directory / "kb")
