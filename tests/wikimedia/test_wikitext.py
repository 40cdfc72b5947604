"""Wikitext to text and links: one example per feature, as MediaWiki would show it."""

from __future__ import annotations

import time

import pytest
from wiki_dumps import flat, make_site

from exonym.wikimedia import SiteInfo, extract_paragraphs
from exonym.wikimedia.wikis import WIKIPEDIA_LANGUAGES
from exonym.wikimedia.wikitext.trails import trail_pattern

LINKS = {
    "[[Berlin]]": "<Berlin>",
    "[[berlin]]": "<berlin|Berlin>",
    "[[Berlin|die Stadt]]": "<die Stadt|Berlin>",
    "[[Deutsche_Mark|Mark]]": "<Mark|Deutsche Mark>",
    "[[Immanuel Kant]]s Werk": "<Immanuel Kants|Immanuel Kant> Werk",
    "[[Haus|Häus]]er, [[Haus]]Boot, [[Haus]]2": "<Häuser|Haus>, <Haus>Boot, <Haus>2",
    "[[Haus]]<nowiki/>boot": "<Haus>boot",
    "[[Haus]]''boot''": "<Haus>boot",
    "[[Berlin#Geschichte|so]]": "<so|Berlin>",
    "[[Berlin#Geschichte]]": "<Berlin#Geschichte|Berlin>",
    "siehe [[#Geschichte|oben]]": "siehe oben",
    "[[Berlin (Schiff)|]]": "<Berlin|Berlin (Schiff)>",
    "[[Frankfurt, Oder|]]": "<Frankfurt|Frankfurt, Oder>",
    "der[[ Berlin | Stadt ]] rat": "der <Stadt|Berlin> rat",
    "''[[Der Spiegel]]''": "<Der Spiegel>",
    "[[Der Spiegel|''Spiegel'']]": "<Spiegel|Der Spiegel>",
    "[[AT&amp;T]] [[M%C3%BCnchen|M]]": "<AT&T> <M|München>",
    "[[Star Trek: Voyager]]": "<Star Trek: Voyager>",
    "[[:Berlin]]": "<Berlin>",
    "[[:Datei:x.jpg]] [[:Kategorie:Stadt|K]]": "Datei:x.jpg K",
    "[[Hilfe:Los|H]] [[wikt:Wort|Wort]] [[:en:Berlin]]": "<H|Hilfe:Los> Wort en:Berlin",
    "[[a|b [[c]] d]]": "b <c|C> d",
    "[[a|b [[w:c|e [[d]] f]] g]]": "b e <d|D> f g",
    "[[[Berlin]]]": "[<Berlin>]",
    "[[Berlin|[1]]]": "<[1]|Berlin>",
    "[[Berlin|<!-- x -->]] y": "<Berlin> y",
    "[[Berlin|{{Flagge}}]] y": "y",
    "[[{{PAGENAME}}|dies]] y": "dies y",
    "[[Berlin|Stadt y": "Stadt y",
    "Ber]]lin, [[ y": "Berlin, y",
    "[[ ]] [[|]] [[#]] x": "# x",
    "[[A]][[B]]": "<A><B>",
    "[[a\nb]] x": "a b x",
    "[[A|a\nb]] x": "<a b|A> x",
    "[[http://a.de Seite]] und [[//a.de]]": "Seite und",
    "[[doi:10.1/2|d]], [[iarchive:x|y]]": "d, y",
    "[[../X|a]], [[./X|b]], [[a/../b|c]], [[~~~|d]]": "a, b, c, d",
    "[[a<b|c]] und [[d{e|f]]": "c und f",
    "[[Berlin|Stadt] y": "Stadt y",
    "[[Berlin|a [b] y": "a [b] y",
    "im [[[[Berlin]] y": "im <Berlin> y",
    "[[a]] | [[b]]|[[c]] |x| d | e": "<a|A> · <b|B> · <c|C> |x| d · e",
    "[[Berlin|&nbsp;]] x [[Berlin| ]] y": "x y",
    "[[Berlin|<small>Stadt</small>]]": "<Stadt|Berlin>",
    "[[Berlin]]<b>er</b>": "<Berlin>er",
    "[[Berlin<br>x]] y": "Berlin x y",
    "[[Datei:{{x}}.jpg|mini|Text]]y": "y",
    "[[Datei:x.jpg|mini|[http://a.de b]]]y": "y",
}


