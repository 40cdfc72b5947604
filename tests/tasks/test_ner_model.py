"""Models: what transformers says, all three features, files, learning, prediction."""

from __future__ import annotations

import gzip
import json
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from ner_models import made_up, write_checkpoint

from exonym.foundation.errors import ConfigError, FormatError, InputError
from exonym.linking.linked import Link, Linked
from exonym.modeling import EntitySpanClassifier
from exonym.tasks import ner
from exonym.tasks.ner.features import encode
from exonym.tasks.ner.model import batch_of
from exonym.tasks.ner.settings import OTHERS
from exonym.text import AnnotatedText
from exonym.tokenization import EntityTokenizer
from exonym.training.fine_tuning import FineTuning

GOLDEN = Path(__file__).parent / "golden" / "ner"
TOKENIZER = Path(__file__).parents[1] / "tokenization" / "golden" / "style2021"


@pytest.fixture(scope="module")
def checkpoint(tokenizer: EntityTokenizer, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_checkpoint(tmp_path_factory.mktemp("ner"), tokenizer)


@pytest.fixture(scope="module")
def released(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """transformers' checkpoint (tools/golden_ner.py) with its tokenizer."""
    directory = tmp_path_factory.mktemp("released") / "model"
    shutil.copytree(TOKENIZER, directory)
    shutil.copytree(GOLDEN, directory, dirs_exist_ok=True)
    return directory


def kind(name: str) -> ner.NerSettings:
    if name == "words":
        return ner.NerSettings(variant="words")
    return ner.NerSettings(span_feature=name)  # type: ignore[arg-type]


KINDS = ("words+entity", "entity", "words")


def test_a_released_checkpoint_says_what_transformers_says(released: Path) -> None:
    recognizer = ner.load(released)
    model = recognizer.model
    assert model.settings == OTHERS.fitted(model.model.config)
    assert recognizer.labels == ("LOC", "PER", "ORG")
    expected = json.loads(gzip.decompress((GOLDEN / "expected.json.gz").read_bytes()))
    for one in expected:
        words = tuple((start, end) for start, end in one["words"])
        (feature,) = encode(
            [ner.NerExample(one["text"], words=words)], model.tokenizer, model.settings
        )
        assert feature.characters.tolist() == one["spans"]
        logits = model.logits([feature], batch_size=1)[0]
        np.testing.assert_allclose(logits, one["logits"], atol=1e-5)
    assert sum(len(one["spans"]) for one in expected) > 500


def test_batches_do_not_change_what_is_found(released: Path) -> None:
    recognizer = ner.load(released)
    expected = json.loads(gzip.decompress((GOLDEN / "expected.json.gz").read_bytes()))
    texts = [one["text"] for one in expected]
    alone = [recognizer(text) for text in texts]
    for size in (3, 64):
        together = list(recognizer.predict(texts, batch_size=size))
        assert [[one.surface for one in found] for found in together] == [
            [one.surface for one in found] for found in alone
        ]
    assert any(alone)


@pytest.mark.parametrize("name", KINDS)
def test_a_model_comes_back_from_its_files(checkpoint: Path, tmp_path: Path, name: str) -> None:
    data = made_up(4)
    model = ner.NerModel.new(checkpoint, data.labels, kind(name), seed=3)
    model.save_pretrained(tmp_path / "model")
    again = ner.load(tmp_path / "model").model
    assert again.settings == model.settings
    assert again.settings.feature == name
    assert again.labels == ("O", "LOC", "PER")
    width = again.model.config.hidden_size
    states = {"words+entity": 3, "entity": 1, "words": 2}[name]
    assert again.model.classifier.weight.shape == (3, states * width)
    features = encode(data.examples, model.tokenizer, model.settings, entities=model.entities)
    for one, other in zip(
        model.logits(features, batch_size=2), again.logits(features, batch_size=2), strict=True
    ):
        np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("name", KINDS)
def test_the_classifier_sees_the_states_that_its_settings_say(checkpoint: Path, name: str) -> None:
    data = made_up(3)
    model = ner.NerModel.new(checkpoint, data.labels, kind(name))
    features = encode(data.examples, model.tokenizer, model.settings, entities=model.entities)
    batch = batch_of(features, model.tokenizer)
    assert ("entity_ids" in batch) == (name != "words")
    with torch.no_grad():
        output = model.model(**batch)
    head = model.model.classifier
    for row, feature in enumerate(features):
        for place, (start, end) in enumerate(feature.spans.tolist()):
            words = output.last_hidden_state[row]
            parts = [] if name == "entity" else [words[start], words[end - 1]]
            if name != "words":
                assert output.entity_last_hidden_state is not None
                parts.append(output.entity_last_hidden_state[row, place])
            wanted = head(torch.cat(parts))
            torch.testing.assert_close(output.logits[row, place], wanted, atol=1e-5, rtol=1e-5)


def test_a_model_that_sees_words_alone_refuses_entities(checkpoint: Path) -> None:
    data = made_up(2)
    model = ner.NerModel.new(checkpoint, data.labels, kind("words"))
    features = encode(data.examples, model.tokenizer, model.settings)
    with pytest.raises(InputError, match="sees words alone"):
        model.model(**batch_of(features, model.tokenizer))


def test_the_head_is_drawn_from_the_seed_and_leaves_other_random_numbers_alone(
    checkpoint: Path,
) -> None:
    torch.manual_seed(1)
    wanted = torch.rand(3)
    torch.manual_seed(1)
    heads = [
        ner.NerModel.new(checkpoint, ("LOC",), seed=s).model.classifier.weight for s in (0, 0, 1)
    ]
    assert torch.equal(heads[0], heads[1])
    assert not torch.equal(heads[0], heads[2])
    assert torch.equal(torch.rand(3), wanted)


@pytest.mark.parametrize("name", KINDS)
def test_thirty_sentences_are_learned_by_heart(checkpoint: Path, name: str) -> None:
    data = made_up()
    epochs = 24 if name == "entity" else 12  # an entity's state knows words by attention alone
    recipe = FineTuning(
        learning_rate=3e-3, epochs=epochs, batch_size=3, precision="float32", validate_steps=80
    )
    settings = replace(kind(name), span_limit=9)
    tuned = ner.fine_tune(checkpoint, data, data, recipe, settings=settings, progress=False)
    recognizer = ner.EntityRecognizer(tuned.model)
    scores = ner.evaluate(recognizer, data)
    assert scores.f1 > 0.9
    assert tuned.history.scores["f1"] == pytest.approx(scores.f1)
    assert tuned.history.validations[0].loss > tuned.history.validations[-1].loss
    found = recognizer("the Mumbai is in Kenya")
    assert [(one.surface, one.label) for one in found] == [("Mumbai", "PER"), ("Kenya", "LOC")]
    assert all(0.3 < one.score <= 1 for one in found)


def test_the_loss_counts_every_span_and_is_their_cross_entropy(checkpoint: Path) -> None:
    data = made_up(5)
    model = ner.NerModel.new(checkpoint, data.labels, ner.NerSettings(spans_at_once=9))
    learner = ner.Learner(model, data)
    loss = learner.loss(learner.features)
    assert loss.count == sum(len(feature.spans) for feature in learner.features)
    total = 0.0
    logits = model.logits(learner.features, batch_size=1)
    for feature, own in zip(learner.features, logits, strict=True):
        assert feature.targets is not None
        shares = np.exp(own.astype(np.float64))
        shares /= shares.sum(axis=1, keepdims=True)
        total -= float(np.log(shares[np.arange(len(own)), feature.targets]).sum())
    assert float(loss.total.detach()) == pytest.approx(total, rel=1e-4)
    assert learner.validate() == {}


def test_what_cannot_be_learned_is_counted_and_nothing_at_all_is_an_error(checkpoint: Path) -> None:
    data = made_up(3)
    model = ner.NerModel.new(checkpoint, ("LOC",))
    learner = ner.Learner(model, data)
    assert learner.counts["of a type that the model has not"] == 3
    with pytest.raises(InputError, match="no entity to learn from"):
        ner.Learner(ner.NerModel.new(checkpoint, ("XYZ",)), data)
    with pytest.raises(InputError, match="a type of entities at least"):
        ner.NerModel.new(checkpoint, ())
    with pytest.raises(ConfigError, match="cannot be a type"):
        ner.NerModel.new(checkpoint, ("O", "LOC"))


def test_gold_that_no_span_can_be_lowers_recall(checkpoint: Path) -> None:
    long = ner.NerExample("Tokyo " * 30 + "Paris", "en", (ner.Gold(0, 185, "LOC"),))
    scores = ner.evaluate(
        ner.EntityRecognizer(ner.NerModel.new(checkpoint, ("LOC",))),
        ner.Dataset((long,), "jsonl", None, "utf-8"),
    )
    assert scores.of().gold == 1
    assert scores.of().right == 0


def test_predictions_are_lazy_in_order_and_within_the_text(released: Path) -> None:
    recognizer = ner.load(released)
    taken = []

    def texts() -> Iterator[str]:
        for number in range(150):
            taken.append(number)
            yield f"Tokyo {'is ' * (number % 5)}Japan 東京"

    stream = recognizer.predict(texts(), batch_size=2)
    first = next(stream)
    assert len(taken) < 100
    assert len([first, *stream]) == len(taken) == 150
    text = "Tokyo is the capital of Japan. " * 25  # longer than an input
    for one in recognizer(text):
        assert text[one.start : one.end] == one.surface
        assert one.to_json() == {
            "start": one.start,
            "end": one.end,
            "label": one.label,
            "score": one.score,
            "surface": one.surface,
        }
    assert recognizer("") == recognizer(" \n ") == []
    with pytest.raises(ConfigError, match="batch_size must be at least 1"):
        list(recognizer.predict(["x"], batch_size=0))


def test_one_text_is_not_taken_for_many_nor_many_for_one(released: Path) -> None:
    recognizer = ner.load(released)
    wanted = recognizer("Tokyo")
    assert list(recognizer.predict(text for text in ("Tokyo",))) == [wanted]
    assert list(recognizer.predict(["Tokyo"])) == [wanted]
    with pytest.raises(InputError, match="got one str"):
        next(recognizer.predict("Tokyo"))
    with pytest.raises(InputError, match=r"got list. predict takes many"):
        recognizer(["Tokyo"])  # type: ignore[arg-type]
    with pytest.raises(InputError, match="got NoneType"):
        list(recognizer.predict(["Tokyo", None]))  # type: ignore[list-item]


def test_a_linker_names_the_entities(released: Path) -> None:
    asked = []

    def linker(text: AnnotatedText, *, detect: bool) -> Linked:
        assert not detect
        asked.append(text)
        return Linked.of(
            text,
            tuple(
                Link(m.start, m.end, text.surface(m), "Q1" if m.start else None, 1.0, (), 1.0, "")
                for m in text.mentions
            ),
        )

    text = "x Tokyo is the capital of Japan"
    plain, linked = ner.load(released)(text), ner.load(released, linker=linker)(text, language="en")
    assert asked[0].language == "en"
    assert [one.surface for one in linked] == [one.surface for one in plain]
    assert {one.entity for one in linked} <= {"Q1", None}
    assert any(one.to_json().get("entity") == "Q1" for one in linked)


def test_examples_are_shown_as_the_model_sees_them(checkpoint: Path) -> None:
    tokenizer = EntityTokenizer.from_pretrained(checkpoint)
    data = made_up(2)
    long = ner.NerExample("Tokyo is " * 9 + "in", "en", (ner.Gold(0, 83, "LOC"),))
    shown = list(ner.show_examples([*data.examples, long], tokenizer))
    assert len(shown) == 3
    assert data.examples[0].text in shown[0]
    assert "PER [4, " in shown[0]
    assert "spans of at most 16 pieces" in shown[0]
    assert "no span" in shown[2]
    assert "1 not reachable: longer than 16 pieces" in shown[2]


def test_wrong_fields_of_a_checkpoint_are_errors(released: Path, tmp_path: Path) -> None:
    for changes, error, message in (
        ({"exonym_span_feature": "all"}, ConfigError, "exonym_span_feature must be"),
        ({"exonym_variant": "both"}, ConfigError, "exonym_variant must be"),
        ({"exonym_ner": {"spans": 1}}, ConfigError, "unknown setting 'spans'"),
        ({"exonym_span_feature": "entity"}, FormatError, "classifier.weight"),
    ):
        directory = tmp_path / str(len(list(tmp_path.iterdir())))
        shutil.copytree(released, directory)
        config = json.loads((directory / "config.json").read_text())
        (directory / "config.json").write_text(json.dumps({**config, **changes}))
        with pytest.raises(error, match=message):
            ner.load(directory)


def test_a_pretrained_checkpoint_without_a_head_says_so(checkpoint: Path) -> None:
    with pytest.raises(FormatError, match="new_head"):
        ner.load(checkpoint)
    assert isinstance(
        EntitySpanClassifier.from_pretrained(checkpoint, new_head=True, labels=("O", "X")),
        EntitySpanClassifier,
    )
