"""Which Wikipedias and sister projects there are, as prefixes of links and names of databases."""

from __future__ import annotations

import re

# The language editions of Wikipedia (open and closed), from the sitelinks that Wikidata items
# carry and Wikimedia's public list of wikis; written with the hyphen that links use.
_LANGUAGES = """
    aa ab ace ady af ak als alt am ami an ang ann anp ar arc ary arz as ast atj av avk awa ay az
    azb ba ban bar bat-smg bbc bcl bdr be be-tarask be-x-old bew bg bh bi bjn blk bm bn bo bpy br
    bs btm bug bxr ca cbk-zam cdo ce ceb ch cho chr chy ckb co cr crh cs csb cu cv cy da dag de
    dga din diq dsb dtp dty dv dz ee el eml en eo es et eu ext fa fat ff fi fiu-vro fj fo fon fr
    frp frr fur fy ga gag gan gcr gd gl glk gn gom gor got gpe gsw gu guc gur guw gv ha hak haw he
    hi hif ho hr hsb ht hu hy hyw hz ia iba id ie ig igl ii ik ilo inh io is it iu ja jam jbo jv
    ka kaa kab kaj kbd kbp kcg kg kge ki kj kk kl km kn knc ko koi kr krc ks ksh ku kus kv kw ky
    la lad lb lbe lez lfn lg li lij lld lmo ln lo lrc lt ltg lv lzh mad mai map-bms mdf mg mh mhr
    mi min mk ml mn mni mnw mo mos mr mrj ms mt mus mwl my myv mzn na nah nan nap nb nds nds-nl ne
    new ng nia nl nn no nov nqo nr nrm nso nup nv ny oc olo om or os pa pag pam pap pcd pcm pdc
    pfl pi pih pl pms pnb pnt ps pt pwn qu rki rm rmy rn ro roa-rup roa-tara rsk ru rue rup rw sa
    sah sat sc scn sco sd se sg sgs sh shi shn si simple sk skr sl sm smn sn so sq sr srn ss st
    stq su sv sw syl szl szy ta tay tcy tdd te tet tg th ti tig tk tl tly tn to tok tpi tr trv ts
    tt tum tw ty tyv udm ug uk ur uz ve vec vep vi vls vo vro wa war wo wuu xal xh xmf yi yo yue
    za zea zgh zh zh-classical zh-min-nan zh-yue zu
"""
WIKIPEDIA_LANGUAGES: frozenset[str] = frozenset(_LANGUAGES.split())
"""The codes of all editions, as links write them (``"zh-yue"``)."""

# Prefixes that lead to sister projects and Wikimedia's own sites; pages there are no articles.
_PROJECTS = """
    w wikt wiktionary n wikinews b wikibooks q wikiquote s wikisource v wikiversity voy wikivoyage
    c commons species wikispecies m meta d wikidata f wikifunctions mw mediawikiwiki wmf foundation
    incubator phab phabricator bugzilla gerrit mail mailarchive toollabs toolforge translatewiki
    betawiki outreach strategy testwiki usability wikitech wikimania otrs ticket nost doi imdbname
    imdbtitle oeis arxiv hdl jstor
"""
PROJECT_PREFIXES: frozenset[str] = frozenset(_PROJECTS.split())
"""Prefixes of links to other projects, in small letters."""

_WIKIPEDIA_DATABASE = re.compile(r"([a-z]+(?:_[a-z]+)*)wiki\Z")
_NOT_LANGUAGES = frozenset(
    {"commons", "species", "wikidata", "meta", "incubator", "sources", "mediawiki", "outreach",
     "wikimania", "foundation", "media", "test", "strategy", "usability", "wikifunctions"}
)  # fmt: skip


def language_of_database(database: str) -> str | None:
    """The language of a Wikipedia by its database name: ``"zh_yuewiki"`` is ``"zh-yue"``.

    None for any other project (``"commonswiki"``, ``"enwiktionary"``).
    """
    match = _WIKIPEDIA_DATABASE.match(database)
    if match is None or match[1] in _NOT_LANGUAGES:
        return None
    return match[1].replace("_", "-")


def database_of_language(language: str) -> str:
    """The inverse of `language_of_database`: ``"zh-yue"`` is ``"zh_yuewiki"``."""
    return language.replace("-", "_") + "wiki"
