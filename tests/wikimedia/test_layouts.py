"""Names of dump files in both layouts; of files with the same pages one set is chosen."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from exonym.wikimedia.layouts import Choice, DumpName, choose, files_below, read_name

NEW = "other/mediawiki_content_current/eswiki/2026-08-01/xml/bzip2"


def named(name: str) -> DumpName:
    found = read_name(Path("/nowhere") / name)
    assert found is not None
    return found


def choice(*names: str, shuffled: int = 0) -> Choice:
    dumps = [named(name) for name in names]
    random.Random(shuffled).shuffle(dumps)
    return choose(dump for dump in dumps)


def chosen(found: Choice) -> list[str]:
    return [dump.path.name for dump in found.chosen]


@pytest.mark.parametrize(
    ("name", "wiki", "date", "kind", "multistream", "pages"),
    [
        ("dewiki-20260101-pages-articles.xml.bz2", "dewiki", "2026-01-01", "articles", False, None),
        ("dewiki-20260101-pages-articles.xml", "dewiki", "2026-01-01", "articles", False, None),
        (
            "zh_min_nanwiki-20260101-pages-articles-multistream.xml.bz2",
            "zh_min_nanwiki",
            "2026-01-01",
            "articles",
            True,
            None,
        ),
        (
            "enwiki-20240101-pages-articles1.xml-p1p41242.bz2",
            "enwiki",
            "2024-01-01",
            "articles",
            False,
            (1, 41242),
        ),
        (
            "enwiki-20240101-pages-articles-multistream27.xml-p68475910p69975909.bz2",
            "enwiki",
            "2024-01-01",
            "articles",
            True,
            (68475910, 69975909),
        ),
        ("frwiki-latest-pages-meta-current.xml.bz2", "frwiki", None, "meta-current", False, None),
        (
            f"{NEW}/eswiki-2026-08-01-p5168647p9944278.xml.bz2",
            "eswiki",
            "2026-08-01",
            "content-current",
            False,
            (5168647, 9944278),
        ),
        ("wikidata-20260105-all.json.bz2", "wikidatawiki", "2026-01-05", "items", False, None),
        ("latest-all.json.gz", "wikidatawiki", None, "items", False, None),
        ("jawiki-20260101-langlinks.sql.gz", "jawiki", "2026-01-01", "langlinks", False, None),
    ],
)
def test_a_name_of_either_layout_is_understood(
    name: str,
    wiki: str,
    date: str | None,
    kind: str,
    multistream: bool,
    pages: tuple[int, int] | None,
) -> None:
    dump = named(name)
    assert dump.refused is None
    assert (dump.wiki, dump.date, dump.kind) == (wiki, date, kind)
    assert (dump.multistream, dump.pages) == (multistream, pages)


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("enwiki-20240101-pages-meta-history1.xml-p1p857.7z", "every revision"),
        ("enwiki-20240101-pages-meta-history1.xml-p1p857.bz2", "every revision"),
        (
            "mediawiki_content_history/dewiki/2026-01-01/xml/bzip2/dewiki-2026-01-01-p1p9.xml.bz2",
            "every revision",
        ),
        ("dewiki-20260101-pages-articles.xml.7z", "7z x FILE"),
        ("dewiki-20260101-pages-articles-multistream-index.txt.bz2", "index"),
        ("enwiki-20240101-pages-articles-multistream-index1.txt-p1p41242.bz2", "index"),
        ("dewiki-20260101-stub-articles.xml.gz", "without their text"),
        ("dewiki-20260101-stub-meta-current1.xml.gz", "without their text"),
        ("dewiki-20260101-abstract.xml.gz", "without links"),
        ("dewiki-20260101-pages-logging1.xml.gz", "log"),
        ("dewiki-latest-pages-articles.xml.bz2-rss.xml", "feed"),
        ("dewiki-20260101-categorylinks.sql.gz", "categorylinks"),
        ("wikidata-20260105-truthy-BETA.nt.bz2", "all.json.bz2"),
        ("latest-truthy.nt.gz", "all.json.bz2"),
        ("wikidata-20260105-lexemes.json.bz2", "without its items"),
    ],
)
def test_what_cannot_be_used_is_refused_with_reason(name: str, reason: str) -> None:
    dump = named(name)
    assert dump.refused is not None
    assert reason in dump.refused
    found = choose([dump])
    assert found.chosen == ()
    assert found.passed_over == ((dump, dump.refused),)


@pytest.mark.parametrize(
    "name", ["dewiki-minidump.xml.bz2", "notes.txt", "SHA256SUMS", "x.xml", "-p1p2.xml.bz2"]
)
def test_other_names_are_left_to_the_reader(name: str) -> None:
    assert read_name(Path(name)) is None


@pytest.mark.parametrize("shuffled", range(4))
def test_the_same_pages_are_taken_once(shuffled: int) -> None:
    found = choice(
        "dewiki-20260101-pages-articles.xml.bz2",
        "dewiki-20260101-pages-articles-multistream.xml.bz2",
        "dewiki-20260101-pages-articles1.xml-p1p9.bz2",
        "dewiki-20260101-pages-meta-current.xml.bz2",
        "dewiki-20251201-pages-articles-multistream.xml.bz2",
        "dewiki-latest-pages-articles.xml.bz2",
        "dewiki-2026-01-01-p1p20.xml.bz2",
        "frwiki-20251201-pages-articles.xml.bz2",
        "frwiki-20251201-langlinks.sql.gz",
        "wikidata-20260105-all.json.bz2",
        "wikidata-20260105-all.json.gz",
        shuffled=shuffled,
    )
    assert chosen(found) == [
        "dewiki-20260101-pages-articles-multistream.xml.bz2",
        "frwiki-20251201-langlinks.sql.gz",
        "frwiki-20251201-pages-articles.xml.bz2",
        "wikidata-20260105-all.json.bz2",
    ]
    assert {dump.path.name: reason for dump, reason in found.passed_over} == {
        "dewiki-2026-01-01-p1p20.xml.bz2": "the same pages are in the articles dump",
        "dewiki-20251201-pages-articles-multistream.xml.bz2": "there is one of 2026-01-01",
        "dewiki-20260101-pages-articles.xml.bz2": "the same pages are there as multistream",
        "dewiki-20260101-pages-articles1.xml-p1p9.bz2": "the same pages are in one file",
        "dewiki-20260101-pages-meta-current.xml.bz2": "the same pages are in the articles dump",
        "dewiki-latest-pages-articles.xml.bz2": "there is one of 2026-01-01",
        "wikidata-20260105-all.json.gz": "the same is there in a form that can be read in parts",
    }


def test_pieces_are_ordered_by_page_and_whole_sets_give_no_warning() -> None:
    found = choice(
        "enwiki-20240101-pages-articles10.xml-p4000p5000.bz2",
        "enwiki-20240101-pages-articles2.xml-p1001p3999.bz2",
        "enwiki-20240101-pages-articles1.xml-p1p1000.bz2",
    )
    assert [dump.pages for dump in found.chosen] == [(1, 1000), (1001, 3999), (4000, 5000)]
    assert found.warnings == ()


def test_gaps_and_overlaps_of_pieces_are_warned_about() -> None:
    found = choice(
        "enwiki-20240101-pages-articles2.xml-p2000p3999.bz2",
        "enwiki-20240101-pages-articles3.xml-p3000p5000.bz2",
        "enwiki-20240101-pages-articles4.xml-p6000p7000.bz2",
    )
    assert len(found.warnings) == 3
    assert "before 2,000" in found.warnings[0]
    assert "3,000 to 3,999" in found.warnings[1]
    assert "5,001 to 5,999" in found.warnings[2]


def test_deleted_pages_between_new_pieces_are_no_gap_but_a_lost_piece_is() -> None:
    names = [
        f"enwiki-2026-03-01-p{n * 100_000 + 10}p{n * 100_000 + 99_990}.xml.bz2" for n in range(5)
    ]
    assert choice(*names).warnings == ()
    del names[2]
    (warning,) = choice(*names).warnings
    assert "199,991 to 300,009" in warning


def test_the_same_piece_in_two_directories_is_read_once() -> None:
    name = "dewiki-2026-01-01-p1p20.xml.bz2"
    found = choice(f"b/{name}", f"a/{name}")
    assert [dump.path for dump in found.chosen] == [Path("/nowhere/a") / name]
    assert "same pages" in found.passed_over[0][1]
    assert found.warnings == ()


def test_directories_of_the_new_layout_are_searched_and_missing_pieces_named(
    tmp_path: Path,
) -> None:
    directory = tmp_path / NEW
    directory.mkdir(parents=True)
    names = [f"eswiki-2026-08-01-p{n}01p{n + 1}00.xml.bz2" for n in range(3)]
    for name in names[:2]:
        (directory / name).touch()
    (directory / "SHA256SUMS").write_text("".join(f"{'a' * 64}  {name}\n" for name in names))
    (tmp_path / "private").mkdir()
    (tmp_path / "private" / "frwiki-20260101-pages-articles.xml.bz2").touch()
    (tmp_path / ".hidden.xml").touch()
    found = list(files_below(tmp_path))
    assert [path.name for path in found] == ["SHA256SUMS", *names[:2]]
    picked = choose(dump for path in found if (dump := read_name(path)) is not None)
    assert chosen(picked) == names[:2]
    assert picked.warnings == (
        f"eswiki: of the files that SHA256SUMS lists, 1 of 3 are not there, first {names[2]}",
    )


def test_checksums_of_the_old_layout_are_looked_at_once(tmp_path: Path) -> None:
    names = [f"enwiki-20240101-pages-articles{n}.xml-p{n}01p{n + 1}00.bz2" for n in range(3)]
    names[0] = "enwiki-20240101-pages-articles0.xml-p1p100.bz2"
    (tmp_path / names[0]).touch()
    for kind in ("md5", "sha1"):
        listed = [*names, "enwiki-20240101-pages-articles.xml.bz2", "frwiki-20240101-x.txt"]
        listing = tmp_path / f"enwiki-20240101-{kind}sums.txt"
        listing.write_text("\n".join(f"0  {name}" for name in listed) + "\n\n")
    picked = choose(dump for path in files_below(tmp_path) if (dump := read_name(path)))
    assert len(picked.warnings) == 1
    assert "2 of 3" in picked.warnings[0]
