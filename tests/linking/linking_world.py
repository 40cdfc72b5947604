"""A knowledge base whose names mean several things, in several languages and spellings."""

from __future__ import annotations

import sys
from pathlib import Path

from exonym.knowledge import KnowledgeBase, build_knowledge_base

sys.path.append(str(Path(__file__).resolve().parents[1] / "knowledge"))
from knowledge_dumps import item, write_wiki, write_wikidata

COUNTRY, STATE, MUNICH, TBILISI, ATLANTA = "Q230", "Q1428", "Q1726", "Q994", "Q23556"
MAY, MONTH, YORK, NEW_YORK, WASHINGTON = "Q19208", "Q119", "Q42462", "Q60", "Q1223"
UNITED_NATIONS, YEAR = "Q1065", "Q5173"

ENGLISH = (
    (
        "Georgia (country)",
        "The country lies south. Its capital is [[Tbilisi]], not [[Atlanta]]. "
        + "It may do. " * 60,
    ),
    (
        "Georgia (U.S. state)",
        "The state has [[Atlanta]]. [[Georgia (country)|Georgia]] is far away. " + "A day. " * 30,
    ),
    ("Tbilisi", "Capital of [[Georgia (country)|Georgia]]. [[Georgia (country)|Georgia]] again."),
    ("Atlanta", "Capital of [[Georgia (U.S. state)|Georgia]]."),
    ("Munich", "A city. They drink in [[May (month)|May]] with [[Theresa May|May]]."),
    ("Theresa May", "She may not. She may. They may go in May."),
    ("May (month)", "It may rain in May."),
    ("York", "A town. [[York]] is not [[New York City|New York]]. York York York."),
    ("New York City", "A city. See [[York]]."),
    ("United Nations", "The [[United Nations|UN]]. See [[1945]]."),
    ("1945", "A year after the [[United Nations|UN]]."),
)
GERMAN = (
    ("Georgia", "Ein Staat mit [[Atlanta]]."),
    ("Georgien", "Ein Land mit [[Tiflis]], im Englischen [[Georgien|Georgia]]."),
    ("Tiflis", "Stadt in [[Georgien]]."),
    ("Atlanta", "Stadt in [[Georgia]]. " + "Das ist in [[Georgia]]. " * 7),
    ("München", "Stadt. In [[München]] ist es schön, sagen sie in [[München]]."),
    ("Washington (Bundesstaat)", "Ein Staat."),
)
JAPANESE = (
    ("ミュンヘン", "[[ミュンヘン]]は都市。"),
    ("トビリシ", "首都は[[トビリシ]]である。[[トビリシ]]市。"),
)
TITLES = {
    COUNTRY: ("Georgia (country)", "Georgien", None),
    STATE: ("Georgia (U.S. state)", "Georgia", None),
    TBILISI: ("Tbilisi", "Tiflis", "トビリシ"),
    ATLANTA: ("Atlanta", "Atlanta", None),
    MUNICH: ("Munich", "München", "ミュンヘン"),
    MAY: ("Theresa May", None, None),
    MONTH: ("May (month)", None, None),
    YORK: ("York", None, None),
    NEW_YORK: ("New York City", None, None),
    WASHINGTON: (None, "Washington (Bundesstaat)", None),
    UNITED_NATIONS: ("United Nations", None, None),
    YEAR: ("1945", None, None),
}


def build(directory: Path, *, more: str = "") -> KnowledgeBase:
    """Write the dumps and build; ``more`` is a further paragraph of the first English page."""
    source = directory / "dumps"
    source.mkdir(parents=True)
    english = ((ENGLISH[0][0], ENGLISH[0][1] + more), *ENGLISH[1:])
    for language, pages in (("en", english), ("de", GERMAN), ("ja", JAPANESE)):
        write_wiki(source / f"{language}wiki-20260101-pages-articles.xml", language, pages)
    records = []
    for key, titles in TITLES.items():
        wikis = zip(("enwiki", "dewiki", "jawiki"), titles, strict=True)
        links = {wiki: title for wiki, title in wikis if title is not None}
        aliases = {"en": ["Peach State"], "de": ["Pfirsichstaat"]} if key == STATE else {}
        records.append(item(key, links, aliases=aliases))
    write_wikidata(source / "wikidata-20260101-all.json", records)
    return build_knowledge_base([source], directory / "kb", overwrite=True)
