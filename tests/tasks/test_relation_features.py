"""Model input for relations: markers, two entities, windows, empty mentions."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from relation_models import example, for_relations

from exonym.objectives.loss import IGNORED
from exonym.tasks.relation import RelationExample, RelationSettings, Span
from exonym.tasks.relation.features import batch_of, encode
from exonym.text import AnnotatedText
from exonym.tokenization import EncodedText, EntityTokenizer

WIDE = RelationSettings(500)


def shown(text: EncodedText, tokenizer: EntityTokenizer) -> str:
    pieces = [tokenizer.words.piece(int(identifier)) for identifier in text.input_ids]
    return "".join(pieces).replace("▁", " ")


def test_markers_stand_around_both_mentions_whichever_comes_first(
    tokenizer: EntityTokenizer,
) -> None:
    made = for_relations(tokenizer)
    one = example("Tokyo is the capital of Japan.", "Japan", "Tokyo")
    (feature,) = encode([one], made, WIDE)
    assert shown(feature.text, made) == (
        "<s><ent2> Tokyo<ent2> is the capital of<ent> Japan<ent>.</s>"
    )
    (head, tail) = feature.text.spans
    words = made.words.added.markers
    assert feature.text.input_ids[head[0]] == feature.text.input_ids[head[1] - 1] == words[0]
    assert feature.text.input_ids[tail[0]] == feature.text.input_ids[tail[1] - 1] == words[1]
    entities = made.entities
    assert feature.text.entity_ids.tolist() == [entities.mask_row, entities.mask2_row]
    assert feature.length == len(feature.text.input_ids) + 2


def test_an_empty_mention_is_two_markers(tokenizer: EntityTokenizer) -> None:
    made = for_relations(tokenizer)
    one = example("Tokyo is the capital of ", "Tokyo", "")
    both = replace(one, head=Span(24, 24))
    features = encode([one, both], made, WIDE)
    assert shown(features[0].text, made).startswith("<s><ent> Tokyo<ent> is the capital of")
    assert shown(features[0].text, made).endswith("<ent2><ent2></s>")
    assert shown(features[1].text, made).endswith("<ent2><ent2><ent><ent></s>")
    for feature in features:
        assert (feature.text.spans[:, 1] - feature.text.spans[:, 0] >= 2).all()
        assert not feature.text.cut_pieces


texts = st.text(st.sampled_from("ab 東京 Tokyoéß."), min_size=1, max_size=40).filter(str.strip)


@given(texts, st.data(), st.integers(10, 60))
@settings(max_examples=100)
def test_any_two_spans_of_any_text_are_encoded_within_the_limit(
    tokenizer: EntityTokenizer, text: str, data: st.DataObject, most: int
) -> None:
    spans = []
    for _ in range(2):
        start = data.draw(st.integers(0, len(text)))
        end = data.draw(st.integers(start, len(text)))
        spans.append(Span(start, end if text[start:end].strip() else start))
    made = for_relations(tokenizer)
    one = RelationExample("1", AnnotatedText(text * 3, "ja"), spans[0], spans[1])
    (feature,) = encode([one], made, RelationSettings(most))
    encoded = feature.text
    assert len(encoded.input_ids) <= most
    for (start, end), marker in zip(encoded.spans, made.words.added.markers, strict=True):
        assert np.count_nonzero(encoded.input_ids == marker) == 2
        assert 0 < start < end < len(encoded.input_ids)
        if spans[0].end <= spans[1].start or spans[1].end <= spans[0].start:
            assert encoded.input_ids[start] == encoded.input_ids[end - 1] == marker


def test_long_texts_are_cut_around_both_mentions_and_counted(tokenizer: EntityTokenizer) -> None:
    made = for_relations(tokenizer)
    filling = "and its largest city " * 12
    near = example(f"{filling}Tokyo is in Japan {filling}", "Tokyo", "Japan")
    far = example(f"{filling}Tokyo {filling}Japan {filling}", "Tokyo", "Japan")
    long = example(f"{'Tokyo' * 30} in {'Japan' * 30}", "Tokyo" * 30, "Japan" * 30)
    counts: Counter[str] = Counter()
    features = encode([near, far, long], made, RelationSettings(32), counts=counts)
    assert [len(feature.text.input_ids) for feature in features] == [32, 32, 32]
    assert counts["texts cut to a window around both mentions"] == 3
    assert counts["texts cut between the mentions as well"] == 2
    assert counts["texts whose mentions were shortened"] == 1
    for feature in features[:2]:
        assert "<ent> Tokyo<ent>" in shown(feature.text, made)
        assert "<ent2> Japan<ent2>" in shown(feature.text, made)
    lengths = features[2].text.spans[:, 1] - features[2].text.spans[:, 0]
    assert lengths.tolist() == [15, 15]


def test_words_alone_have_no_entities_but_the_places_of_their_markers(
    tokenizer: EntityTokenizer,
) -> None:
    made = for_relations(tokenizer)
    examples = [
        example("Tokyo is the capital of Japan.", "Japan", "Tokyo"),
        example("Berlin ist die Hauptstadt von Deutschland, München die von Bayern.",
                "Berlin", "Bayern"),
    ]  # fmt: skip
    features = encode(examples, made, RelationSettings(500, variant="words"))
    batch = batch_of(features, made)
    assert set(batch) == {"input_ids", "attention_mask", "marker_positions"}
    markers = np.array(made.words.added.markers)
    at = batch["marker_positions"].numpy()
    assert (np.take_along_axis(batch["input_ids"].numpy(), at, axis=1) == markers).all()
    assert [feature.length for feature in features] == batch["attention_mask"].sum(1).tolist()


def test_labels_become_rows_and_unknown_ones_are_counted(tokenizer: EntityTokenizer) -> None:
    made, counts = for_relations(tokenizer), Counter[str]()
    examples = [
        example("Tokyo in Japan", "Tokyo", "Japan", label) for label in ("b", "other", None)
    ]
    features = encode(examples, made, WIDE, {"a": 0, "b": 1}, counts)
    assert [feature.target for feature in features] == [1, IGNORED, IGNORED]
    assert counts["labels that the model does not know"] == 1


@pytest.mark.parametrize("most", [7, 0, 3.5, "9"])
def test_impossible_settings_are_refused(most: object) -> None:
    from exonym.foundation.errors import ConfigError

    with pytest.raises(ConfigError, match="max_length must be"):
        RelationSettings(most)  # type: ignore[arg-type]