@pytest.mark.parametrize("source", LINKS)
def test_links(german: SiteInfo, source: str) -> None:
    assert flat(extract_paragraphs(source, german)) == [LINKS[source]]


INLINE = {
    "'''Berlin''' ist ''die'' '''''Stadt'''''": "Berlin ist die Stadt",
    "l'''Iliade'' e l''''Odissea'''": "l'Iliade e l'Odissea",
    "a<br>b<br/>c<BR />d": "a b c d",
    "H<sub>2</sub>O, x<sup>2</sup>, <small>k</small> <span style='x'>s</span>": "H2O, x2, k s",
    "''a'''', b''''''c": "a', b'c",
    "um {{formatnum:600000}} oder {{formatnum:1,5|R}} oder {{formatnum:{{x}}}}": (
        "um 600000 oder 1,5 oder"
    ),
    "a < b und c > d <Wort>": "a < b und c > d <Wort>",
    "&lt;ref&gt; &amp;amp; &nbsp;x &unbekannt;": "<ref> &amp; x &unbekannt;",
    "&#91;&#91;y&#93;&#93;": "[[y]]",
    'a<ref>b [[c]]</ref>d<ref name="x" />e<ref name=y>{{z}}</ref>': "ade",
    "a <!-- b [[c]] --> d": "a d",
    "a <math>x_{[[b]]}</math> c": "a c",
    "<nowiki>[[a]] ''b'' {{c}} <b></nowiki> d": "[[a]] ''b'' {{c}} <b> d",
    "2014: <nowiki> &lt;b&gt; </nowiki>&nbsp;x <nowiki>a | b</nowiki>": "2014: <b> x a | b",
    "[http://a.de Die Seite] und [https://b.de]": "Die Seite und",
    "[http://a.de über [[Berlin]]]": "über <Berlin>",
    "siehe http://a.de/x_y [sic]": "siehe http://a.de/x_y [sic]",
    "__NOTOC__a __INHALTSVERZEICHNIS__b __init__": "a b __init__",
    "a{{x|{{y|z}}|[[b]]}} c": "a c",
    "a {{{x|{{{y|}}}}}} c": "a c",
    "{{!}} a": None,
    "a {{b": "a",
    "a }} b": "a b",
    "a\u00a0b\u200ec&shy;d": "a bcd",
    "Berlin ({{IPA|x}}) ist": "Berlin ist",
    "Berlin ({{IPA|x}}; {{Audio|y}}) ist": "Berlin ist",
    "Berlin ({{IPA|x}}, auch Spree) ist": "Berlin (auch Spree) ist",
    "Berlin (auch Spree; {{IPA|x}}) ist": "Berlin (auch Spree) ist",
    "f() ist ( x )": "f() ist ( x )",
    "5{{nbsp}}km, {{x}}, dann": "5 km, dann",
    "a {{x}}, b": "a, b",
    "Berlin, 2013, {{ISBN|x}}. Dann {{x}}.": "Berlin, 2013. Dann.",
    'das Wort "{{lang|zh|x}}" (「{{x}}」) ist': "das Wort ist",
    "er . Sie ... und": "er. Sie ... und",
    "{{Flagge}} – Berlin": "Berlin",
    "a (b {{x}}; {{y}}, {{z}}) c": "a (b) c",
    "a ({{x}}/{{y}}) c": "a c",
    "a; {{x}} {{y}}, {{z}} {{w}} b": "a, b",
    "a. {{x}}{{y}} B": "a. B",
    "<code>x = 1</code> <syntaxhighlight lang=c>int</syntaxhighlight>y": "y",
    "<gallery>\nDatei:a.jpg|b\n</gallery>y": "y",
    "<ruby>東京<rp>(</rp><rt>とうきょう</rt><rp>)</rp></ruby>": "東京",
}


