"""From text to links: spans, covers, languages, batches, processes."""

from __future__ import annotations

import os
import pickle
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import linking_world
import pytest
from hypothesis import given
from hypothesis import strategies as st
from linking_world import ATLANTA, COUNTRY, MUNICH, NEW_YORK, STATE, TBILISI, YORK

from exonym.foundation.errors import ConfigError, InputError
from exonym.knowledge import KnowledgeBase
from exonym.linking import Linked, Linker, LinkingOptions
from exonym.linking.linker import NAMES
from exonym.text import AnnotatedText, Mention

PIECES = (
    "Georgia", "GEORGIA", "Mu\u0308nchen", "München", "New York", "トビリシ", "Ｙｏｒｋ", "ß", "İ",
    " ", "\n", "\t", "'", "-", ".", "\u200b", "\u202e", "\u0301", "\ud800", "\udc00", "\0", "한",
    "\u1112\u1161",
)  # fmt: skip
NASTY = st.lists(st.one_of(st.sampled_from(PIECES), st.text(max_size=3)), max_size=12).map("".join)


def linked_to(result: Linked) -> list[tuple[str, str | None]]:
    return [(link.surface, link.entity) for link in result.links]


def assert_consistent(result: Linked, text: str) -> None:
    assert result.text.text == text
    for link in result.links:
        assert text[link.start : link.end] == link.surface
        assert 0 <= link.start < link.end <= len(text)
        assert 0 <= link.link_probability <= 1
        assert sum(one.prior for one in link.candidates) <= 1 + 1e-9
        scores = [one.score for one in link.candidates]
        assert scores == sorted(scores, reverse=True)
        if link.entity is not None:
            assert (link.entity, link.score) == (link.candidates[0].entity, scores[0])
    assert result.text.mentions == tuple(
        Mention(link.start, link.end, link.entity, link.score)
        for link in result.links
        if link.entity is not None
    )


def test_names_are_found_and_linked(linker: Linker) -> None:
    text = "Georgia has its seat in Tbilisi."
    result = linker(text, "en")
    assert linked_to(result) == [("Georgia", COUNTRY), ("Tbilisi", TBILISI)]
    assert [link.start for link in result.links] == [0, 24]
    assert result.text.language == "en"
    assert_consistent(result, text)


def test_the_language_decides(linker: Linker) -> None:
    assert linked_to(linker("Georgia", "en")) == [("Georgia", COUNTRY)]
    assert linked_to(linker("Georgia", "de")) == [("Georgia", STATE)]


def test_several_languages_in_one_text(linker: Linker) -> None:
    result = linker("München, トビリシ市 und New York", "de")
    assert linked_to(result) == [("München", MUNICH), ("トビリシ", TBILISI), ("New York", NEW_YORK)]


def test_covers(world: KnowledgeBase) -> None:
    def link(cover: str) -> list[tuple[str, str | None]]:
        options = LinkingOptions(cover=cover)  # type: ignore[arg-type]
        return linked_to(Linker.open(world, options=options)("In New York", "en"))

    assert link("longest") == link("best") == [("New York", NEW_YORK)]
    assert link("all") == [("New York", NEW_YORK), ("York", YORK)]


def test_seldom_linked_names_are_left_alone(world: KnowledgeBase) -> None:
    probability = Linker.open(world)("York", "en").links[0].link_probability
    assert 0 < probability < 1
    for least, found in ((probability, 1), (probability + 1e-6, 0)):
        options = LinkingOptions(min_link_probability=least)
        assert len(Linker.open(world, options=options)("York", "en").links) == found


