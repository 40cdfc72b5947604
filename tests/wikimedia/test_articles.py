"""Articles and redirects as the other rooms get them."""

from __future__ import annotations

from wiki_dumps import WriteDump, page_xml

from exonym.text import Mention
from exonym.wikimedia import Article, Redirect, open_dump, read_articles


def test_articles_carry_title_keys_and_redirects_their_target(write_dump: WriteDump) -> None:
    path = write_dump(
        "dewiki.xml",
        [
            page_xml("Berlin", "'''Berlin''' an der [[spree#Lauf|Spree]].\n\n* [[Köln]]", number=7),
            page_xml("Hauptstadt", "x", redirect="berlin#Politik"),
            page_xml("Bild", "x", redirect="Datei:Bild.jpg"),
            page_xml("Diskussion:Berlin", "x", ns=1),
            page_xml("Kategorie:Stadt", "x", ns=14),
            page_xml("Leer", "{{Vorlage}}"),
        ],
    )
    with open_dump(path) as reader:
        article, redirect, empty = read_articles(reader)
        assert dict(reader.skipped) == {"redirect to no article": 1, "other namespace": 2}
    assert isinstance(article, Article)
    assert (article.id, article.title, article.language) == (7, "Berlin", "de")
    first, second = article.paragraphs
    assert first.text == "Berlin an der Spree."
    assert first.mentions == (Mention(14, 19, "de:Spree"),)
    assert (first.language, first.source) == ("de", "de:Berlin")
    assert second.mentions == (Mention(0, 4, "de:Köln"),)
    assert redirect == Redirect("Hauptstadt", "Berlin")
    assert isinstance(empty, Article)
    assert empty.paragraphs == ()
