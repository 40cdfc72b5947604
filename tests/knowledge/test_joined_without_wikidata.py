"""Without the Wikidata dump languages are joined by what else says that pages are one thing."""

from __future__ import annotations

import gzip

import pytest
from knowledge_dumps import write_wiki
from typer.testing import CliRunner

from exonym.cli.kb import app
from exonym.knowledge import KnowledgeBase, build_knowledge_base

GERMAN = [("Tokio", "[[Japan]]\n\n[[ja:東京都]]"), ("Japan", "Land"), ("Nur hier", "[[Tokio]]")]
JAPANESE = [("東京都", "[[日本]]"), ("日本", "[[東京都]]"), ("日本国", "#REDIRECT [[日本]]")]


@pytest.fixture
def wikis(tmp_path):
    folder = tmp_path / "dumps"
    folder.mkdir()
    write_wiki(folder / "dewiki-20260101-pages-articles.xml.bz2", "de", GERMAN)
    write_wiki(folder / "jawiki-20260101-pages-articles.xml.bz2", "ja", JAPANESE)
    return folder


COLUMNS = {
    "page_props": ("pp_page", "pp_propname", "pp_value", "pp_sortkey"),
    "langlinks": ("ll_from", "ll_lang", "ll_title"),
}


def _table(folder, wiki, table, rows):
    columns = ",\n".join(f"  `{name}` blob" for name in COLUMNS[table])
    text = f"CREATE TABLE `{table}` (\n{columns}\n);\nINSERT INTO `{table}` VALUES {rows};\n"
    with gzip.open(folder / f"{wiki}-20260101-{table}.sql.gz", "wb") as stream:
        stream.write(text.encode())


def test_page_properties_give_each_page_its_item(wikis, tmp_path):
    _table(wikis, "dewiki", "page_props", "(1,'wikibase_item','Q1490',NULL),(2,'x','y',NULL),"
           "(2,'wikibase_item','Q17',NULL),(99,'wikibase_item','Q5',NULL)")  # fmt: skip
    _table(wikis, "jawiki", "page_props", "(1,'wikibase_item','Q1490',NULL),"
           "(2,'wikibase_item','Q17',NULL)")  # fmt: skip
    kb = build_knowledge_base([wikis], tmp_path / "kb")
    assert sorted(kb) == ["Q1490", "Q17", "de:Nur hier"]
    assert dict(kb.entity("Q17").sitelinks) == {"de": "Japan", "ja": "日本"}
    assert kb.resolve("ja", "日本国") == "Q17"
    assert kb.manifest["joined_by"] == "page properties"
    assert kb.manifest["joined"]["properties of pages left out"] == 1


def test_language_links_of_the_tables_join_pages_over_redirects(wikis, tmp_path):
    _table(wikis, "dewiki", "langlinks", "(2,'ja','日本国'),(2,'fr','Japon'),(3,'ja','無い')")
    kb = build_knowledge_base([wikis], tmp_path / "kb")
    assert dict(kb.entity("de:Japan").sitelinks) == {"de": "Japan", "ja": "日本"}
    assert kb.resolve("ja", "日本") == "de:Japan"
    assert kb.manifest["joined_by"] == "language links"
    joined = kb.manifest["joined"]
    assert (joined["pages joined"], joined["language links to missing pages"]) == (4, 1)


def test_language_links_in_the_text_join_pages_and_the_report_says_what_is_lost(wikis, tmp_path):
    options = ["build", "--dumps", str(wikis), "--out", str(tmp_path / "kb")]
    shown = CliRunner().invoke(app, options).stdout
    assert "languages are joined by language links; 2 of 5 articles" in shown
    assert "no labels, aliases, descriptions, facts or types" in shown
    kb = KnowledgeBase.open(tmp_path / "kb")
    assert dict(kb.entity("ja:東京都").sitelinks) == {"de": "Tokio", "ja": "東京都"}
    assert kb.types("de:Tokio") == ()
    assert kb.label("de:Tokio", "ja") == "東京都"


def test_a_wikidata_dump_goes_before_the_tables(dumps, tmp_path):
    _table(tmp_path, "dewiki", "page_props", "(1,'wikibase_item','Q42',NULL)")
    table = next(tmp_path.glob("*.sql.gz"))
    kb = build_knowledge_base([dumps, table], tmp_path / "kb")
    assert kb.manifest["joined_by"] == "wikidata"
    assert {"name": table.name, "reason": "the Wikidata dump says more"} in kb.manifest["ignored"]
