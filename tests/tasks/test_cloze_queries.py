"""Queries: the spans of subject and object are exact wherever the template puts them."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from exonym.tasks.cloze.features import encode_queries, encode_word_queries, make_query
from exonym.tokenization import EntityTokenizer

TEMPLATES = {
    "The capital of [X] is [Y].": True,
    "[X]: [Y].": True,
    "[Y] is the capital of [X].": True,
    "[Y][X]": True,
    "[X][Y]": False,
    "[X]の首都は[Y]である。": False,
    "[Y]は[X]の首都である。": True,
    "เมืองหลวงของ[X]คือ[Y]": False,
    "Hauptstadt ([Y]) von [X]": False,
    "عاصمة [X] هي [Y].": True,
    "『[X]』―[Y]": False,
}
LABELS = ("Japan", "日本", "Trinidad and Tobago", "กรุงเทพมหานคร", "Côte d’Ivoire", "[X]", "_", "𝔘")
SLOTS = st.permutations(["[X]", "[Y]"])


@pytest.mark.parametrize(("template", "starts_word"), TEMPLATES.items())
@pytest.mark.parametrize("label", LABELS)
def test_subject_and_object_lie_where_the_template_has_them(
    template: str, starts_word: bool, label: str
) -> None:
    query = make_query(template, "Q1", label, "en")
    subject, place = query.text.mentions
    assert (subject.entity, place.entity) == ("Q1", None)
    assert query.text.surface(subject) == label
    assert query.text.surface(place) == "_"
    filled = query.text.text[: place.start] + "\0" + query.text.text[place.end :]
    assert filled == "\0".join(part.replace("[X]", label) for part in template.split("[Y]"))
    assert query.starts_word is starts_word


@given(st.text(max_size=8), st.text(max_size=8), st.text(max_size=8), SLOTS, st.text(min_size=1))
def test_spans_are_exact_for_any_text_around(
    before: str, between: str, after: str, slots: list[str], label: str
) -> None:
    template = before + slots[0] + between + slots[1] + after
    if template.count("[X]") != 1 or template.count("[Y]") != 1:
        return
    query = make_query(template, "Q1", label, "en")
    subject, place = query.text.mentions
    assert query.text.surface(subject) == label
    head, _, tail = template.partition("[Y]")
    assert query.text.text[: place.start] == head.replace("[X]", label)
    assert query.text.text[place.end :] == tail.replace("[X]", label)


@pytest.mark.parametrize("template", TEMPLATES)
@pytest.mark.parametrize("masks", [1, 2, 5])
def test_masks_stand_at_the_object_and_nothing_else_changes(
    template: str, masks: int, tokenizer: EntityTokenizer
) -> None:
    words = tokenizer.words
    query = make_query(template, "Q1", "東京都 Tokyo", "en")
    (plain,) = tokenizer.encode([query.text])
    start, end = plain.spans[1]
    encoded = encode_queries(
        [query], tokenizer, masks=masks, subject_entity=True, object_entity=True, max_length=60
    )
    (ids,) = encoded.batch.input_ids
    expected = [*plain.input_ids[:start], *[words.mask_id] * masks, *plain.input_ids[end:]]
    assert ids.tolist() == expected
    assert encoded.mask_start.tolist() == [start]
    assert (ids == words.mask_id).sum() == encoded.masks == masks


@pytest.mark.parametrize("template", TEMPLATES)
@pytest.mark.parametrize("masks", [1, 3])
def test_entity_positions_cover_the_subject_and_the_masks(
    template: str, masks: int, tokenizer: EntityTokenizer
) -> None:
    query = make_query(template, "Q2", "東京都 Tokyo", "en")
    encoded = encode_queries(
        [query], tokenizer, masks=masks, subject_entity=True, object_entity=True, max_length=60
    )
    batch = encoded.batch
    rows = tokenizer.entities
    assert batch.entity_ids.tolist() == [[int(rows.rows(["Q2"])[0]), rows.mask_row]]
    subject, place = ([int(i) for i in row if i >= 0] for row in batch.entity_position_ids[0])
    assert tokenizer.words.decode(batch.input_ids[0, subject].tolist()) == "東京都 Tokyo"
    first = int(encoded.mask_start[0])
    assert place == list(range(first, first + masks))
    (text,) = batch.texts
    assert len(text.offsets) == len(text.input_ids)
    assert [query.text.text[a:b] for a, b in text.mention_offsets] == ["東京都 Tokyo", "_"]


@pytest.mark.parametrize(
    ("subject", "place", "expected"),
    [(False, False, []), (False, True, ["Y"]), (True, True, ["X", "Y"]), (True, False, ["X"])],
)
def test_only_the_wanted_entities_are_given(
    subject: bool, place: bool, expected: list[str], tokenizer: EntityTokenizer
) -> None:
    queries = [make_query(f"{text} [Y] of [X]", "Q1", "Japan", "en") for text in ("", "the very")]
    batch = encode_queries(
        queries, tokenizer, masks=1, subject_entity=subject, object_entity=place, max_length=60
    ).batch
    known = {int(tokenizer.entities.rows(["Q1"])[0]): "X", tokenizer.entities.mask_row: "Y"}
    assert batch.entity_ids.shape == (2, len(expected))
    assert [[known[int(row)] for row in rows] for rows in batch.entity_ids] == [expected] * 2
    assert batch.entity_attention_mask.all()


@settings(max_examples=30)
@given(
    templates=st.lists(st.sampled_from(sorted(TEMPLATES)), min_size=1, max_size=5),
    label=st.sampled_from(LABELS[:5]),
    masks=st.integers(1, 6),
)
def test_a_batch_is_its_queries_side_by_side(
    templates: list[str], label: str, masks: int, tokenizer: EntityTokenizer
) -> None:
    queries = [make_query(template, "Q1", label, "en") for template in templates]
    options = {"masks": masks, "subject_entity": True, "object_entity": True, "max_length": 60}
    together = encode_queries(queries, tokenizer, **options)
    for index, query in enumerate(queries):
        alone = encode_queries([query], tokenizer, **options)
        length = alone.batch.input_ids.shape[1]
        assert together.mask_start[index] == alone.mask_start[0]
        assert (together.batch.input_ids[index, :length] == alone.batch.input_ids[0]).all()
        assert not together.batch.attention_mask[index, length:].any()
        assert (together.batch.texts[index].spans == alone.batch.texts[0].spans).all()


def test_queries_for_words_are_the_same_without_entities(tokenizer: EntityTokenizer) -> None:
    queries = [make_query(template, "Q1", "東京都 Tokyo", "en") for template in TEMPLATES]
    counts = [3, 1, 6]
    batches = encode_word_queries(queries, tokenizer, masks=counts, max_length=60)
    for count, given_batch in zip(counts, batches, strict=True):
        expected = encode_queries(
            queries,
            tokenizer,
            masks=count,
            subject_entity=False,
            object_entity=False,
            max_length=60,
        )
        assert (given_batch.batch.input_ids == expected.batch.input_ids).all()
        assert (given_batch.batch.attention_mask == expected.batch.attention_mask).all()
        assert (given_batch.mask_start == expected.mask_start).all()
        assert (given_batch.masks, list(given_batch.batch)) == (count, list(expected.batch))
    assert list(encode_word_queries(queries, tokenizer, masks=[], max_length=60)) == []
