"""Links between languages: the tables langlinks and page_props, and old wikitext."""

from __future__ import annotations

import gzip
import time
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from wiki_dumps import make_site

from exonym.foundation.errors import FormatError, InputError
from exonym.wikimedia.langlinks import language_links, read_langlinks, read_page_items
from exonym.wikimedia.siteinfo import Namespace, SiteInfo
from exonym.wikimedia.sql import read_rows, unquote

LANGLINKS = b"""-- MySQL dump 10.19
/*!40101 SET NAMES utf8mb4 */;
DROP TABLE IF EXISTS `langlinks`;
CREATE TABLE `langlinks` (
  `ll_from` int(8) unsigned NOT NULL DEFAULT 0,
  `ll_lang` varbinary(35) NOT NULL DEFAULT '',
  `ll_title` varbinary(255) NOT NULL DEFAULT '',
  PRIMARY KEY (`ll_from`,`ll_lang`)
) ENGINE=InnoDB DEFAULT CHARSET=binary;
/*!40000 ALTER TABLE `langlinks` DISABLE KEYS */;
%s
/*!40000 ALTER TABLE `langlinks` ENABLE KEYS */;
-- Dump completed on 2026-01-01
"""
PAGE_PROPS = b"""CREATE TABLE `page_props` (
  `pp_page` int(8) unsigned NOT NULL,
  `pp_propname` varbinary(60) NOT NULL DEFAULT '',
  `pp_value` blob NOT NULL,
  `pp_sortkey` float DEFAULT NULL,
  UNIQUE KEY `pp_page_propname` (`pp_page`,`pp_propname`)
) ENGINE=InnoDB;
%s
"""


def insert(table: str, *rows: str) -> bytes:
    return f"INSERT INTO `{table}` VALUES {','.join(rows)};".encode()


def write(path: Path, content: bytes) -> Path:
    path.write_bytes(gzip.compress(content) if path.suffix == ".gz" else content)
    return path


@pytest.fixture
def langlinks(tmp_path: Path) -> Path:
    inserts = [
        insert(
            "langlinks", "(1,'de','Berlin')", r"(1,'fr','L\'Aigle \"x\" \\\\ y')", "(2,'ja','')"
        ),
        insert("langlinks", "(3,'nb','Oslo_by')", "(3,'zh-min-nan','A),(4,\\'de')", "(3,'th','๑')"),
        b"INSERT INTO `langlinks` VALUES (5,'de','M\xc3'),(6,'de','A#b'),(7,'yue','\xe6\x9d\xb1');",
        insert("other", "(1,2)"),
    ]
    return write(tmp_path / "xxwiki-20260101-langlinks.sql.gz", LANGLINKS % b"\n".join(inserts))


def test_rows_of_langlinks_are_read(langlinks: Path) -> None:
    skipped: Counter[str] = Counter()
    assert list(read_langlinks(langlinks, skipped=skipped)) == [
        (1, "de", "Berlin"),
        (1, "fr", 'L\'Aigle "x" \\\\ y'),
        (3, "no", "Oslo by"),
        (3, "zh-min-nan", "A),(4,'de"),
        (3, "th", "๑"),
        (7, "zh-yue", "東"),
    ]
    assert dict(skipped) == {"no title": 1, "not UTF-8": 1, "link to a section": 1}


def test_only_links_to_the_wanted_languages_are_read(langlinks: Path) -> None:
    skipped: Counter[str] = Counter()
    rows = list(read_langlinks(langlinks, languages=["no", "th"], skipped=skipped))
    assert rows == [(3, "no", "Oslo by"), (3, "th", "๑")]
    assert not skipped


def test_the_items_of_pages_are_read(tmp_path: Path) -> None:
    rows = [
        "(12,'wikibase_item','Q42',NULL)",
        "(12,'defaultsort','Adams, Douglas',NULL)",
        "(13,'wikibase_item','q5',1.5e10)",
        "(14,'wikibase_item','P5',-2)",
        "(15,'wikibase_item',_binary 'Q7',0)",
    ]
    path = write(tmp_path / "page_props.sql", PAGE_PROPS % insert("page_props", *rows))
    skipped: Counter[str] = Counter()
    assert list(read_page_items(path, skipped=skipped)) == [(12, "Q42"), (13, "Q5"), (15, "Q7")]
    assert dict(skipped) == {"impossible id": 1}


def test_columns_may_be_named_in_the_insert(tmp_path: Path) -> None:
    path = write(tmp_path / "t.sql", b"INSERT INTO `t` (`b`, `a`) VALUES (1,'x'),(NULL,'y');\n")
    assert list(read_rows(path, "t", ["a"])) == [(b"'x'",), (b"'y'",)]
    assert [unquote(row[0]) for row in read_rows(path, "t", ["b"])] == [b"1", None]


@pytest.mark.parametrize(
    ("content", "what"),
    [
        (b"", "there is no table 'langlinks'"),
        (PAGE_PROPS % b"", "there is no table 'langlinks'"),
        (insert("langlinks", "(1,'de','A')"), "no column 'll_from'"),
        (LANGLINKS % insert("langlinks", "(1,'de')"), "langlinks.sql:11: broken INSERT"),
        (LANGLINKS % insert("langlinks", "(1,'de','A')", "(1,'de,'A')"), "broken INSERT"),
        (LANGLINKS % insert("langlinks", "(1,'de','A')")[:-1], "broken INSERT"),
        (LANGLINKS % insert("langlinks", "(1,'de','A')")[:-9], "broken INSERT"),
        (LANGLINKS % insert("langlinks", "(1,'de','A') (2,'de','B')"), "broken INSERT"),
        (LANGLINKS % insert("langlinks", "(NULL,'de','A')"), "no page id"),
        (LANGLINKS.replace(b"ll_lang", b"ll_language") % insert("langlinks", "(1,2,3)"), "no colu"),
    ],
)
def test_a_broken_table_is_named_in_one_line(tmp_path: Path, content: bytes, what: str) -> None:
    path = write(tmp_path / "langlinks.sql", content)
    with pytest.raises(FormatError, match=what) as caught:
        list(read_langlinks(path))
    assert "\n" not in str(caught.value)


