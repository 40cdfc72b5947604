"""Predicting, training and measuring relations; the same numbers as transformers' own head."""

from __future__ import annotations

import gzip
import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from relation_models import LABELS, example, relation_model

from exonym.foundation.errors import ConfigError, FormatError, InputError
from exonym.linking.linked import Linked
from exonym.modeling import EntityMaskedLM
from exonym.tasks import relation
from exonym.tasks.relation import (
    Dataset,
    Learner,
    RelationExample,
    RelationExtractor,
    RelationModel,
    RelationSettings,
    Span,
    evaluate,
    fine_tune,
    load,
    show_examples,
)
from exonym.tasks.relation.features import encode
from exonym.text import AnnotatedText, Mention
from exonym.tokenization import EntityTokenizer
from exonym.training.fine_tuning import FineTuning

TEXT = "Tokyo is the capital of Japan and its largest city."
GOLDEN = Path(__file__).parent / "golden" / "relation"
TOKENIZER = Path(__file__).parents[1] / "tokenization" / "golden" / "style2021"
VARIANTS = [RelationSettings(58), RelationSettings(58, variant="words")]


@pytest.fixture
def extractor(tokenizer: EntityTokenizer) -> RelationExtractor:
    return RelationExtractor(relation_model(tokenizer))


@pytest.fixture
def released(tmp_path: Path) -> Path:
    """A checkpoint as transformers writes it, beside its tokenizer."""
    directory = tmp_path / "released"
    shutil.copytree(TOKENIZER, directory)
    for name in ("config.json", "model.safetensors"):
        shutil.copy(GOLDEN / name, directory / name)
    return directory


def test_a_released_head_gives_what_transformers_gives(released: Path) -> None:
    expected = json.loads(gzip.decompress((GOLDEN / "expected.json.gz").read_bytes()))
    examples = [
        RelationExample(
            "", AnnotatedText(one["text"], "und"), Span(*one["head"]), Span(*one["tail"])
        )
        for one in expected
    ]
    opened = load(released)
    assert opened.model.settings == RelationSettings(128, "hf")
    features = encode(examples, opened.model.tokenizer, opened.model.settings)
    assert [f.text.input_ids.tolist() for f in features] == [one["ids"] for one in expected]
    logits = torch.tensor([one["logits"] for one in expected], dtype=torch.float64)
    shares = opened.model.probabilities(features, batch_size=4)
    np.testing.assert_allclose(shares, logits.softmax(-1), atol=1e-6)
    assert np.ptp(shares, axis=0).max() > 0.02  # examples differ by much more than they may be off
    predicted = [one.label for one in opened.predict(examples, batch_size=3)]
    assert predicted == [opened.labels[row] for row in logits.argmax(-1)]


def test_a_pair_is_given_as_places_or_as_mentions(extractor: RelationExtractor) -> None:
    (one,) = extractor(TEXT, (0, 5), (24, 29), language="en")
    (other,) = extractor(AnnotatedText(TEXT, "en", (Mention(0, 5, "Q1"), Mention(24, 29))))
    assert (one.label, one.score) == (other.label, other.score)
    assert (one.head.text, one.tail.text) == ("Tokyo", "Japan")
    assert (one.head.entity, other.head.entity, other.tail.entity) == (None, "Q1", None)
    assert one.label in LABELS
    assert 1 / len(LABELS) <= one.score <= 1
    assert one.to_json()["tail"] == {"start": 24, "end": 29, "text": "Japan", "entity": None}


def test_of_several_mentions_every_two_are_asked_in_both_directions(
    extractor: RelationExtractor,
) -> None:
    mentions = (Mention(0, 5), Mention(24, 29), Mention(38, 50))
    text = AnnotatedText(TEXT, "en", mentions)
    every = extractor(text, negatives=True)
    assert len({(one.head.start, one.tail.start) for one in every}) == len(every) == 6
    found = extractor(text)
    assert found == [one for one in every if one.label != "no_relation"]


def test_a_linker_finds_mentions_and_entities(tokenizer: EntityTokenizer) -> None:
    def linker(text: AnnotatedText) -> Linked:
        mentions = (Mention(0, 5, "Q10"), Mention(24, 29, "Q11"))
        return Linked(AnnotatedText(text.text, text.language, mentions), ())

    model = RelationExtractor(relation_model(tokenizer), linker)
    found = model(TEXT, language="en", negatives=True)
    assert [(one.head.entity, one.tail.entity) for one in found] == [("Q10", "Q11"), ("Q11", "Q10")]
    nothing = RelationExtractor(model.model, lambda text: Linked(text, ()))
    assert nothing(TEXT, language="en") == []


