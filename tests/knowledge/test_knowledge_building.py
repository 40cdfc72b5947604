"""Building: what is read, what is counted, and what happens when something is wrong."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from knowledge_dumps import GERMAN, JAPANESE, BuildPages, item, write_wiki, write_wikidata

from exonym.foundation.errors import ConfigError, ExistsError, FormatError, InputError
from exonym.knowledge import KnowledgeBase, build_knowledge_base


def _bytes(directory: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(directory)): path.read_bytes()
        for path in sorted(directory.rglob("*"))
        if path.is_file()
    }


@pytest.mark.parametrize("processes", [1, 2])
def test_the_same_dumps_give_the_same_bytes(
    kb: KnowledgeBase, dumps: Path, tmp_path: Path, processes: int
) -> None:
    files = sorted(path for path in dumps.iterdir() if "wiki" in path.name)
    again = build_knowledge_base([*reversed(files), dumps], tmp_path / "kb", processes=processes)
    assert _bytes(again.path) == _bytes(kb.path)


def test_the_manifest_counts_what_was_read_per_file_and_language(kb: KnowledgeBase) -> None:
    german, japanese, wikidata = kb.manifest["files"]
    assert (german["name"], german["language"], german["date"]) == (
        "dewiki-20260101-pages-articles.xml.bz2", "de", "2026-01-01",
    )  # fmt: skip
    assert len(german["sha256"]) == 64
    assert german["counts"] == {
        "articles": 4, "redirects": 5, "paragraphs": 4, "links": 8, "links resolved": 7,
    }  # fmt: skip
    assert japanese["counts"]["links resolved"] == 2
    assert wikidata["counts"] == {
        "items": 5, "items kept": 3, "properties": 2, "claims": 4,
    }  # fmt: skip
    assert wikidata["skipped"] == {
        "claim about an item left out": 1,
        "no article in the languages": 2,
        "sitelink outside the article namespace": 1,
    }
    counts = kb.manifest["languages"]["de"]
    assert counts["redirects resolved"] == 2
    assert counts["redirects in a loop"] == 2
    assert counts["redirects to missing pages"] == 1
    assert counts["articles without an item"] == 1
    assert kb.manifest["totals"]["entities"] == 4
    assert kb.manifest["totals"]["triples"] == 3
    assert kb.manifest["totals"]["links"] == 10
    assert kb.manifest["ignored"] == [
        {"name": "README.txt", "reason": "not a dump"},
        {"name": "manifest.json", "reason": "not a dump"},
    ]


def test_without_wikidata_every_page_is_an_entity(build_pages: BuildPages) -> None:
    kb = build_pages(GERMAN)
    assert "de:Tokio" in [*kb]
    assert kb.resolve("de", "Nippon") == "de:Tokio"
    assert [*kb.triples()] == []
    assert kb.relations() == {}


def test_files_of_one_wiki_are_joined_and_pages_seen_before_are_counted(tmp_path: Path) -> None:
    write_wiki(tmp_path / "dewiki-1.xml", "de", GERMAN[:3])
    write_wiki(tmp_path / "dewiki-2.xml", "de", GERMAN[1:])
    kb = build_knowledge_base([tmp_path], tmp_path / "kb")
    assert [article.title for article in kb.articles("de")] == [
        "Tokio", "Japan", "Paris (Texas)", "Eigenes Wort",
    ]  # fmt: skip
    assert kb.manifest["files"][1]["skipped"] == {"page seen before": 2}
    assert kb.manifest["languages"]["de"]["pages seen before"] == 2
    assert kb.manifest["languages"]["de"]["articles"] == 4
    assert kb.link_count("de:Tokio") == 4


def test_only_the_languages_asked_for_are_kept(dumps: Path, tmp_path: Path) -> None:
    kb = build_knowledge_base([dumps], tmp_path / "kb", languages=["ja"])
    assert kb.languages == ("ja",)
    assert kb.resolve("de", "Tokio") is None
    ignored = {file["name"]: file["reason"] for file in kb.manifest["ignored"]}
    assert ignored["dewiki-20260101-pages-articles.xml.bz2"] == (
        "its language, 'de', was not asked for"
    )
    with pytest.raises(InputError, match="no dump of the language 'sw'"):
        build_knowledge_base([dumps], tmp_path / "other", languages=["ja", "sw"])


def test_a_redirect_with_an_item_of_its_own_is_that_item(build_pages: BuildPages) -> None:
    kb = build_pages(
        [("Reihe", "Text"), ("Figur", "#REDIRECT [[Reihe]]"), ("Ort", "[[Figur]]")],
        [item("Q1", {"dewiki": "Reihe"}), item("Q2", {"dewiki": "Figur"})],
    )
    assert kb.resolve("de", "Figur") == "Q2"
    assert kb.link_count("Q2") == 1
    assert kb.manifest["languages"]["de"]["redirects with an item of their own"] == 1


def test_an_item_or_sitelink_given_twice_is_counted_and_the_first_is_kept(
    build_pages: BuildPages,
) -> None:
    kb = build_pages(
        [("Eins", "Text")],
        [
            item("Q1", {"dewiki": "Eins"}, labels={"de": "eins"}),
            item("Q1", {"dewiki": "Eins"}, labels={"de": "zwei"}, claims=[("P1", "Q1")]),
            item("Q2", {"dewiki": "Eins"}),
        ],
    )
    assert kb.resolve("de", "Eins") == "Q1"
    assert kb.label("Q1", "de") == "eins"
    assert kb.manifest["files"][1]["skipped"]["item seen before"] == 1
    assert kb.manifest["languages"]["de"]["sitelink of two items"] == 1


def test_wikidata_labels_are_found_under_wikidata_s_own_language_codes(
    build_pages: BuildPages,
) -> None:
    kb = build_pages(
        [("Tokyo", "Tekst")],
        [item("Q1490", {"nowiki": "Tokyo"}, labels={"nb": "Tokyo by"})],
        language="no",
    )
    assert kb.label("Q1490", "no") == "Tokyo by"


def test_an_unknown_language_is_refused_unless_any_is_allowed(tmp_path: Path) -> None:
    path = write_wiki(tmp_path / "pages.xml", "qqx", [("A", "[[A]]")])
    with pytest.raises(InputError, match=r"pages\.xml.*'qqx'.*--any-language"):
        build_knowledge_base([path], tmp_path / "kb")
    assert not (tmp_path / "kb").exists()
    kb = build_knowledge_base([path], tmp_path / "kb", any_language=True)
    assert kb.languages == ("qqx",)


def test_other_projects_are_no_wikipedias(tmp_path: Path) -> None:
    path = write_wiki(tmp_path / "pages.xml", "en", [("A", "B")], database="commonswiki")
    with pytest.raises(InputError, match="commonswiki"):
        build_knowledge_base([path], tmp_path / "kb")


def test_a_damaged_dump_stops_the_build_unless_told_to_keep_going(
    tmp_path: Path,
) -> None:
    dumps = tmp_path / "dumps"
    dumps.mkdir()
    whole = write_wiki(dumps / "dewiki.xml", "de", GERMAN)
    whole.write_bytes(whole.read_bytes()[:-700])
    write_wiki(dumps / "jawiki.xml", "ja", JAPANESE)
    (dumps / "frwiki.xml").write_text("this is not XML")
    with pytest.raises(FormatError, match=r"frwiki\.xml"):
        build_knowledge_base([dumps], tmp_path / "kb")
    (dumps / "frwiki.xml").unlink()
    with pytest.raises(FormatError, match=r"dewiki\.xml.*--keep-going"):
        build_knowledge_base([dumps], tmp_path / "kb")
    with pytest.raises(FormatError, match=r"dewiki\.xml.*--keep-going"):
        build_knowledge_base([dumps], tmp_path / "kb", processes=2)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["dumps", "kb.building"]
    (dumps / "frwiki.xml").write_text("this is not XML")
    kb = build_knowledge_base([dumps], tmp_path / "kb", keep_going=True)
    german = next(file for file in kb.manifest["files"] if file["name"] == "dewiki.xml")
    assert german["skipped"]["truncated"] == 1
    assert kb.resolve("de", "Tokio") == "de:Tokio"


def test_a_damaged_wikidata_line_is_named_or_counted(tmp_path: Path) -> None:
    write_wiki(tmp_path / "dewiki.xml", "de", GERMAN)
    wikidata = write_wikidata(tmp_path / "wikidata.json", [item("Q1", {"dewiki": "Tokio"})])
    wikidata.write_text(wikidata.read_text().replace("[\n", "[\n{broken},\n", 1))
    with pytest.raises(FormatError, match=r"wikidata\.json:2.*--keep-going"):
        build_knowledge_base([tmp_path], tmp_path / "kb")
    kb = build_knowledge_base([tmp_path], tmp_path / "kb", keep_going=True)
    assert kb.resolve("de", "Tokio") == "Q1"
    assert sum(kb.manifest["files"][1]["skipped"].values()) == 1


@pytest.mark.parametrize(
    ("name", "message"),
    [("nothing.xml", "no such file"), ("notes.txt", "is neither"), (".", "no Wikipedia dump")],
)
def test_what_is_no_dump_is_refused_with_the_remedy(
    tmp_path: Path, name: str, message: str
) -> None:
    (tmp_path / "notes.txt").write_text("[not a dump]")
    with pytest.raises(InputError, match=f"{message}.*exonym atlas write"):
        build_knowledge_base([tmp_path / name], tmp_path / "kb")
    assert [path.name for path in tmp_path.iterdir()] == ["notes.txt"]


def test_dumps_without_an_article_are_refused(tmp_path: Path) -> None:
    path = write_wiki(tmp_path / "dewiki.xml", "de", [("A", "#REDIRECT [[Datei:B.png]]")])
    with pytest.raises(InputError, match=r"dewiki\.xml.*no article in the dumps.*no article: 1\)"):
        build_knowledge_base([path], tmp_path / "kb")
    assert [file.name for file in tmp_path.iterdir()] == ["dewiki.xml"]


def test_an_existing_output_is_replaced_only_when_asked(dumps: Path, tmp_path: Path) -> None:
    (tmp_path / "kb").mkdir()
    (tmp_path / "kb" / "something").write_text("precious")
    with pytest.raises(ExistsError, match="--overwrite"):
        build_knowledge_base([dumps], tmp_path / "kb")
    build_knowledge_base([dumps], tmp_path / "kb", overwrite=True)
    assert not (tmp_path / "kb" / "something").exists()


def test_an_impossible_number_of_processes_is_refused(dumps: Path, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="at least 1"):
        build_knowledge_base([dumps], tmp_path / "kb", processes=0)


def test_an_interrupt_leaves_nothing_under_the_final_name(
    dumps: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("exonym.knowledge.building.manifest.write_tables", interrupt)
        with pytest.raises(KeyboardInterrupt):
            build_knowledge_base([dumps], tmp_path / "kb")
    assert [path.name for path in tmp_path.iterdir()] == ["kb.building"]
    build_knowledge_base([dumps], tmp_path / "kb")
    assert [path.name for path in tmp_path.iterdir()] == ["kb"]


def test_real_dumps_can_be_read(shared_data: Path, tmp_path: Path) -> None:
    for code in ("de", "ja", "ar", "zh"):
        file = shared_data / "wikipedia" / f"{code}wiki-minidump.xml.bz2"
        (tmp_path / file.name).write_bytes(file.read_bytes())
    kb = build_knowledge_base([tmp_path], tmp_path / "kb")
    assert kb.languages == ("ar", "de", "ja", "zh")
    assert kb.resolve("de", "Berlin") == "de:Berlin"
    assert len(next(iter(kb.articles("ja"))).paragraphs) > 20
    shutil.rmtree(kb.path)
