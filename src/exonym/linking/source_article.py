"""Entities of a text by the article it was taken from, as LUKE and mLUKE annotate questions.

The names to look for are the texts of the links in that article, each with the entity that its
link leads to (mLUKE, section 3.2; LUKE, appendix on question answering):

- A name is left out if too small a share of its occurrences in the language are links
  (`ArticleRule.min_link_probability`, 1 % in the paper).
- Of those that stay, one that is linked to two *different* entities in the article is left out;
  one that is linked to the same entity several times is not.
- From left to right the longest match at each place becomes a mention. `NameIndex` compares folded
  forms, so names that differ in capitals only are one name, as in LUKE's code and in the first
  version of mLUKE's (examples_allennlp/utils/wiki_mention_detector; its last version heeds
  capitals). Borders of words are heeded where a script has them, as by LUKE's code and not by
  mLUKE's.

For a text in another language than the article's (a translated passage, a question in German
about an Arabic one) the names are all that the knowledge base has in the text's language for the
entities that the article links, and the same two rules hold. There a name counts as an entity's
only if it means it often enough (`ArticleRule.min_prior`): else one odd link in a whole Wikipedia
would make a common name ambiguous.

Because matching is by folded form, a text may spell a name as the article never does. That spelling
is held to the same rule, where the knowledge base knows it as a name: "us" is no mention of the
"US" that the article links, because "us" is hardly ever linked, and "apple" none of "Apple", if it
is only linked to the fruit.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import unquote

import numpy as np

from exonym.foundation import progress
from exonym.foundation.errors import ConfigError
from exonym.knowledge import KnowledgeBase
from exonym.knowledge.titles import plain_surface
from exonym.linking.covers import longest
from exonym.linking.name_index import NameIndex
from exonym.text import Mention

ENTITIES = "entities linked"
UNNAMED = "entities without a name in the language"
NAMES = "names"
ODD = "names that nearly always mean another entity"
RARE = "names too rarely linked"
AMBIGUOUS = "ambiguous names"
OTHERWISE_SPELLED = "matches spelled as another name"

PageKey = tuple[str, str]
"""A language and the title of an article in its Wikipedia."""


@dataclass(frozen=True, slots=True)
class ArticleRule:
    """Which names of an article's entities are looked for.

    Args:
        min_link_probability: the smallest share of a name's occurrences that are links, in [0, 1].
        min_prior: the smallest share of a name's links that must lead to an entity for the name to
            be one of its names, in [0, 1]; not asked of the texts of the article's own links.
        subject: whether the article's own entity is looked for, too, by all its names in the
            language. Articles do not link to themselves, so the paper's rule does not find it.

    Raises:
        ConfigError: a share is no share.
    """

    min_link_probability: float = 0.01
    min_prior: float = 0.01
    subject: bool = False

    def __post_init__(self) -> None:
        for name in ("min_link_probability", "min_prior"):
            if not 0 <= getattr(self, name) <= 1:
                raise ConfigError(f"{name} must lie between 0 and 1, got {getattr(self, name)}")


@dataclass(frozen=True, slots=True)
class SourceArticle:
    """An article as a source of names.

    Args:
        language: of its Wikipedia.
        title: as its Wikipedia has it.
        entity: the key of what it is about.
        links: how often each text is linked to each entity, in order of appearance.
    """

    language: str
    title: str
    entity: str
    links: Mapping[tuple[str, str], int]


def find_article(kb: KnowledgeBase, language: str, title: str) -> str | None:
    """The title of the article that a data set names, or None if there is none.

    Underscores and blanks are one, redirects are followed, and a title with percent signs as in an
    address (``Beyonc%C3%A9``, so SQuAD has it) is understood.
    """
    for written in dict.fromkeys((title, unquote(title))):
        key = kb.resolve(language, written)
        if key is not None and (found := kb.entity(key).sitelinks.get(language)) is not None:
            return found
    return None


def read_source_articles(
    kb: KnowledgeBase, wanted: Collection[PageKey]
) -> dict[PageKey, SourceArticle]:
    """Read many articles in one pass over the text of each language, up to the last of them.

    Args:
        kb: where they are.
        wanted: language and title of each, as `find_article` gives it.

    Returns:
        Those that there are. A title without an article (an item of Wikidata's whose page is not
        in the dump) is missing.

    Raises:
        InputError: the knowledge base has no such language.
    """
    titles: dict[str, set[str]] = {}
    for language, title in wanted:
        titles.setdefault(language, set()).add(title)
    found: dict[PageKey, SourceArticle] = {}
    for language in sorted(titles):
        left = titles[language]
        total = kb.manifest["languages"].get(language, {}).get("articles")
        with progress.stage(f"Looking for articles ({language})", total=total) as shown:
            for article in kb.articles(language):
                shown.advance()
                if article.title not in left:
                    continue
                left.discard(article.title)
                links: Counter[tuple[str, str]] = Counter()
                for text in article.paragraphs:
                    for mention in text.mentions:
                        assert mention.entity is not None  # stored articles have keys
                        links[plain_surface(text.surface(mention)), mention.entity] += 1
                entity = kb.resolve(language, article.title) or f"{language}:{article.title}"
                found[language, article.title] = SourceArticle(
                    language, article.title, entity, links
                )
                if not left:
                    break
    return found


class ArticleNames:
    """The names in one language of the entities that an article links, ready to be found.

    Args:
        kb: where names and link probabilities come from.
        article: the article.
        language: of the texts in which they are looked for.
        rule: which names are taken.

    Attributes:
        counts: what became of entities and names, by the words at the head of this module.
        meanings: the entity of each name that is looked for, by its spelling.
    """

    def __init__(
        self,
        kb: KnowledgeBase,
        article: SourceArticle,
        language: str,
        rule: ArticleRule | None = None,
    ) -> None:
        self._kb, self._language = kb, language
        self._rule = rule or ArticleRule()
        self.counts: Counter[str] = Counter()
        named = self._named(article)
        self.counts[NAMES] = len({surface for surface, _ in named})
        rare = {surface for surface, _ in named if surface and self._is_rare(surface)}
        self.counts[RARE] = len(rare)
        self.meanings: dict[str, str] = {}
        self._entities: dict[int, str] = {}  # by the number of a name of the index
        self._spellings: dict[tuple[str, str], bool] = {}
        kept = [(surface, entity) for surface, entity in named if surface and surface not in rare]
        if kept:
            self._index_names(kept)

    def _index_names(self, kept: list[tuple[str, str]]) -> None:
        """Make names ready to be found, but for those that have two entities."""
        self._index = NameIndex.of([surface for surface, _ in kept])
        for name in range(len(self._index)):
            rows = self._index.surfaces(name).tolist()
            entities = {kept[row][1] for row in rows}
            surfaces = {kept[row][0] for row in rows}
            if len(entities) > 1:
                self.counts[AMBIGUOUS] += len(surfaces)
            else:
                self._entities[name] = kept[rows[0]][1]
                self.meanings.update(dict.fromkeys(surfaces, kept[rows[0]][1]))

    def _named(self, article: SourceArticle) -> list[tuple[str, str]]:
        """Names with entities, each pair once."""
        entities = list(dict.fromkeys(entity for _, entity in article.links))
        self.counts[ENTITIES] = len(entities)
        if self._language == article.language:
            pairs, entities = dict.fromkeys(article.links), []
        else:
            pairs = {}
        if self._rule.subject and article.entity not in entities:
            entities.append(article.entity)
        for entity in entities:
            names = self._names(entity)
            self.counts[UNNAMED] += not names
            pairs.update(dict.fromkeys((name, entity) for name in names))
        return list(pairs)

    def _names(self, entity: str) -> list[str]:
        """What the entity is called in the language, but for names that mean it too seldom."""
        names = self._kb.names(entity, self._language)
        rivals = self._kb.candidates_of([name.surface for name in names], self._language)
        kept = []
        for name, candidates in zip(names, rivals, strict=True):
            total = sum(candidate.count for candidate in candidates)
            if name.count >= self._rule.min_prior * total:
                kept.append(name.surface)
            else:
                self.counts[ODD] += 1
        return kept

    def _is_rare(self, surface: str) -> bool:
        """Whether the rule leaves a name out.

        A name that no link shows, as an alias may be, has no links to set against its occurrences;
        it is rare only where it occurs so often that a single link would not have been enough.
        """
        least = self._rule.min_link_probability
        probability = self._kb.link_probability(surface, self._language)
        if probability is None or probability >= least:
            return False
        return probability > 0 or self._kb.occurrences(surface, self._language) * least >= 1

    def annotate(self, texts: Sequence[str]) -> list[tuple[Mention, ...]]:
        """The mentions in each text, in order, none overlapping another.

        Matches that are spelled as another name are counted in ``counts``.
        """
        mentions: list[list[Mention]] = [[] for _ in texts]
        if self._entities:
            found = self._index.find(texts)
            spans = zip(found.text.tolist(), found.start.tolist(), found.end.tolist(), strict=True)
            meant = [
                self._means(name, texts[text][start:end])
                for name, (text, start, end) in zip(found.name.tolist(), spans, strict=True)
            ]
            found = found.take(np.array(meant, np.bool_))
            kept = found.take(longest(found))
            for text, start, end, name in zip(
                kept.text.tolist(),
                kept.start.tolist(),
                kept.end.tolist(),
                kept.name.tolist(),
                strict=True,
            ):
                mentions[text].append(Mention(start, end, self._entities[name]))
        return [tuple(inside) for inside in mentions]

    def _means(self, name: int, spelled: str) -> bool:
        """Whether a match, as the text spells it, stands for the name's entity."""
        entity = self._entities.get(name)
        if entity is None:  # ambiguous
            return False
        spelled = plain_surface(spelled)
        if self.meanings.get(spelled) == entity:
            return True
        known = self._spellings.get((spelled, entity))
        if known is None:
            known = self._spellings[spelled, entity] = self._may_spell(spelled, entity)
        self.counts[OTHERWISE_SPELLED] += not known
        return known

    def _may_spell(self, spelled: str, entity: str) -> bool:
        """Whether a spelling that the article does not have may name the entity."""
        candidates = self._kb.candidates(spelled, self._language)
        if not candidates:
            return True  # nothing is known of it
        return entity in {candidate.entity for candidate in candidates} and not self._is_rare(
            spelled
        )
