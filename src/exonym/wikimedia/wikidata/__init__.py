"""Wikidata's JSON dump: items, properties and redirects, one line after the other."""

from exonym.wikimedia.wikidata.reader import WikidataReader, open_wikidata
from exonym.wikimedia.wikidata.records import Item, ItemRedirect, Property, Ranks

__all__ = ["Item", "ItemRedirect", "Property", "Ranks", "WikidataReader", "open_wikidata"]