def test_what_is_too_uncertain_is_nil(world: KnowledgeBase, linker: Linker) -> None:
    best = linker("Georgia", "en").links[0]
    assert best.entity == COUNTRY
    strict = Linker.open(world, options=LinkingOptions(nil_threshold=best.score + 1e-6))
    (link,) = strict("Georgia", "en").links
    assert (link.entity, link.score, link.candidates) == (None, best.score, best.candidates)
    assert link.why.startswith("NIL")
    assert strict("Georgia", "en").text.mentions == ()
    exact = Linker.open(world, options=LinkingOptions(nil_threshold=best.score))
    assert exact("Georgia", "en").links[0].entity == COUNTRY


def test_every_link_says_why(linker: Linker) -> None:
    by_prior, only = linker("Georgia has Tbilisi", "en").links
    assert by_prior.why.startswith("by the prior")
    assert STATE in by_prior.why
    assert only.why == "the only candidate"


def test_mentions_that_come_with_a_text_are_linked_as_they_are(linker: Linker) -> None:
    mentions = (
        Mention(21, 28), Mention(0, 7, "Q42", 0.5), Mention(0, 7), Mention(8, 9), Mention(29, 31),
    )  # fmt: skip
    text = AnnotatedText("Georgia  and nothing Tbilisi of it", "en", mentions, "en:Source")
    result = linker(text, detect=False)
    assert [(link.start, link.end) for link in result.links] == [(m.start, m.end) for m in mentions]
    assert [link.entity for link in result.links] == [TBILISI, "Q42", COUNTRY, None, None]
    assert [link.link_probability for link in result.links] == [1.0] * 5
    assert result.links[1].score == 0.5
    assert result.links[1].why == "it came with the text"
    assert result.links[3].score == 0.0
    assert result.links[3].candidates == ()
    assert result.text.source == "en:Source"
    assert len(result.text.mentions) == 3


def test_mentions_are_found_anew_where_detection_is_on(linker: Linker) -> None:
    text = AnnotatedText("Georgia", "en", (Mention(0, 3, "Q42"),))
    assert linked_to(linker(text)) == [("Georgia", COUNTRY)]


def test_an_annotated_text_is_in_its_own_language(linker: Linker) -> None:
    assert linker(AnnotatedText("Georgia", "de"), "en").links[0].entity == STATE
    assert linker(AnnotatedText("Georgia", "und"), "en").links[0].entity == COUNTRY


def test_a_language_that_nobody_gives_is_found_out(linker: Linker) -> None:
    german = linker("Das ist ein Satz über den Staat Georgia, wie man ihn oft liest.")
    assert (german.text.language, german.links[-1].entity) == ("de", STATE)
    english = linker("This is a sentence about Georgia, as people often read it.")
    assert (english.text.language, english.links[0].entity) == ("en", COUNTRY)
    assert linker("トビリシである。").text.language == "ja"
    assert linker("12 + 30").text.language == "und"


@given(text=NASTY)
def test_any_string_can_be_linked(text: str, keep_all: Linker) -> None:
    assert_consistent(keep_all(text, "en"), text)


@given(texts=st.lists(NASTY, max_size=5), language=st.sampled_from(["en", "de", "xx"]))
def test_texts_are_linked_together_as_alone(
    texts: list[str], language: str, linker: Linker
) -> None:
    together = linker.link(texts, language=language)
    assert together == [linker(text, language) for text in texts]


@given(text=NASTY, data=st.data())
def test_any_span_can_be_a_mention(text: str, data: st.DataObject, linker: Linker) -> None:
    text += "x"
    places = st.tuples(st.integers(0, len(text) - 1), st.integers(1, 9))
    spans = data.draw(st.lists(places, max_size=5))
    mentions = tuple(Mention(a, min(a + size, len(text))) for a, size in spans)
    result = linker(AnnotatedText(text, "en", mentions), detect=False)
    assert_consistent(result, text)
    assert [(link.start, link.end) for link in result.links] == [(m.start, m.end) for m in mentions]