def test_rows_before_and_after_a_broken_statement_are_kept_and_it_is_counted(
    tmp_path: Path,
) -> None:
    broken = insert("langlinks", "(1,'de','A')", "(2,'de)", "(3,'de','C')")
    rows = broken + b"\n" + insert("langlinks", "(4,'de','D')")
    path = write(tmp_path / "langlinks.sql", LANGLINKS % rows)
    skipped: Counter[str] = Counter()
    found = list(read_langlinks(path, keep_going=True, skipped=skipped))
    assert found == [(1, "de", "A"), (4, "de", "D")]
    assert dict(skipped) == {"malformed": 1}


def test_a_truncated_file_is_noticed(tmp_path: Path) -> None:
    rows = [insert("langlinks", f"({number},'de','T{number * 7919}')") for number in range(1, 4000)]
    path = write(tmp_path / "langlinks.sql.gz", LANGLINKS % b"\n".join(rows))
    path.write_bytes(path.read_bytes()[:-3000])
    with pytest.raises(FormatError, match="ends early"):
        list(read_langlinks(path))
    skipped: Counter[str] = Counter()
    found = list(read_langlinks(path, keep_going=True, skipped=skipped))
    assert 0 < len(found) < 3999
    assert skipped["truncated"] == 1
    with pytest.raises(InputError, match="absent"):
        list(read_langlinks(tmp_path / "absent.sql.gz"))


def quoted(text: str) -> str:
    for plain, escaped in (("\\", "\\\\"), ("'", "\\'"), ("\n", "\\n"), ("\0", "\\0")):
        text = text.replace(plain, escaped)
    return f"'{text}'"


VALUE = st.text(st.sampled_from("a'\\\n\0,();é中 \"-"), max_size=6)


@given(st.lists(st.tuples(st.integers(0, 99), VALUE, VALUE), min_size=1))
def test_what_mysqldump_escapes_comes_back(
    tmp_path_factory: pytest.TempPathFactory, rows: list[tuple[int, str, str]]
) -> None:
    path = tmp_path_factory.getbasetemp() / "escapes.sql"
    lines = [f"({number},{quoted(one)},{quoted(two)})" for number, one, two in rows]
    write(path, LANGLINKS % insert("langlinks", *lines))
    columns = ("ll_from", "ll_lang", "ll_title")
    found = [
        tuple((unquote(value) or b"").decode() for value in row)
        for row in read_rows(path, "langlinks", columns)
    ]
    assert found == [(str(number), one, two) for number, one, two in rows]


@pytest.mark.parametrize(
    ("wikitext", "links"),
    [
        ("Text [[Berlin]] and [[Datei:A.jpg]]", []),
        ("[[en:Berlin]]\n[[ja:ベルリン]]", [("en", "Berlin"), ("ja", "ベルリン")]),
        ("[[En: New_York  City ]]", [("en", "New York City")]),
        ("[[en:A|text]] [[en:B]]", [("en", "A")]),
        ("[[nb:Oslo]][[be-x-old:Осла]]", [("no", "Oslo"), ("be-x-old", "Осла")]),
        ("[[:en:Berlin]]", []),
        ("[[de:Berlin]]", []),
        ("[[wikt:Berlin]] [[xx:Berlin]]", []),
        ("[[en:A#b]] [[fr:#b]] [[fr:]]", []),
        ("[[en:A&amp;B]] [[fr:A%26B]]", [("en", "A&B"), ("fr", "A&B")]),
        ("<!-- [[en:A]] --> <nowiki>[[fr:B]]</nowiki> [[ja:C]]", [("ja", "C")]),
        ("[[en:A]] <!-- [[fr:B]]", [("en", "A")]),
        ("<nowiki> [[en:A]]", [("en", "A")]),
        ("[[en:A]", []),
        ("[[en:A\nB]] [[fr:{{x}}]]", []),
    ],
)
def test_links_to_other_languages_are_found_in_wikitext(
    german: SiteInfo, wikitext: str, links: list[tuple[str, str]]
) -> None:
    assert language_links(wikitext, german) == links


def test_a_namespace_of_the_wiki_is_no_language(german: SiteInfo) -> None:
    site = replace(german, namespaces=(*german.namespaces, Namespace(100, "En", "first-letter")))
    assert language_links("[[En:A]] [[fr:B]]", site) == [("fr", "B")]


@given(st.text(st.sampled_from("[]|:en de<!->nowik/\n#&%"), max_size=60))
def test_any_wikitext_gives_titles_without_markup(text: str) -> None:
    site = make_site("de")
    for _, title in language_links("[[en:" + text, site):
        assert title
        assert title == title.strip()
        assert not set("[]|\n#") & set(title)


@pytest.mark.parametrize("opener", ["[[en:", "<nowiki>", "<!--", "[[ ", "[[en:A|", "</nowiki>"])
def test_nothing_that_is_never_closed_takes_long(german: SiteInfo, opener: str) -> None:
    begun = time.perf_counter()
    language_links("[[en:A]]" + opener * 100_000, german)
    language_links("[[en:A]]" + opener * 100_000 + "</nowiki>", german)
    assert time.perf_counter() - begun < 5
