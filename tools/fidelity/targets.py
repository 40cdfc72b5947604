"""What a link leads to and which letters follow it, written apart from the scanner's own rules.

Sources: MediaWiki 1.39, ``includes/parser/Parser.php`` (``handleInternalLinks2``) and
``languages/messages/Messages*.php`` (``$linkTrail`` with its chains of fallbacks).
"""

from __future__ import annotations

import functools
import html
import re
import urllib.parse

from exonym.wikimedia import SiteInfo
from exonym.wikimedia.wikis import WIKIPEDIA_LANGUAGES

# Letters after "]]" that belong to the link, for the languages of the files at hand.
_CYRILLIC = "абвгдеёжзийклмнопрстуфхцчшщъыьэюя"
_FRENCH = "a-zàâçéèêîôûäëïöüùÇÉÂÊÎÔÛÄËÏÖÜÀÈÙ"
_TRAILS = {
    "ar": "a-zء-ي\u0610-\u061a\u064b-\u065f\u0670\u06d6-\u06dc\u06df-\u06e4\u06e7\u06e8"
    "\u06ea-\u06ed",
    "bn": "\u0980-\u09ff",
    "de": "äöüßa-z",
    "el": "a-zαβγδεζηθικλμνξοπρστυφχψωςΑΒΓΔΕΖΗΘΙΚΛΜΝΞΟΠΡΣΤΥΦΧΨΩάέήίόύώϊϋΐΰΆΈΉΊΌΎΏΪΫ",
    "es": "a-záéíóúñ",
    "fr": _FRENCH,
    "it": "a-zàéèíîìóòúù",
    "ltg": "a-zA-ZĀāČčĒēĢģĪīĶķĻļŅņŠšŪūŽž",
    "nl": "a-zäöüïëéèà",
    "pl": "a-zęóąśłżźćńĘÓĄŚŁŻŹĆŃ",
    "pt": "áâãàéêẽçíòóôõq̃úüűũa-z",
    "ru": "a-z" + _CYRILLIC,
    "sv": "a-zåäöéÅÄÖÉ",
    "tr": "a-zÇĞçğİıÖöŞşÜüÂâÎîÛû",
    "vi": _FRENCH,
    "zh": "",
}
# Prefixes of Wikimedia's interwiki map that are no language, the ones that pages use most.
_PROJECTS = {
    *("arxiv", "b", "betawikiversity", "bugzilla", "c", "cache", "commons", "d", "dbdump"),
    *("doi", "f", "foundation", "gerrit", "google", "googledefine", "gutenberg", "hdl"),
    *("iarchive", "imdbcompany", "imdbname", "imdbtitle", "incubator", "iso639-3", "issn"),
    *("jstor", "m", "mail", "mailarchive", "mediawikiwiki", "mediazilla", "memoryalpha", "meta"),
    *("metawiki", "metawikimedia", "metawikipedia", "mozillawiki", "mw", "n", "oldwikisource"),
    *("openlibrary", "orcid", "osmwiki", "otrs", "otrswiki", "outreach", "phab", "phabricator"),
    *("pmid", "q", "quarry", "rev", "rfc", "rt", "s", "scholar", "sourceforge", "species"),
    *("stats", "strategy", "svn", "ticket", "toollabs", "tools", "translatewiki", "usability"),
    *("v", "viaf", "vikidia", "voy", "w", "wikia", "wikibooks", "wikidata", "wikihow"),
    *("wikimedia", "wikinews", "wikipedia", "wikiquote", "wikisource", "wikispecies"),
    *("wikitech", "wikiversity", "wikivoyage", "wikt", "wiktionary", "wmf", "youtube"),
}
# Names of the namespaces for files and categories that MediaWiki knows but a dump's siteinfo may
# not list: older ones, and all local ones in files whose head is that of another wiki.
_UNLISTED = {
    *("ملف", "صورة", "تصنيف", "চিত্র", "বিষয়শ্রেণী", "datei", "bild", "kategorie", "αρχείο"),
    *("εικόνα", "κατηγορία", "archivo", "imagen", "categoría", "fichier", "catégorie", "berkas"),
    *("gambar", "kategori", "immagine", "categoria", "ファイル", "画像", "カテゴリ"),
    *("bestand", "afbeelding", "categorie", "plik", "grafika"),
    *("kategoria", "ficheiro", "imagem", "arquivo", "файл", "изображение", "категория", "fil"),
    *("dosya", "resim", "hình", "文件", "档案", "图像", "图片", "分类", "檔案"),
    *("圖像", "圖片", "分類"),
    *("tập tin", "thể loại"),
}
# The same of other languages, and misspelt: MediaWiki shows a red link whose text is the file's
# options; we leave it out.
_FOREIGN = {"attēls", "kategorija", "kategorejis", "kaarangay"}
_PERCENT = re.compile(r"%[0-9A-Fa-f]{2}")
_NO_TITLE = re.compile(r"[\[\]{}|<>\n\ufffd]")


@functools.lru_cache(maxsize=32)
def trail_of(language: str) -> re.Pattern[str]:
    """The letters that a link of this language draws in after its brackets."""
    letters = _TRAILS.get(language, "a-z")
    return re.compile(f"[{letters}]*" if letters else "")


def lead(target: str, site: SiteInfo) -> tuple[str, str]:
    """What a link leads to.

    Args:
        target: what stands before the pipe, as written.
        site: the wiki that it stands in.

    Returns:
        ("article", normalised title), ("hidden", "") for what shows nothing here (files,
        categories, languages), ("unlisted", title) for a file or category under a name that the
        siteinfo does not list, ("foreign", title) for one under a name that only other wikis
        know, ("text", "") for a link to elsewhere, ("no link", "") where
        MediaWiki would leave the brackets as they are.
    """
    shown = html.unescape(target)
    if _PERCENT.search(shown):
        shown = urllib.parse.unquote(shown)
    forced = shown.strip(" _").startswith(":")
    if forced:
        shown = shown.strip(" _")[1:]
    shown = shown.strip(" _")
    if _NO_TITLE.search(shown):
        return "no link", ""
    prefix, colon, _ = shown.partition(":")
    if colon:
        key = site.namespace_key(prefix)
        if key is not None and key != 0:
            return ("hidden" if key in (6, 14) and not forced else "text"), ""
        folded = prefix.strip(" _").lower()
        if folded in WIKIPEDIA_LANGUAGES:
            return ("text" if forced else "hidden"), ""
        if folded in _PROJECTS:
            return "text", ""
        if folded in _UNLISTED | _FOREIGN and not forced:
            return ("unlisted" if folded in _UNLISTED else "foreign"), site.split_title(shown)[1]
    key, title = site.split_title(shown.partition("#")[0])
    if key != 0 or not title:
        return "text", ""
    return "article", title