@pytest.mark.parametrize("source", INLINE)
def test_inline_markup(german: SiteInfo, source: str) -> None:
    expected = INLINE[source]
    assert flat(extract_paragraphs(source, german)) == ([] if expected is None else [expected])


def test_blocks_become_paragraphs_and_list_items(german: SiteInfo) -> None:
    source = """{{Infobox
|Name=[[X]]
}}
'''Berlin''' ist
eine Stadt.
<!-- nur ein Kommentar -->
Sie ist groß.

== Geschichte ==
* Eins
** [[Zwei]]
# Drei
:; Vier: fünf
----
<div class="x">Sechs</div>
<p>Sieben<p>Acht
| Rest einer Tabelle
! Kopf !! Kopf
…

== Belegt ==<ref>x</ref>
<center>{|
| y
|}</center>

{| class="wikitable"
| [[Zelle]]
{| innen
|}
|} Neun
* [[:Kategorie:Stadt]]
* siehe [[:Kategorie:Stadt]]
[[Kategorie:Stadt]]
[[en:Berlin]]
"""
    assert flat(extract_paragraphs(source, german)) == [
        "Berlin ist eine Stadt. Sie ist groß.",
        "Eins",
        "<Zwei>",
        "Drei",
        "Vier: fünf",
        "Sechs",
        "Sieben",
        "Acht",
        "Neun",
        "siehe Kategorie:Stadt",
    ]


@pytest.mark.parametrize(
    ("language", "prefix"),
    [("de", "Datei"), ("ar", "ملف"), ("th", "ไฟล์"), ("el", "Αρχείο"), ("vi", "Tập tin"),
     ("sw", "Picha"), ("tr", "DOSYA"), ("de", "Image"), ("th", "file")],
)  # fmt: skip
def test_files_go_with_their_captions_in_every_language(language: str, prefix: str) -> None:
    site = make_site(language)
    source = f"x [[{prefix}:a.jpg|mini|Text [[Link]] und [[y|z]]\n\nAbsatz]] w"
    assert flat(extract_paragraphs(source, site)) == ["x w"]


def test_files_under_names_that_the_siteinfo_does_not_list_are_known_by_their_ending() -> None:
    source = "[[Hình:Cổng Brandenburg.JPG|nhỏ|Cổng [[Brandenburg]]]]Berlin"
    assert flat(extract_paragraphs(source, make_site("de"))) == ["Berlin"]


def test_lines_of_nothing_but_prefixed_links_are_furniture(german: SiteInfo) -> None:
    assert extract_paragraphs("[[Catégorie:Ville|Berlin]] [[xyz:Berlin]]\n", german) == []


def test_an_unclosed_file_costs_its_paragraph_only(german: SiteInfo) -> None:
    source = "a\n[[Datei:x.jpg|mini|Text [[b]]\n\nZwei [[c]]\n== H ==\n]]drei"
    assert flat(extract_paragraphs(source, german)) == ["a", "Zwei <c|C>", "drei"]


@pytest.mark.parametrize("opener", ["{{", "{{{", "<ref>", "<!--", "<math>", "{|", "<table>", "[["])
def test_an_unclosed_construct_costs_its_paragraph_at_most(german: SiteInfo, opener: str) -> None:
    source = f"Eins [[a]].\n\n{opener} x\n\nZwei [[b]]."
    found = flat(extract_paragraphs(source, german))
    assert found[0] == "Eins <a|A>."
    assert found[-1] == "Zwei <b|B>."