@pytest.mark.parametrize("settings", VARIANTS)
def test_order_and_batches_change_nothing(
    tokenizer: EntityTokenizer, settings: RelationSettings
) -> None:
    model = RelationExtractor(relation_model(tokenizer, settings))
    words = TEXT.split()
    examples = [
        example(" ".join(words[:size]), words[0], words[size - 1])
        for size in (3, 9, 5, 10, 2, 4, 9)
    ]
    alone = [next(model.predict([one])) for one in examples]
    together = list(model.predict(iter(examples), batch_size=3))
    assert [one.label for one in together] == [one.label for one in alone]
    assert [one.score for one in together] == pytest.approx([one.score for one in alone], abs=1e-6)
    assert len({one.score for one in alone}) > 3


def test_words_alone_see_no_entity(tokenizer: EntityTokenizer) -> None:
    model = relation_model(tokenizer, VARIANTS[1])
    features = encode([example(TEXT, "Tokyo", "Japan")], model.tokenizer, model.settings)
    before = model.probabilities(features)
    with torch.no_grad():
        model.model.luke.entity_embeddings.entity_embeddings.weight.normal_()
    assert (model.probabilities(features) == before).all()


@pytest.mark.parametrize("settings", VARIANTS)
def test_states_are_what_the_classifier_sees(
    tokenizer: EntityTokenizer, settings: RelationSettings
) -> None:
    model = relation_model(tokenizer, settings)
    examples = [example(TEXT, "Tokyo", "Japan"), example("Tokyo in Japan", "Japan", "Tokyo")]
    features = encode(examples, model.tokenizer, model.settings)
    states = torch.from_numpy(model.states(features)).float()
    with torch.no_grad():
        shares = model.model.classifier(states).double().softmax(-1)
    np.testing.assert_allclose(shares, model.probabilities(features), atol=1e-6)


@pytest.mark.parametrize("settings", VARIANTS)
def test_a_saved_model_predicts_as_before(
    tokenizer: EntityTokenizer, settings: RelationSettings, tmp_path: Path
) -> None:
    model = relation_model(tokenizer, settings)
    model.save_pretrained(tmp_path / "saved")
    opened = load(tmp_path / "saved")
    assert opened.model.settings == settings
    examples = [example(TEXT, "Tokyo", "Japan"), example(TEXT, "Japan", "Tokyo")]
    assert list(opened.predict(examples)) == list(RelationExtractor(model).predict(examples))


def test_what_cannot_be_asked_is_refused_in_one_line(extractor: RelationExtractor) -> None:
    for wrong, said in (
        (lambda: extractor(TEXT), "this text has 0"),
        (lambda: extractor(TEXT, (0, 5)), "go together"),
        (lambda: extractor(TEXT, (0, 5), (40, 90)), "no span of a text of 51 characters"),
        (lambda: extractor(AnnotatedText(TEXT, "en", (Mention(0, 5),))), "this text has 1"),
        (lambda: list(extractor.predict([], batch_size=0)), "batch_size must be at least 1"),
        (lambda: list(extractor.predict([AnnotatedText(TEXT, "en")])), "found 0"),
        (lambda: list(extractor.predict([TEXT])), "expected a RelationExample, .* got str"),  # type: ignore[list-item]
        (lambda: next(extractor.predict(TEXT)), "got one str"),  # type: ignore[arg-type]
        (lambda: extractor([TEXT]), "expected a string or an AnnotatedText, got list"),  # type: ignore[arg-type]
    ):
        call: Callable[[], object] = wrong
        with pytest.raises(InputError, match=said) as raised:
            call()
        assert "\n" not in str(raised.value)


def world() -> tuple[RelationExample, ...]:
    """A relation that only the order of head and tail tells, and one that only a word tells."""
    made = []
    for number, (a, b) in enumerate([("Tokyo", "Japan"), ("Berlin", "Kenya"), ("Paris", "Bayern"),
                                     ("Nairobi", "France")]):  # fmt: skip
        capital, other = f"{a} is the capital of {b}.", f"{a} and {b}."
        made += [
            example(capital, a, b, "capital(e1,e2)", number=f"{number}a"),
            example(capital, b, a, "capital(e2,e1)", number=f"{number}b"),
            example(other, a, b, "no_relation", number=f"{number}c"),
        ]
    return tuple(made)


@pytest.fixture
def backbone(tokenizer: EntityTokenizer, tmp_path: Path) -> Path:
    from relation_models import config_of

    torch.manual_seed(1)
    config = replace(config_of(tokenizer), initializer_range=0.05)
    directory = tmp_path / "backbone"
    EntityMaskedLM(config).save_pretrained(directory)
    EntityTokenizer(tokenizer.words, tokenizer.entities).save_pretrained(directory)
    return directory


