"""Wikimedia's own files: MediaWiki XML dumps, wikitext, Wikidata JSON. Knows no models."""

from exonym.wikimedia.articles import Article, Redirect, read_articles
from exonym.wikimedia.dump import DumpReader, Page, open_dump
from exonym.wikimedia.siteinfo import Namespace, SiteInfo
from exonym.wikimedia.wikidata import Item, ItemRedirect, Property, WikidataReader, open_wikidata
from exonym.wikimedia.wikis import (
    WIKIPEDIA_LANGUAGES,
    database_of_language,
    language_of_database,
)
from exonym.wikimedia.wikitext import Link, Paragraph, extract_paragraphs

__all__ = [
    "WIKIPEDIA_LANGUAGES",
    "Article",
    "DumpReader",
    "Item",
    "ItemRedirect",
    "Link",
    "Namespace",
    "Page",
    "Paragraph",
    "Property",
    "Redirect",
    "SiteInfo",
    "WikidataReader",
    "database_of_language",
    "extract_paragraphs",
    "language_of_database",
    "open_dump",
    "open_wikidata",
    "read_articles",
]