@pytest.mark.parametrize(
    ("language", "source", "expected"),
    [
        ("zh", "-{zh-hans:信息;zh-hant:資訊}-学", "信息学"),
        ("zh", "-{zh-tw:資訊; zh-cn:[[信息]];}-", "<信息>"),
        ("zh", "-{T|zh-cn:a;zh-tw:b}--{H|x}-文", "文"),
        ("zh", "-{A|zh-hk:香港;zh-my:大马}-", "香港"),
        ("zh", "[[-{张}-三|他]]-{R|原文}-", "<他|张三>原文"),
        ("zh", "[[北京]]市 abc", "<北京>市 abc"),
        ("el", "[[Βερολίνο]]υ", "<Βερολίνου|Βερολίνο>"),
        ("th", "[[เบอร์ลิน]]คือ", "<เบอร์ลิน>คือ"),
        ("ar", "و[[برلين]]ية هي", "و<برلينية|برلين> هي"),
        ("en", "-{a}- [[bus]]es", "-{a}- <buses|Bus>"),
        ("tr", "[[istanbul]]da", "<istanbulda|İstanbul>"),
        ("ltg", "[[Reiga]]ā", "<Reigaā|Reiga>"),
        ("bn", "[[জার্মানি]]র abc", "<জার্মানির|জার্মানি> abc"),
        ("fa", "[[برلین]]abc", "<برلین>abc"),
        ("hi", "[[बर्लिन]]में", "<बर्लिनमें|बर्लिन>"),
        ("uk", "«[[Берлін]]»", "«<Берлін>»"),
        ("scn", "[[Roma]]nità", "<Romanità|Roma>"),
        ("zh-yue", "[[柏林]]ab", "<柏林ab|柏林>"),
        ("ca", "[[pare]]s d'[[ell]]", "<pares|Pare> d'<ell|Ell>"),
        ("br", "[[ti]]c'hoù", "<tic'hoù|Ti>"),
    ],
)
def test_rules_of_languages(language: str, source: str, expected: str) -> None:
    assert flat(extract_paragraphs(source, make_site(language))) == [expected]


NESTING = ["[[", "{{", "{|\n", "<ref>", "<!--", "<table>", "[[a|", "[[Datei:a|", "-{", "[http://a "]
PAIRS = [
    ("[[a|", "]]"), ("[[w:a|", "]]"), ("[[Datei:a|", "]]"), ("{{", "}}"), ("{{{", "}}}"),
    ("{|\n", "|}\n"), ("<table>", "</table>"), ("-{", "}-"), ("[http://a ", "]"), ("(", ")"),
    ("({{x}}", ","), ("[[a|{{x}}", "]]"), ("[[ a ]] ,", " ''"), ('"{{x}}', '"'), ("{{x}}/", ""),
    ("[[a|b]", ""), ("[[a<b|", ""), ("<p>", ""), ("\n[[a:b", ""), ("<ref>{{", "}}</ref>"),
]  # fmt: skip


@pytest.mark.slow
def test_a_hundred_thousand_nested_openers_cost_linear_time() -> None:
    for opener, closer in [*((opener, "") for opener in NESTING), *PAIRS]:
        site = make_site("zh" if "-" in opener else "de")
        start = time.perf_counter()
        extract_paragraphs(opener * 100_000 + "x" + closer * 100_000, site)
        # Linear work takes about half a second; quadratic work would take minutes.
        assert time.perf_counter() - start < 15, (opener, closer)


def test_a_long_page_costs_linear_time(german: SiteInfo) -> None:
    page = "'''a''' [[Berlin|b]]en {{x|[[y]]}} <ref>z</ref> ([[c]], {{d}}).\n\n" * 40_000
    start = time.perf_counter()
    assert len(extract_paragraphs(page, german)) == 40_000
    # 2.5 million characters take about half a second.
    assert time.perf_counter() - start < 15


def test_two_wikis_in_turn_keep_their_own_rules() -> None:
    for _ in range(3):
        for language, shown in (("de", "<Hausö|Haus>"), ("en", "<Haus>ö")):
            assert flat(extract_paragraphs("[[Haus]]ö", make_site(language))) == [shown]


def test_every_wiki_has_a_rule_of_trails() -> None:
    for language in WIKIPEDIA_LANGUAGES:
        pattern = trail_pattern(language)
        assert pattern is None or not pattern.match("|]")