def test_pipe_is_lazy_and_keeps_the_order(linker: Linker) -> None:
    read = []

    def texts() -> Iterator[str]:
        for number in range(100):
            read.append(number)
            yield f"Georgia {number} Tbilisi" if number % 2 else "Atlanta"

    results = linker.pipe(texts(), language="en", batch_size=3)
    assert next(results).links[0].entity == ATLANTA
    assert len(read) <= 6
    rest = list(results)
    assert [linked_to(r)[0][0] for r in rest] == ["Georgia", "Atlanta"] * 49 + ["Georgia"]
    assert list(linker.pipe([], language="en")) == []


def test_processes_give_the_same(linker: Linker) -> None:
    texts = [f"Georgia {number} Tbilisi \ud800" for number in range(7)]
    alone = list(linker.pipe(texts, language="en", batch_size=2))
    assert list(linker.pipe(texts, language="en", batch_size=2, processes=2)) == alone


def test_a_linker_can_be_pickled(linker: Linker) -> None:
    again = pickle.loads(pickle.dumps(linker))
    assert again("Georgia", "en") == linker("Georgia", "en")


@pytest.mark.parametrize("bad", [{"batch_size": 0}, {"processes": 0}])
def test_impossible_batches_are_refused(bad: dict[str, int], linker: Linker) -> None:
    with pytest.raises(ConfigError, match="at least 1"):
        linker.pipe(["x"], language="en", **bad)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("cover", "widest"),
        ("order", "any"),
        ("scorer", "luck"),
        ("min_link_probability", 1.5),
        ("nil_threshold", -0.1),
        ("nil_threshold", float("nan")),
        ("most_candidates", 0),
        ("prior_weight", -1.0),
        ("prior_weight", float("inf")),
    ],
)
def test_impossible_options_are_refused(field: str, value: object) -> None:
    with pytest.raises(ConfigError, match=field):
        LinkingOptions(**{field: value})  # type: ignore[arg-type]


@pytest.mark.parametrize("scorer", ["words", "entities"])
def test_a_model_is_asked_for_where_it_is_needed(scorer: str, world: KnowledgeBase) -> None:
    with pytest.raises(ConfigError, match="needs a model"):
        Linker.open(world, options=LinkingOptions(scorer=scorer))  # type: ignore[arg-type]


def test_the_index_lies_beside_the_knowledge_base_and_is_made_once(
    world: KnowledgeBase, linker: Linker
) -> None:
    index = world.path.with_name("kb.linking") / NAMES
    before = (index / "manifest.json").stat().st_mtime_ns
    assert Linker.open(world.path)("Georgia", "en") == linker("Georgia", "en")
    assert (index / "manifest.json").stat().st_mtime_ns == before


def test_the_index_follows_the_knowledge_base(tmp_path: Path) -> None:
    kb = linking_world.build(tmp_path)
    assert linked_to(Linker.open(kb)("Zzyzx", "en")) == []
    shutil.rmtree(tmp_path / "dumps")
    changed = linking_world.build(tmp_path, more=" See [[Atlanta|Zzyzx]].")
    assert linked_to(Linker.open(changed)("Zzyzx", "en")) == [("Zzyzx", ATLANTA)]


def test_a_damaged_index_is_made_anew(world: KnowledgeBase, tmp_path: Path) -> None:
    Linker.open(world, index=tmp_path / "elsewhere")
    for file in (tmp_path / "elsewhere" / NAMES).glob("*.npy"):
        file.write_bytes(b"")
    again = Linker.open(world, index=tmp_path / "elsewhere")
    assert again("Georgia", "en").links[0].entity == COUNTRY


def test_an_index_that_cannot_be_written_is_one_line(world: KnowledgeBase, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match=r"cannot be written.*index=DIR"):
        Linker.open(world, index=tmp_path / "file" / "below")


def test_linking_by_the_prior_never_loads_torch(world: KnowledgeBase) -> None:
    code = (
        "import sys; from exonym.linking import Linker;"
        f"assert Linker.open({str(world.path)!r})('Georgia', 'en').links;"
        "sys.exit('torch' in sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True, env=dict(os.environ))
