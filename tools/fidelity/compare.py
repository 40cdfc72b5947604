"""Our links beside the oracle's, page by page: what is missing, what is too much, and why."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field

from exonym.wikimedia import Paragraph, SiteInfo
from fidelity.oracle import OracleLink, oracle_links, plain, word_after, word_before

Key = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Difference:
    """One link that only one side has.

    Args:
        side: ``"missing"`` (only the oracle has it) or ``"extra"`` (only we have it).
        cause: in words.
        explained: MediaWiki agrees with us, by the rule that the cause names.
        page: the page's title.
        link: (title, anchor).
        context: the wikitext around it; empty where the place is unknown.
    """

    side: str
    cause: str
    explained: bool
    page: str
    link: Key
    context: str


@dataclass
class Tally:
    """Counts of one file, or of several.

    Args:
        oracle: links in running text as the oracle sees them.
        ours: links of our paragraphs.
        common: links that both have on the same page with the same title and anchor.
        neighbours: words beside common links that were compared.
        lost: of these, the ones that differ.
        apart: the oracle's links outside running text, by where they stand.
    """

    oracle: int = 0
    ours: int = 0
    common: int = 0
    neighbours: int = 0
    lost: list[tuple[str, Key, str, str]] = field(default_factory=list)
    apart: Counter[str] = field(default_factory=Counter)
    differences: list[Difference] = field(default_factory=list)

    def explained(self, side: str) -> int:
        """Differences of a side that MediaWiki's rules decide for us."""
        return sum(d.explained for d in self.differences if d.side == side)

    def rates(self) -> tuple[float, float, float, float]:
        """Recall and precision, raw and after the explained differences."""
        missing = self.oracle - self.common - self.explained("missing")
        extra = self.ours - self.common - self.explained("extra")
        return (
            self.common / max(1, self.oracle),
            self.common / max(1, self.ours),
            self.common / max(1, self.common + missing),
            self.common / max(1, self.common + extra),
        )


def compare_page(
    title: str, wikitext: str, site: SiteInfo, paragraphs: Sequence[Paragraph], tally: Tally
) -> None:
    """Count one page's links into the tally, and list what differs."""
    theirs = oracle_links(wikitext, site)
    running = [link for link in theirs if not link.apart]
    tally.apart.update(link.apart for link in theirs if link.apart)
    ours = [
        ((link.title, plain(paragraph.text[link.start : link.end])), paragraph, link)
        for paragraph in paragraphs
        for link in paragraph.links
    ]
    mine, wanted = Counter(key for key, _, _ in ours), Counter(map(_key, running))
    tally.oracle += len(running)
    tally.ours += len(ours)
    tally.common += (mine & wanted).total()
    if mine != wanted:
        _differences(title, wikitext, theirs, wanted - mine, mine - wanted, tally)
    # Words beside a link: only where the k-th of a kind is surely the same on both sides.
    places: dict[Key, list[OracleLink]] = defaultdict(list)
    for their in running:
        places[_key(their)].append(their)
    seen: Counter[Key] = Counter()
    for key, paragraph, link in ours:
        if mine[key] == wanted[key]:
            other = places[key][seen[key]]
            seen[key] += 1
            before = word_before(plain(paragraph.text[: link.start]))
            after = word_after(plain(paragraph.text[link.end :]))
            for here, there, same in (
                (before, other.before, before.endswith(other.before)),
                (after, other.after, after.startswith(other.after)),
            ):
                if there and not other.doubt:
                    tally.neighbours += 1
                    if not same:
                        tally.lost.append((title, key, there, here))


def _key(link: OracleLink) -> Key:
    return link.title, link.anchor


def _differences(
    page: str,
    wikitext: str,
    theirs: Sequence[OracleLink],
    missing: Counter[Key],
    extra: Counter[Key],
    tally: Tally,
) -> None:
    source = wikitext.replace("\r\n", "\n")
    by_title: dict[str, list[Key]] = defaultdict(list)
    for key in extra.elements():
        by_title[key[0]].append(key)
    left = Counter(extra)
    # Of several links with one key, those with a reason to be missing are taken for the missing.
    for link in sorted(theirs, key=lambda link: (not link.doubt, link.position)):
        key = _key(link)
        if link.apart or not missing[key]:
            continue
        missing[key] -= 1
        context = source[max(0, link.position - 60) : link.position + 90]
        pair = next((other for other in by_title[key[0]] if left[other]), None)
        cause = link.doubt or ("anchor read differently" if pair else "not found")
        explained = bool(link.doubt)
        tally.differences.append(Difference("missing", cause, explained, page, key, context))
        if pair is not None:
            left[pair] -= 1
            tally.differences.append(Difference("extra", cause, explained, page, pair, context))
    for key in left.elements():
        places = [link.apart for link in theirs if _key(link) == key and link.apart]
        cause = f"the oracle has it in: {places[0]}" if places else "the oracle has no such link"
        tally.differences.append(Difference("extra", cause, False, page, key, ""))
