"""Answers of a model: what a plain computation gives, in order, with places and entities."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np
import pytest
import torch
from qa_models import answer_model, example

from exonym.foundation.errors import ConfigError, FormatError, InputError
from exonym.linking.linked import Linked
from exonym.modeling import EntityMaskedLM
from exonym.tasks.qa import predict
from exonym.tasks.qa.learning import Learner
from exonym.tasks.qa.model import AnswerModel
from exonym.tasks.qa.predict import Answer, Answerer, load
from exonym.tasks.qa.records import QuestionExample
from exonym.tasks.qa.settings import QaSettings
from exonym.text import AnnotatedText, Mention
from exonym.tokenization import EntityTokenizer
from exonym.training.fine_tuning import FineTuning, fine_tune

LONG = "Tokyo is the capital of Japan, and Berlin of Germany. Nairobi is in Kenya. " * 3
NAMES = {"Japan": "Q1", "Kenya": "Q2", "Tokyo": "Q10", "Nairobi": "Q11"}
SIZES = QaSettings(window=40, overlap=8, most_question=12, longest_answer=7)


@pytest.fixture(scope="module")
def model(tokenizer: EntityTokenizer) -> AnswerModel:
    return answer_model(tokenizer, SIZES)


@pytest.fixture(scope="module")
def examples() -> list[QuestionExample]:
    return [
        example("a", "What is the capital of Japan?", LONG, "Tokyo", mentions=NAMES),
        example("b", "Who?", "Nairobi."),
        example("c", "首都は？", "東京は日本の首都である。", "東京", language="ja"),
        example("d", "Where is Kenya?", LONG, "Nairobi", mentions=NAMES),
        example("e", "Who?", " "),
    ]


def plain_answer(model: AnswerModel, one: QuestionExample) -> tuple[int, int, float] | None:
    """The best span and its probability, window by window, span by span."""
    tokenizer, sizes = model.tokenizer, model.settings
    (question,) = tokenizer.encode([one.question])
    (context,) = tokenizer.encode([one.context], max_length=1000)
    asked = question.input_ids[1:-1].tolist()[: sizes.most_question]
    pieces, offsets = context.input_ids[1:-1].tolist(), context.offsets[1:-1].tolist()
    room = sizes.window - 4 - len(asked)
    best, logits = None, []
    start = 0
    while True:
        part = pieces[start : start + room]
        eos = tokenizer.words.eos_id
        ids = [tokenizer.words.bos_id, *asked, eos, eos, *part, eos]
        rows, places = [], []
        for text, first, last, shift in (
            (question, 0, len(asked), 1),
            (context, start, start + len(part), len(asked) + 3 - start),
        ):
            for row, (a, b) in zip(text.entity_ids.tolist(), text.spans.tolist(), strict=True):
                if first <= a - 1 and b - 1 <= last:
                    rows.append(row)
                    places.append(list(range(a - 1 + shift, b - 1 + shift)))
        batch = {
            "input_ids": torch.tensor([ids]),
            "attention_mask": torch.ones(1, len(ids), dtype=torch.bool),
        }
        if rows:
            width = max(map(len, places))
            padded = [some + [-1] * (width - len(some)) for some in places]
            batch |= {
                "entity_ids": torch.tensor([rows]),
                "entity_attention_mask": torch.ones(1, len(rows), dtype=torch.bool),
                "entity_position_ids": torch.tensor([padded]),
            }
        with torch.no_grad():
            output = model.model(**batch)
        for first, last in itertools.product(range(len(part)), repeat=2):
            if not first <= last < first + sizes.longest_answer:
                continue
            characters = [(a, b) for a, b in offsets[start + first : start + last + 1] if a < b]
            if not characters:
                continue
            shift = len(asked) + 3
            logit = float(output.start_logits[0, shift + first].double()) + float(
                output.end_logits[0, shift + last].double()
            )
            logits.append(logit)
            span = min(a for a, _ in characters), max(b for _, b in characters)
            if best is None or logit > best[2]:
                best = (*span, logit)
        if start + room >= len(pieces):
            break
        start += len(part) - sizes.overlap
    if best is None:
        return None
    return best[0], best[1], math.exp(best[2] - float(np.logaddexp.reduce(logits)))


def test_answers_are_those_of_a_plain_computation(
    model: AnswerModel, examples: list[QuestionExample]
) -> None:
    answerer = Answerer(model)
    given = list(answerer.predict(examples, batch_size=3))
    assert [one.id for one in given] == [one.id for one in examples]
    for one, said in zip(examples, given, strict=True):
        expected = plain_answer(model, one)
        if expected is None:
            assert said.best is None
            continue
        best = said.best
        assert best is not None
        assert (best.start, best.end) == expected[:2]
        assert best.text == one.context.text[best.start : best.end]
        assert best.score == pytest.approx(expected[2], rel=1e-4)
    assert given[0].best != given[3].best, "or else the test says little"


def test_batching_and_chunks_do_not_change_answers(
    model: AnswerModel, examples: list[QuestionExample], monkeypatch: pytest.MonkeyPatch
) -> None:
    def spans(predictions: Iterator[predict.Prediction]) -> list[list[tuple[int, int]]]:
        return [[(a.start, a.end) for a in one.answers] for one in predictions]

    answerer = Answerer(model)
    together = spans(answerer.predict(examples, most=3))
    assert spans(answerer.predict(examples, most=3, batch_size=1)) == together
    monkeypatch.setattr(predict, "_AT_ONCE", 2)
    assert spans(answerer.predict(iter(examples), most=3)) == together
    assert [len(one) for one in together] == [3, 3, 3, 3, 0]


def test_questions_are_answered_as_they_come(
    model: AnswerModel, examples: list[QuestionExample], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A stream without end is answered with a few questions in memory."""
    monkeypatch.setattr(predict, "_AT_ONCE", 2)
    endless = itertools.cycle(examples)
    first = list(itertools.islice(Answerer(model).predict(endless), 3))
    assert [one.id for one in first] == ["a", "b", "c"]


