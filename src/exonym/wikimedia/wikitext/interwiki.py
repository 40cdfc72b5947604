"""Prefixes of sites outside Wikimedia, as in ``[[doi:10.1000/182|…]]``: no articles."""

from __future__ import annotations

# From Wikimedia's public interwiki map, which is the same on every wiki; no title can begin so.
_OUTSIDE = """
    acronym arxiv boardgamegeek citeseer creativecommons debian devmo dict discogs doi
    drumcorpswiki esolang fedora flickrphoto freebsdman gardenology gentoo-wiki git github
    globalvoices google googledefine googlegroups guildwarswiki gutenberg hackerspaces
    hathitrust hdl hrwiki iarchive imdbcharacter imdbcompany imdbname imdbtitle infosphere irc
    iso639-3 issn iuridictum jira jstor lojban lqwiki luxo mariowiki memoryalpha mozillawiki
    mozillazinekb musicbrainz nara oclc oeis omegawiki openfacts openlibrary openstreetmap
    openwetware orthodoxwiki pmid pyrev pythoninfo pythonwiki rfc scholar schoolswp scoutwiki
    semantic-mw sourceforge squeak tclerswiki tmbw tmnet tviv tvtropes unihan urbandict usemod
    viaf vikidia wikia wikiapiary wikiasite wikichristian wikidot wikihow wikiindex wikilivres
    wikimedia wikinfo wikinvest wikipaltz wikitravel wikitree wookieepedia worldcat wowwiki zum
"""
OUTSIDE_PREFIXES: frozenset[str] = frozenset(_OUTSIDE.split())
"""In small letters."""
