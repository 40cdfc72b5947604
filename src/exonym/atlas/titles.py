"""Page titles, redirects and links of one wiki, by MediaWiki's rules."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from exonym.atlas.draws import Draw
from exonym.atlas.sites import CANONICAL, Site
from exonym.atlas.table import Entity, FactTable

_LONGEST_TITLE = 240  # bytes; MediaWiki allows 255, a disambiguator may follow
_INTERWIKI = re.compile(r"[a-z]{1,3}(-[a-z]+)*|commons|meta|simple|species|wikipedia|wikt|image")
_DOTTED_I = ("az", "tr")  # languages in which the capital of "i" is not "I"
_AMBIGUOUS = re.compile(r"&(?=#?\w+;)|''+|__|~~~+|//|-(?=\{)")


@dataclass(frozen=True, slots=True)
class LinkOptions:
    """How often a link takes one of the forms that real links take; the rest are plain.

    Args:
        alias: ``[[Title|alias]]``, for entities with aliases.
        redirect: ``[[Alias]]``, where that is a redirect page.
        section: ``[[Title#Section|name]]``.
        underscore: ``[[Two_words|Two words]]``.
        lower: ``[[title|Title]]``, the first letter of a title being free.
        trail: ``[[Title|Titl]]e``, where the name ends in a Latin letter.
        padded: ``[[ Title |name]]``.
    """

    alias: float = 0.06
    redirect: float = 0.05
    section: float = 0.02
    underscore: float = 0.04
    lower: float = 0.02
    trail: float = 0.02
    padded: float = 0.01


@dataclass(frozen=True, slots=True)
class Titles:
    """The titles of one wiki.

    Args:
        pages: article title by entity id, in the table's order.
        redirects: entity id by the title of a redirect page.
        dropped_aliases: aliases without a redirect, since a page of that title exists.
    """

    pages: Mapping[str, str]
    redirects: Mapping[str, str]
    dropped_aliases: int

    def taken(self) -> set[str]:
        """Every title in use."""
        return {*self.pages.values(), *self.redirects}


def first_upper(text: str, language: str) -> str:
    """The text with its first letter as MediaWiki stores a title's."""
    first = text[:1]
    upper = "İ" if first == "i" and language in _DOTTED_I else first.title()
    return (upper if len(upper) == 1 else first) + text[1:]


def title_from(name: str, site: Site) -> str:
    """A valid page title for a name; empty when nothing of the name may stand in a title."""
    text = " ".join(name.replace("#", " ").replace("_", " ").split()).lstrip(":/. ")
    prefix, colon, rest = text.partition(":")
    if colon:
        reserved = {n.casefold() for n in (*site.namespaces.values(), *CANONICAL.split("|"))}
        low = prefix.strip().casefold()
        if low in reserved or _INTERWIKI.fullmatch(low):
            text = f"{prefix.strip()} – {rest.strip()}"
    text = text.encode()[:_LONGEST_TITLE].decode(errors="ignore").strip()
    return first_upper(text, site.language)


def make_titles(table: FactTable, site: Site) -> Titles:
    """Title every entity that has a name in the wiki's language.

    Of several entities with one title the first in the table keeps it; to the others' titles
    their kind is added in parentheses, and their id where that does not help.
    """
    language = site.language
    pages: dict[str, str] = {}
    taken: set[str] = set()
    for key, entity in table.entities.items():
        name = entity.name(language)
        if name is not None:
            title = next(t for t in _candidates(table, entity, name, site) if t not in taken)
            taken.add(title)
            pages[key] = title
    redirects: dict[str, str] = {}
    dropped = 0
    for key in pages:
        for alias in table.entities[key].names[language][1:]:
            title = title_from(alias, site)
            if not title or title in taken:
                dropped += title != pages[key]
            else:
                taken.add(title)
                redirects[title] = key
    return Titles(pages, redirects, dropped)


def _candidates(table: FactTable, entity: Entity, name: str, site: Site) -> list[str]:
    title = title_from(name, site) or entity.id
    kind = table.entities[entity.kind].name(site.language) if entity.kind else None
    with_kind = [f"{title} ({kind[0]}{title_from(kind, site)[1:]})"] if kind else []
    return [title, *with_kind, f"{title} ({entity.id})"]


def escape(text: str) -> str:
    """Plain text as wikitext that shows exactly that text."""
    return _AMBIGUOUS.sub(lambda found: "".join(f"&#{ord(c)};" for c in found[0]), text)


class Linker:
    """Writes links of one wiki.

    Args:
        table: the entities.
        site: the wiki.
        titles: its titles.
        options: how often a link takes which form.
    """

    def __init__(self, table: FactTable, site: Site, titles: Titles, options: LinkOptions) -> None:
        self._table, self._site, self._titles, self._options = table, site, titles, options

    def plain(self, key: str, *, starts: bool = False) -> str:
        """The name of an entity as running text; ``starts`` a sentence."""
        return escape(self._shown(key, starts))

    def bold(self, key: str) -> str:
        """The name in bold, as it stands in the first sentence of its own page."""
        name = self.plain(key, starts=True)
        if name.startswith("'") or name.endswith("'"):
            return f"<b>{name}</b>"
        return f"'''{name}'''"

    def link(self, key: str, draw: Draw, *, starts: bool = False, varied: bool = True) -> str:
        """A link to an entity's page; plain in form unless ``varied``."""
        title, name = self._titles.pages[key], self._shown(key, starts)
        if varied:
            form = self._varied(key, title, name, draw)
            if form is not None:
                return form
        if self._same_page(name, title) and escape(name) == name:
            return f"[[{name}]]"
        return f"[[{title}|{escape(name)}]]"

    def _shown(self, key: str, starts: bool) -> str:
        name = self._table.entities[key].names[self._site.language][0]
        return first_upper(name, self._site.language) if starts else name

    def _same_page(self, target: str, title: str) -> bool:
        """Whether a link to ``target`` surely leads to ``title``."""
        if target == title:
            return True
        if target[:1] == "i" and self._site.language in _DOTTED_I:
            return False
        return target[1:] == title[1:] and target[:1].upper() == title[:1] != target[:1]

    def _varied(self, key: str, title: str, name: str, draw: Draw) -> str | None:
        """One of the rarer forms, or None for the plain one (or where the form does not fit)."""
        options, shown = self._options, escape(name)
        aliases = self._table.entities[key].names[self._site.language][1:]
        mark = draw.unit()
        if (mark := mark - options.alias) < 0:
            return f"[[{title}|{escape(draw.pick(aliases))}]]" if aliases else None
        if (mark := mark - options.redirect) < 0:
            known = [a for a in aliases if self._titles.redirects.get(a) == key and escape(a) == a]
            return f"[[{draw.pick(known)}]]" if known else None
        if (mark := mark - options.section) < 0:
            return f"[[{title}#{self._site.history}|{shown}]]"
        if (mark := mark - options.underscore) < 0:
            return f"[[{title.replace(' ', '_')}|{shown}]]" if " " in title else None
        if (mark := mark - options.lower) < 0:
            lower = title[:1].lower() + title[1:]
            fits = self._same_page(lower, title) and title_from(lower, self._site) == title
            return f"[[{lower}|{shown}]]" if fits else None
        if (mark := mark - options.trail) < 0:
            fits = len(name) > 3 and name[-2:].isascii() and name[-2:].islower() and shown == name
            fits = fits and name[-2:].isalpha() and name[-3].isalpha()
            return f"[[{title}|{name[:-1]}]]{name[-1]}" if fits else None
        if mark - options.padded < 0:
            return f"[[ {title} |{shown}]]"
        return None