def test_one_question_is_a_call_with_strings_and_languages(model: AnswerModel) -> None:
    answerer = Answerer(model)
    (one,) = answerer("Who?", "Nairobi is in Kenya.", language="en", question_language="de")
    assert one.text == "Nairobi is in Kenya."[one.start : one.end]
    assert 0 < one.score <= 1
    assert one.to_json() == {
        "start": one.start,
        "end": one.end,
        "text": one.text,
        "score": one.score,
        "entity": None,
    }
    best = answerer("Who?", AnnotatedText("Nairobi is in Kenya.", "en"), most=4)
    assert best[0] == one
    assert len({(a.start, a.end) for a in best}) == 4
    assert [a.score for a in best] == sorted((a.score for a in best), reverse=True)
    assert answerer("Who?", "") == []
    for wrong in ({"most": 0}, {"batch_size": 0}):
        with pytest.raises(InputError, match="must be at least 1, got"):
            list(answerer.predict([], **wrong))
    with pytest.raises(InputError, match="expected a string or an AnnotatedText, got list"):
        answerer("Who?", ["Nairobi"])  # type: ignore[arg-type]
    with pytest.raises(InputError, match="expected a QuestionExample, got str"):
        list(answerer.predict(["Who?"]))  # type: ignore[list-item]


class OneName:
    """Links every "Nairobi"; remembers what it was asked."""

    def __init__(self) -> None:
        self.asked: list[AnnotatedText] = []

    def pipe(self, texts: Iterable[AnnotatedText]) -> Iterator[Linked]:
        for text in texts:
            self.asked.append(text)
            place = text.text.find("Nairobi")
            mentions = (Mention(place, place + 7, "Q11"),) if place >= 0 else ()
            yield Linked(AnnotatedText(text.text, text.language, mentions), ())


def test_a_linker_gives_entities_to_texts_that_come_without(
    model: AnswerModel, examples: list[QuestionExample]
) -> None:
    linker = OneName()
    given = list(Answerer(model, linker).predict(examples[:2], most=40))
    assert {text.text for text in linker.asked} == {"Who?", "Nairobi."}
    whole = [answer for answer in given[1].answers if (answer.start, answer.end) == (0, 7)]
    assert [answer.entity for answer in whole] == ["Q11"]
    annotated = example("b", "Who?", "Nairobi.", mentions={"Nairobi": "Q11"})
    (expected,) = Answerer(model).predict([annotated], most=40)
    spans = [[(a.start, a.end) for a in one.answers] for one in (given[1], expected)]
    assert spans[0] == spans[1]
    assert given[1].answers[0].score == pytest.approx(expected.answers[0].score, rel=1e-4)


def test_words_alone_answer_the_same_whatever_is_mentioned(tokenizer: EntityTokenizer) -> None:
    words = answer_model(tokenizer, QaSettings(40, 8, 12, 7, variant="words"))
    plain = example("1", "Where is Kenya?", LONG)
    annotated = example("1", "Where is Kenya?", LONG, mentions=NAMES)
    (first,), (second,) = (Answerer(words).predict([one]) for one in (plain, annotated))
    assert first.best is not None
    assert second.best is not None
    assert (first.best.start, first.best.end) == (second.best.start, second.best.end)
    assert first.best.score == pytest.approx(second.best.score)


@pytest.mark.parametrize("variant", ["entities", "words"])
def test_a_saved_model_gives_the_same_answers_with_the_same_settings(
    variant: str, tokenizer: EntityTokenizer, examples: list[QuestionExample], tmp_path: Path
) -> None:
    backbone = tmp_path / "backbone"
    sizes = QaSettings(40, 8, 12, 7, variant=variant)  # type: ignore[arg-type]
    one = answer_model(tokenizer, sizes)
    one.save_pretrained(backbone)
    fresh = AnswerModel.new(backbone, sizes, seed=3)
    fresh.save_pretrained(tmp_path / "model")
    again = load(tmp_path / "model")
    assert again.model.settings == sizes
    before = [p.to_json() for p in Answerer(fresh).predict(examples, most=2)]
    assert [p.to_json() for p in again.predict(examples, most=2)] == before