@pytest.mark.parametrize("variant", ["entities", "words"])
def test_fine_tuning_learns(backbone: Path, variant: str) -> None:
    dataset = Dataset(world(), "jsonl", "utf-8")
    recipe = FineTuning(
        learning_rate=1e-2, batch_size=4, steps=36, validate_steps=12, precision="float32"
    )
    settings = RelationSettings(40, variant=variant)  # type: ignore[arg-type]
    trained = fine_tune(backbone, dataset, dataset, recipe, settings=settings, progress=False)
    scores = evaluate(RelationExtractor(trained.model), dataset)
    assert scores.macro_f1 > 0.9
    assert trained.history.scores["macro_f1"] == scores.macro_f1
    assert not trained.counts


def test_fine_tuning_repeats_to_the_bit(backbone: Path) -> None:
    dataset = Dataset(world(), "jsonl", "utf-8")
    recipe = FineTuning(learning_rate=1e-2, batch_size=4, steps=3, precision="float32")
    first, second = (
        fine_tune(
            backbone, dataset, None, recipe, settings=VARIANTS[0], progress=False
        ).model.model.state_dict()
        for _ in range(2)
    )
    assert all(torch.equal(first[name], second[name]) for name in first)


def test_markers_and_mask2_start_from_what_pretraining_saw(backbone: Path) -> None:
    model = RelationModel.new(backbone, LABELS, seed=3)
    rows = model.model.luke.entity_embeddings.entity_embeddings.weight
    entities = model.tokenizer.entities
    assert torch.equal(rows[entities.mask2_row], rows[entities.mask_row])
    again = RelationModel.new(backbone, LABELS, seed=3).model.classifier.weight
    assert torch.equal(model.model.classifier.weight, again)
    other = RelationModel.new(backbone, LABELS, seed=4).model.classifier.weight
    assert not torch.equal(again, other)


def test_a_learner_leaves_out_what_it_cannot_learn_and_says_so(backbone: Path) -> None:
    model = RelationModel.new(backbone, LABELS[:3])
    examples = [*world(), example("Tokyo in Japan", "Tokyo", "Japan", "strange"),
                example("Tokyo in Japan", "Tokyo", "Japan")]  # fmt: skip
    learner = Learner(model, Dataset(tuple(examples), "jsonl", "utf-8"))
    assert len(learner.features) == len(world())
    assert learner.counts["examples without a label that the model knows"] == 2
    assert learner.validate() == {}
    with pytest.raises(InputError, match="no example to train on"):
        Learner(model, Dataset(tuple(examples[-2:]), "jsonl", "utf-8"))


def test_every_language_is_measured_by_itself(extractor: RelationExtractor) -> None:
    examples = [
        replace(one, text=replace(one.text, language=code))
        for code in ("sw", "de") for one in world()
    ]  # fmt: skip
    predicted = [one.label for one in extractor.predict(examples[:12])]
    rows = evaluate(extractor, Dataset(tuple(examples), "jsonl", "utf-8")).rows()
    assert [row["language"] for row in rows] == ["de", "sw", "mean"]
    right = sum(one.label == label for one, label in zip(examples[:12], predicted, strict=True))
    assert rows[0]["accuracy"] == rows[1]["accuracy"] == right / 12
    assert rows[0]["relations"] == 2  # those of the model: capital, lies_in
    with pytest.raises(InputError, match="no example with a label"):
        evaluate(extractor, Dataset((example(TEXT, "Tokyo", "Japan"),), "jsonl", "utf-8"))


def test_checkpoints_that_do_not_fit_are_refused(
    tokenizer: EntityTokenizer, backbone: Path, tmp_path: Path
) -> None:
    with pytest.raises(FormatError, match="classifier"):
        load(backbone)
    with pytest.raises(ConfigError, match="takes at most 58"):
        RelationModel.new(backbone, LABELS, RelationSettings(59))
    with pytest.raises(InputError, match="two labels at least"):
        RelationModel.new(backbone, ["one"])
    relation_model(tokenizer).save_pretrained(tmp_path / "saved")
    config = json.loads((tmp_path / "saved" / "config.json").read_text())
    config["exonym_relation"]["colour"] = "blue"
    (tmp_path / "saved" / "config.json").write_text(json.dumps(config))
    with pytest.raises(ConfigError, match="unknown setting 'colour'"):
        load(tmp_path / "saved")


def test_examples_are_shown_as_the_model_sees_them(tokenizer: EntityTokenizer) -> None:
    (shown,) = show_examples([example(TEXT, "Tokyo", "Japan", "capital")], tokenizer)
    assert "<ent> ▁Tokyo <ent>" in shown
    assert "capital" in shown
    assert "[MASK] over the pieces [1, 4)" in shown


def test_transfer_from_english_is_measured_on_real_files(
    extractor: RelationExtractor, shared_data: Path
) -> None:
    """The labels are not this model's: all is wrong, and nothing fails."""
    dataset = relation.read_examples(shared_data / "relx" / "RELX_de.txt")
    scores = evaluate(extractor, replace(dataset, examples=dataset.examples[:60]))
    (row,) = scores.rows()
    assert row["macro_f1"] == 0
    assert row["relations"] >= 12
