"""Tags mean the same entities in every scheme, and schemes are told apart."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from ner_twins import conlleval, draw_tags

from exonym.tasks.ner.metrics import score
from exonym.tasks.ner.records import Gold
from exonym.tasks.ner.tagging import (
    Chunk,
    Tag,
    chunks,
    detect_scheme,
    is_phrase_tag,
    odd_tags,
    parse_tag,
)

TYPES = ("LOC", "PER", "ORG")


def tags(text: str) -> list[Tag]:
    found = [parse_tag(word) for word in text.split()]
    assert None not in found
    return [tag for tag in found if tag]


def write(entities: list[Chunk], length: int, scheme: str) -> list[str]:
    """The tags of entities that do not overlap, in a scheme; of BILOU and BMES, too."""
    names = {"BILOU": "BILU", "BMES": "BMES"}.get(scheme, "BIES")
    written = ["O"] * length
    for number, (start, end, kind) in enumerate(entities):
        behind = number > 0 and entities[number - 1].end == start
        behind = behind and entities[number - 1].type == kind
        for place in range(start, end):
            first, last = place == start, place == end - 1
            if scheme == "IO" or (scheme == "IOB1" and not (first and behind)):
                prefix = "I"
            elif scheme in ("IOB1", "IOB2"):
                prefix = "B" if first else "I"
            else:
                prefix = names[3 if first and last else 0 if first else 2 if last else 1]
            written[place] = f"{prefix}-{kind}"
    return written


@st.composite
def sentences(draw: st.DrawFn) -> tuple[list[Chunk], int]:
    found, place = [], 0
    for _ in range(draw(st.integers(0, 6))):
        start = place + draw(st.integers(0, 3))
        place = start + draw(st.integers(1, 4))
        found.append(Chunk(start, place, draw(st.sampled_from(TYPES))))
    return found, place + draw(st.integers(0, 2))


@given(sentences(), st.sampled_from(["IOB1", "IOB2", "BIOES", "BILOU", "BMES"]))
def test_every_scheme_gives_back_the_entities_that_were_written(
    sentence: tuple[list[Chunk], int], scheme: str
) -> None:
    entities, length = sentence
    written = tags(" ".join(write(entities, length, scheme)))
    assert chunks(written) == entities
    family = scheme if scheme.startswith("IOB") else "BIOES"
    assert not list(odd_tags(written, family))  # type: ignore[arg-type]


@given(sentences())
def test_io_joins_only_neighbours_of_one_type(sentence: tuple[list[Chunk], int]) -> None:
    entities, length = sentence
    found = chunks(tags(" ".join(write(entities, length, "IO"))))
    joined: list[Chunk] = []
    for one in entities:
        if joined and joined[-1].end == one.start and joined[-1].type == one.type:
            joined[-1] = Chunk(joined[-1].start, one.end, one.type)
        else:
            joined.append(one)
    assert found == joined


@pytest.mark.parametrize(
    ("text", "scheme"),
    [
        ("O B-LOC I-LOC O", "IOB2"),
        ("I-LOC I-LOC O I-PER", "IO"),
        ("I-LOC B-LOC O I-PER", "IOB1"),
        ("B-LOC E-LOC S-PER", "BIOES"),
        ("B-LOC L-LOC U-PER", "BIOES"),
        ("B-LOC M-LOC E-LOC", "BIOES"),
        ("O O O", "IO"),
    ],
)
def test_the_scheme_is_found_out(text: str, scheme: str) -> None:
    found = detect_scheme([tags(text)])
    assert found.scheme == scheme
    assert found.odd == ()


def test_single_slips_are_named_and_do_not_change_the_scheme() -> None:
    good = tags("B-LOC I-LOC O B-PER")
    found = detect_scheme([good, good, tags("O I-PER O"), good])
    assert found.scheme == "IOB2"
    assert found.odd == ((2, 1),)


def test_an_entity_of_bioes_that_the_sentence_cuts_off_is_odd() -> None:
    assert list(odd_tags(tags("O B-LOC"), "BIOES")) == [1]
    assert list(odd_tags(tags("B-LOC S-LOC E-LOC"), "BIOES")) == [1, 2]


def test_what_is_no_tag_is_none() -> None:
    assert parse_tag("PER") is None
    assert parse_tag("PER", bare=True) == Tag("I", "PER")
    assert parse_tag("art-music", bare=True) == Tag("I", "art-music")
    assert parse_tag("B") == Tag("B", "ENTITY")
    assert parse_tag("X-PER") is None
    assert parse_tag("") is None
    assert is_phrase_tag("B-NP")
    assert not is_phrase_tag("B-PER")


def test_f1_is_conlleval_s_on_any_taggings() -> None:
    rng = random.Random(5)
    for _ in range(300):
        types = TYPES[: rng.randint(1, 3)]
        lengths = [rng.randint(0, 12) for _ in range(rng.randint(1, 5))]
        gold = [draw_tags(rng, length, types) for length in lengths]
        guessed = [
            [tag if rng.random() < 0.7 else draw_tags(rng, 1, types)[0] for tag in sentence]
            for sentence in gold
        ]
        entities = [
            [[Gold(*chunk) for chunk in chunks(tags(" ".join(one)))] for one in side]
            for side in (gold, guessed)
        ]
        scores = score(entities[0], entities[1], ["en"] * len(gold))
        wanted = conlleval(gold, guessed)
        found = {row.label: (row.precision, row.recall, row.f1) for row in scores.rows()}
        assert found.keys() == wanted.keys()
        for name, ratios in wanted.items():
            assert found[name] == pytest.approx(ratios, abs=1e-12), (gold, guessed)