def test_a_new_head_depends_on_the_seed_and_leaves_the_random_numbers_alone(
    model: AnswerModel, tmp_path: Path
) -> None:
    model.save_pretrained(tmp_path)
    state = torch.random.get_rng_state()
    heads = [AnswerModel.new(tmp_path, seed=seed).model.qa_outputs.weight for seed in (0, 0, 1)]
    assert torch.equal(torch.random.get_rng_state(), state)
    assert torch.equal(heads[0], heads[1])
    assert not torch.equal(heads[0], heads[2])


def test_a_checkpoint_of_others_is_cut_as_transformers_cuts(
    model: AnswerModel, tmp_path: Path
) -> None:
    model.model.save_pretrained(tmp_path)
    model.tokenizer.save_pretrained(tmp_path)
    loaded = load(tmp_path).model
    assert (loaded.settings.boundary, loaded.tokenizer.boundary) == ("hf", "hf")
    assert loaded.settings.window == 58


def test_what_cannot_be_opened_is_said(model: AnswerModel, tmp_path: Path) -> None:
    model.save_pretrained(tmp_path)
    with pytest.raises(ConfigError, match="window of 384 pieces, but the model takes at most 58"):
        AnswerModel.new(tmp_path, QaSettings())
    with pytest.raises(InputError):
        load(tmp_path / "nowhere")


def test_the_loss_is_the_cross_entropy_of_start_and_end(
    model: AnswerModel, examples: list[QuestionExample]
) -> None:
    learner = Learner(model, examples)
    assert learner.counts["questions without an answer"] == 2
    expected = 0.0
    for feature in learner.features:
        ids = torch.from_numpy(feature.input_ids).long()[None]
        batch = {"input_ids": ids, "attention_mask": torch.ones_like(ids).bool()}
        if len(feature.entity_ids):
            width = int((feature.spans[:, 1] - feature.spans[:, 0]).max())
            padded = [list(range(a, b)) + [-1] * (width - b + a) for a, b in feature.spans.tolist()]
            batch |= {
                "entity_ids": torch.from_numpy(feature.entity_ids).long()[None],
                "entity_attention_mask": torch.ones(1, len(padded), dtype=torch.bool),
                "entity_position_ids": torch.tensor([padded]),
            }
        with torch.no_grad():
            output = model.model(**batch)
        allowed = [0, *range(feature.context, feature.context + len(feature.offsets))]
        first, last = feature.answer or (0, 0)
        for logits, right in ((output.start_logits[0], first), (output.end_logits[0], last)):
            chosen = logits.double()[allowed]
            expected += float(chosen.logsumexp(0) - logits.double()[right]) / 2
    answered = [feature for feature in learner.features if feature.answer]
    assert 0 < len(answered) < len(learner.features)
    with torch.no_grad():
        loss = learner.loss(learner.features)
    assert loss.count == len(learner.features)
    assert float(loss.total) == pytest.approx(expected, rel=1e-5)


def test_a_model_learns_a_handful_of_answers(tokenizer: EntityTokenizer) -> None:
    """And the validation says so: the same questions, whose answers lie at different places."""
    names = ("Tokyo", "Berlin", "Nairobi", "Japan")
    known = [
        example(f"{place}", f"Where is {name}?", f"{' a b' * place} {name} c d e", name)
        for place, name in enumerate(names)
    ]
    learner = Learner(answer_model(tokenizer, SIZES), known, known)
    before = learner.validate()
    recipe = FineTuning(
        learning_rate=1e-2, batch_size=4, steps=60, validate_steps=20, precision="float32"
    )
    history = fine_tune(learner, recipe, progress=False)
    assert before["f1"] < 0.9
    assert history.scores == {"exact_match": 1.0, "f1": 1.0}
    predicted = [one.best for one in Answerer(learner.answers).predict(known)]
    assert [answer.text for answer in predicted if isinstance(answer, Answer)] == list(names)


def test_there_must_be_something_to_learn_from(
    model: AnswerModel, examples: list[QuestionExample]
) -> None:
    with pytest.raises(InputError, match="no question to train on has a right answer"):
        Learner(model, [examples[1]])
    assert Learner(model, examples).validate() == {}


def test_a_checkpoint_with_another_head_is_refused(
    tokenizer: EntityTokenizer, model: AnswerModel, tmp_path: Path
) -> None:
    EntityMaskedLM(model.model.config).save_pretrained(tmp_path)
    tokenizer.save_pretrained(tmp_path)
    with pytest.raises(FormatError, match="qa_outputs"):
        load(tmp_path)
