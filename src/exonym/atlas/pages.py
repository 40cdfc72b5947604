"""From a layout to wikitext."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from exonym.atlas import noise
from exonym.atlas.draws import Draw
from exonym.atlas.layout import Layout, PagePlan, Statement
from exonym.atlas.noise import About, PageOptions
from exonym.atlas.sites import CATEGORY, MEDIAWIKI, TALK, TEMPLATE, Site
from exonym.atlas.table import FactTable
from exonym.atlas.titles import Linker, Titles, escape, title_from
from exonym.text import language_of

_SLOT = re.compile(r"(\[[XY]\])")
_LINE_MARKUP = ("*", "#", ":", ";", "=", " ", "{|", "----")


@dataclass(frozen=True, slots=True)
class WikiPage:
    """One page as a dump holds it.

    Args:
        title: with its local namespace prefix.
        namespace: namespace key, 0 for articles.
        text: wikitext, or code where ``model`` says so.
        redirect: the title that the page redirects to.
        model: MediaWiki's content model.
    """

    title: str
    namespace: int
    text: str
    redirect: str | None = None
    model: str = "wikitext"


class PageWriter:
    """Writes the pages of one wiki.

    Args:
        table: what is told.
        site: the wiki.
        titles: its titles by language, for links to other wikis; must hold the site's own.
        layout: which sentence stands where.
        options: how pages look.
        seed: the user's seed.
    """

    def __init__(
        self,
        table: FactTable,
        site: Site,
        titles: Mapping[str, Titles],
        layout: Layout,
        options: PageOptions,
        seed: int,
    ) -> None:
        self._table, self._site, self._all_titles = table, site, titles
        self._titles = titles[site.language]
        self._layout, self._options, self._seed = layout, options, seed
        self._linker = Linker(table, site, self._titles, options.links)
        language = language_of(site.language)
        self._spaced = language.spaced
        self._join = " " if language.spaced or language.script == "Thai" else ""
        self._kinds: dict[str, str] = {}
        self.counts: Counter[str] = Counter()

    def pages(self) -> list[WikiPage]:
        """Every page of the wiki, in a seeded order, as pages of a real dump mix."""
        pages = [*self._articles(), *self._redirects()]
        pages.extend(self._other_namespaces(pages))
        return Draw(self._seed, "atlas page order", self._site.language).shuffled(pages)

    def _articles(self) -> Iterator[WikiPage]:
        taken = self._titles.taken()
        for plan in self._layout.plans():
            if plan.entity is not None:
                title = self._titles.pages[plan.entity]
            else:
                title = self._list_title(plan.relation or "", taken)
            self.counts["articles"] += 1
            yield WikiPage(title, 0, self._article(plan, title))

    def _list_title(self, relation: str, taken: set[str]) -> str:
        label = self._table.relations[relation].label(self._site.language)
        base = title_from(f"{self._site.listing} – {label}", self._site)
        title, number = base, 1
        while title in taken:
            number += 1
            title = f"{base} ({number})"
        taken.add(title)
        return title

    def _about(self, plan: PagePlan, title: str) -> About:
        plain = title.replace("/", "-").replace(":", "-")
        if plan.entity is None:
            return About(escape(title), plain, "", "")
        kind = self._table.entities[plan.entity].kind
        if kind is None or kind not in self._titles.pages or kind == plan.entity:
            return About(self._linker.plain(plan.entity), plain, "", "")
        name = title_from(self._kind_name(kind), self._site) or kind
        self._kinds.setdefault(name, kind)
        link = self._linker.link(kind, Draw(self._seed), varied=False)
        return About(self._linker.plain(plan.entity), plain, link, name)

    def _kind_name(self, kind: str) -> str:
        return self._table.entities[kind].names[self._site.language][0]

    def _article(self, plan: PagePlan, title: str) -> str:
        options, site = self._options, self._site
        draw = Draw(self._seed, "atlas page", site.language, title)
        about, references = self._about(plan, title), noise.References(draw)
        blocks: list[str] = []
        if draw.chance(options.hatnote):
            blocks.append(noise.hatnote(about, site))
        if draw.chance(options.infobox):
            blocks.append(noise.infobox(about, draw))
        if draw.chance(options.file):
            blocks.append(noise.picture(about, site, draw))
        if draw.chance(options.comment):
            blocks.append(f"<!-- {site.history}: {draw.integer(1, 31)}\n[[ {{{{ -->")
        body = self._body(plan, references, draw)
        blocks.extend(body)
        if draw.chance(options.table):
            blocks.append(noise.table(about, draw))
        see_also = self._see_also(plan, about, draw)
        if see_also:
            blocks.append(f"== {site.see_also} ==\n" + "\n".join(see_also))
        if draw.chance(options.gallery):
            blocks.append(f"== {site.gallery} ==\n{noise.gallery(about, site)}")
        if references.used:
            listing = draw.pick(("<references />", "{{reflist|2}}"))
            blocks.append(f"== {site.references} ==\n{listing}")
        if draw.chance(options.navigation):
            blocks.append(noise.navigation(about, draw))
        blocks.append("\n".join(self._foot(plan, about, draw)))
        return "\n\n".join(block for block in blocks if block)

    def _body(self, plan: PagePlan, references: noise.References, draw: Draw) -> list[str]:
        """The opening paragraph, then the others, some under a heading, some as lists."""
        own = self._paragraphs(plan.own, draw)
        blocks: list[str] = []
        bold_done = plan.entity is None
        if not own and plan.entity is not None:
            blocks.append(self._linker.bold(plan.entity))
        for paragraph in [*own, *self._paragraphs(plan.guests, draw)]:
            sentences = []
            for statement in paragraph:
                sentences.append(
                    self._sentence(statement, plan, references, draw, bold=not bold_done)
                )
                bold_done = True
            text = self._flow(paragraph, sentences, plan, draw)
            if blocks and draw.chance(self._options.heading):
                text = f"== {escape(self._topic(paragraph[0]))} ==\n{text}"
            blocks.append(text)
        return blocks

    def _topic(self, statement: Statement) -> str:
        """What a section is about: its relation, or the kind that it lists."""
        relation = self._table.relations[statement.fact.relation]
        return (
            self._kind_name(statement.fact.object)
            if relation.everywhere
            else relation.label(self._site.language)
        )

    def _flow(
        self, paragraph: Sequence[Statement], sentences: list[str], plan: PagePlan, draw: Draw
    ) -> str:
        """Sentences as one paragraph, or as a bulleted list."""
        guests = paragraph[0].fact.subject != plan.entity
        if guests and draw.chance(self._options.list_item):
            return "\n".join(f"* {sentence}" for sentence in sentences)
        text = sentences[0]
        for sentence in sentences[1:]:
            breaks = self._spaced and draw.chance(self._options.line_break)
            starts_line = breaks and not sentence.startswith(_LINE_MARKUP)
            text += ("\n" if starts_line else self._join) + sentence
        return f"<nowiki/>{text}" if text.startswith(_LINE_MARKUP) else text

    def _paragraphs(self, statements: Sequence[Statement], draw: Draw) -> list[list[Statement]]:
        """Cut sentences into paragraphs of a drawn length."""
        paragraphs: list[list[Statement]] = []
        start = 0
        while start < len(statements):
            size = draw.integer(*self._options.paragraph)
            paragraphs.append(list(statements[start : start + size]))
            start += size
        return paragraphs

    def _sentence(
        self,
        statement: Statement,
        plan: PagePlan,
        references: noise.References,
        draw: Draw,
        *,
        bold: bool,
    ) -> str:
        """One sentence; the page's own entity is not linked, as a page does not link to itself."""
        relation = self._table.relations[statement.fact.relation]
        template = relation.templates[self._site.language][statement.wording]
        parts = _SLOT.split(template)
        for index in range(0, len(parts), 2):
            parts[index] = self._literal(parts[index], draw, last=index == len(parts) - 1)
        text = ""
        for index, part in enumerate(parts):
            if index % 2:
                key = statement.fact.subject if part == "[X]" else statement.fact.object
                starts = not text
                if key != plan.entity:
                    part = self._linker.link(key, draw, starts=starts)
                    self.counts["links"] += 1
                elif bold and not parts[index - 1].endswith("'") and parts[index + 1][:1] != "'":
                    part = self._linker.bold(key) if starts else f"'''{self._linker.plain(key)}'''"
                else:
                    part = self._linker.plain(key, starts=starts)
            text += f"<nowiki/>{part}" if text.endswith("'") and part.startswith("'") else part
        self.counts["sentences"] += 1
        self.counts["bytes of sentences"] += len(text.encode())
        return text + (references.mark() if draw.chance(self._options.reference) else "")

    def _literal(self, text: str, draw: Draw, *, last: bool) -> str:
        """A template's own words, with the small noise of real wikitext."""
        options, words = self._options, escape(text)
        mark = draw.unit()
        if mark < options.nowiki:
            if last and words == text and words:
                words = f"{words[:-1]}<nowiki>{words[-1]}</nowiki>"
        elif mark < options.nowiki + options.nbsp:
            inner = words.strip()
            if " " in inner:
                words = words.replace(inner, inner.replace(" ", "&nbsp;", 1))
        elif mark < options.nowiki + options.nbsp + options.inline and words.startswith(" "):
            words = noise.inline(draw) + words
        return words

    def _see_also(self, plan: PagePlan, about: About, draw: Draw) -> list[str]:
        """Bulleted links: what the layout asks for, sometimes the kind's likes, a red link."""
        keys = list(plan.see_also)
        if plan.guests and draw.chance(self._options.see_also):
            named = [end for guest in plan.guests for end in guest.ends if end != plan.entity]
            keys.append(draw.pick(named))
        items = [f"* {self._linker.link(key, draw)}" for key in dict.fromkeys(keys)]
        self.counts["links"] += len(items)
        if draw.chance(self._options.red_link):
            items.append(f"* [[{about.file} ({self._site.history.lower()})]]")
            self.counts["red links"] += 1
        return items

    def _foot(self, plan: PagePlan, about: About, draw: Draw) -> list[str]:
        """Categories, and sometimes links to the same page of other wikis."""
        lines = [noise.category(self._site, about.kind_name or self._site.listing, sort_key=" ")]
        if plan.entity is not None and draw.chance(self._options.language_link):
            for code, titles in self._all_titles.items():
                if code != self._site.language and plan.entity in titles.pages and draw.chance(0.2):
                    lines.append(f"[[{code}:{titles.pages[plan.entity]}]]")
        return lines

    def _redirects(self) -> Iterator[WikiPage]:
        """A page per alias; a few lead to another redirect of the same entity."""
        draw = Draw(self._seed, "atlas redirects", self._site.language)
        before: dict[str, str] = {}
        for title, key in self._titles.redirects.items():
            target = self._titles.pages[key]
            if key in before and draw.chance(self._options.redirect_chain):
                target = before[key]
            before[key] = title
            tail = "\n\n{{R from alternative name}}" if draw.chance(0.3) else ""
            self.counts["redirects"] += 1
            yield WikiPage(title, 0, f"{self._site.redirect} [[{target}]]{tail}", redirect=target)

    def _other_namespaces(self, articles: Sequence[WikiPage]) -> Iterator[WikiPage]:
        """Pages that a reader of articles must pass over: talk, templates, categories, code."""
        names, draw = self._site.namespaces, Draw(self._seed, "atlas others", self._site.language)
        for page in articles:
            if page.redirect is None and draw.chance(self._options.talk):
                text = f"{{{{Talk header}}}}\n== {self._site.history} ==\n[[{page.title}]]? --~~~~"
                yield WikiPage(f"{names[TALK]}:{page.title}", TALK, text)
        for name in ("Cite web", "Reflist", "Stub"):
            text = f"<includeonly>{{{{{{1|{name}}}}}}}</includeonly><noinclude>{name}</noinclude>"
            yield WikiPage(f"{names[TEMPLATE]}:{name}", TEMPLATE, text)
        for name, kind in self._kinds.items():
            title = f"{names[TEMPLATE]}:Infobox {name}"
            yield WikiPage(title, TEMPLATE, "{{Infobox|{{{name}}}}}")
            link = self._linker.link(kind, draw, varied=False)
            text = f"{link}\n{noise.category(self._site, self._site.listing)}"
            yield WikiPage(f"{names[CATEGORY]}:{name}", CATEGORY, text)
        css = f"{names[MEDIAWIKI]}:Common.css"
        yield WikiPage(css, MEDIAWIKI, "a { color: navy }", model="css")
