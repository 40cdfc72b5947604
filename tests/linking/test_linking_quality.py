"""What `tools/measure_linking.py` counts as right, wrong, and neither."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from linking_world import ATLANTA, COUNTRY, GERMAN, MUNICH, STATE, TBILISI

from exonym.knowledge import KnowledgeBase
from exonym.linking import Linker
from exonym.text import AnnotatedText, Mention
from exonym.wikimedia import open_dump

sys.path.append(str(Path(__file__).resolve().parents[2] / "tools"))
from linking_quality.gold import (
    EMPTY,
    Gold,
    held_out_sentences,
    is_tested,
    paragraphs_to_test,
    write_without_tested,
)
from linking_quality.page import tables
from linking_quality.scores import Items, score_detection, score_disambiguation


def gold(text: str, *links: tuple[str, str], named: frozenset[str] = frozenset()) -> Gold:
    mentions = tuple(
        Mention(text.index(word), text.index(word) + len(word), key) for word, key in links
    )
    return Gold(AnnotatedText(text, "en", mentions), named, "page")


def mean(items: Items, measure: str) -> float:
    found: float = items.estimates()[measure]["languages"]["en"]["mean"]
    return found


def test_spans_are_right_or_wrong_and_names_of_the_page_are_neither(linker: Linker) -> None:
    items = Items()
    golds = [
        # Atlanta is found, Tbilisi is no link, the Caucasus is not found.
        gold("Atlanta, Tbilisi, Caucasus", ("Atlanta", ATLANTA), ("Caucasus", MUNICH)),
        gold("Munich or Atlanta", ("Atlanta", ATLANTA), named=frozenset({MUNICH})),
    ]
    score_detection(linker, golds, items)
    assert mean(items, "precision") == pytest.approx(2 / 3, abs=1e-4)
    assert mean(items, "recall") == pytest.approx(2 / 3, abs=1e-4)
    assert mean(items, "F1") == pytest.approx(2 * 2 / (3 + 3), abs=1e-4)
    assert items.counts["en"]["links"] == 3


def test_names_with_several_candidates_are_asked(linker: Linker) -> None:
    items = Items()
    golds = [
        gold("Georgia and Atlanta", ("Georgia", STATE), ("Atlanta", ATLANTA)),
        gold("Georgia and Munich", ("Georgia", COUNTRY), ("Munich", TBILISI)),
    ]
    score_disambiguation({"prior": linker, "same": linker}, golds, items)
    assert mean(items, "accuracy of prior") == mean(items, "accuracy of same") == 0.5
    assert mean(items, "accuracy of same, prior wrong") == 0.0
    assert items.counts["en"] == {
        "links whose entity is a candidate": 3,
        "links whose entity is no candidate": 1,
    }
    assert "| en | 50.0 (" in tables({"estimates": items.estimates(), "counts": items.counts})


def test_tested_pages_lose_their_text_and_no_other_does(
    world: KnowledgeBase, tmp_path: Path
) -> None:
    source = world.path.parent / "dumps" / "dewiki-20260101-pages-articles.xml"
    pages, emptied = write_without_tested(source, tmp_path / "de.xml", 0, 2)
    tested = {title for title, _ in GERMAN if is_tested(title, 0, 2)}
    assert (pages, emptied) == (len(GERMAN), len(tested))
    assert 0 < emptied < pages
    kept = {page.title: page.text for page in open_dump(tmp_path / "de.xml")}
    assert kept == {title: EMPTY if title in tested else text for title, text in GERMAN}
    found = list(paragraphs_to_test(world, source, 0, 2))
    assert {one.cluster for one in found} <= {f"de:{title}" for title in tested}
    assert all(mention.entity in world for one in found for mention in one.text.mentions)


def test_sentences_that_were_told_are_not_held_out(world: KnowledgeBase) -> None:
    assert held_out_sentences(world, world, "en", 10) == []
