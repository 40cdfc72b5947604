"""Answers equal a plain computation of one query and one candidate at a time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from cloze_questions import WriteQuestions, line

from exonym.tasks.cloze import (
    Answer,
    Asking,
    Candidate,
    ClozeModel,
    ClozeSet,
    Question,
    answer,
    load,
    load_questions,
    predict,
)
from exonym.tasks.cloze.features import make_query

TEMPLATES = {
    ("en", "P36"): "The capital of [X] is [Y].",
    ("de", "P36"): "[Y] ist die Hauptstadt von [X].",
    ("ja", "P36"): "[X]の首都は[Y]である。",
}
SUBJECTS = {
    "en": ("Japan", "the Republic of Kenya", "Germany"),
    "de": ("Japan", "Republik Kenia", "Deutschland"),
    "ja": ("日本", "ケニア共和国", "ドイツ"),
}
OBJECTS = {
    "en": ("Tokyo", "Nairobi", "Berlin", "Addis Ababa"),
    "de": ("Tokio", "Nairobi", "Berlin", "Addis Abeba"),
    "ja": ("東京都", "ナイロビ", "ベルリン", "アディスアベバ"),
}


@pytest.fixture(scope="module")
def questions() -> ClozeSet:
    asked = [
        Question(language, "P36", f"Q{n}", label, (f"Q{9 + n}",))
        for language, labels in SUBJECTS.items()
        for n, label in enumerate(labels, start=1)
    ]
    candidates = {
        (language, "P36"): tuple(
            Candidate(f"Q{n}", label) for n, label in enumerate(labels, start=10)
        )
        for language, labels in OBJECTS.items()
    }
    return ClozeSet(tuple(asked), TEMPLATES, candidates)


def inputs(
    model: ClozeModel, question: Question, template: str, masks: int
) -> tuple[list[int], list[int], list[int]]:
    """Ids with masks, and the positions of subject and object, spliced by hand."""
    query = make_query(template, question.subject, question.subject_label, question.language)
    (text,) = model.tokenizer.encode([query.text])
    (sub_start, sub_end), (start, end) = text.spans.tolist()
    ids = text.input_ids.tolist()
    ids[start:end] = [model.tokenizer.words.mask_id] * masks
    if sub_start >= end:
        sub_start, sub_end = (i + masks - (end - start) for i in (sub_start, sub_end))
    return ids, list(range(sub_start, sub_end)), list(range(start, start + masks))


def word_score(model: ClozeModel, question: Question, template: str, label: str) -> float:
    blank = template.startswith("[Y]") or " [Y]" in template
    (pieces,) = model.tokenizer.words.encode_stretches([label], [blank])
    ids, _, places = inputs(model, question, template, len(pieces))
    with torch.no_grad():
        output = model.model(
            input_ids=torch.tensor([ids]), attention_mask=torch.ones(1, len(ids), dtype=torch.bool)
        )
        logits = model.model.word_logits(output.last_hidden_state[0])
    total = 0.0
    for place, piece in zip(places, pieces.tolist(), strict=True):
        row = logits[place].double()
        total += float(row[piece] - row.logsumexp(0))
    return total / len(places)


def entity_scores(
    model: ClozeModel, question: Question, template: str, *, with_subject: bool
) -> list[float]:
    """Logits of the whole entity table at the [MASK] over [Y]."""
    ids, subject, places = inputs(model, question, template, 1)
    rows, positions = [model.tokenizer.entities.mask_row], [places]
    if with_subject:
        rows.insert(0, int(model.tokenizer.entities.rows([question.subject])[0]))
        positions.insert(0, subject)
    width = max(map(len, positions))
    padded = [some + [-1] * (width - len(some)) for some in positions]
    with torch.no_grad():
        output = model.model(
            input_ids=torch.tensor([ids]),
            attention_mask=torch.ones(1, len(ids), dtype=torch.bool),
            entity_ids=torch.tensor([rows]),
            entity_attention_mask=torch.ones(1, len(rows), dtype=torch.bool),
            entity_position_ids=torch.tensor([padded]),
        )
        assert output.entity_last_hidden_state is not None
        logits: list[float] = model.model.entity_logits(output.entity_last_hidden_state[0])[
            -1
        ].tolist()
    return logits


def by_question(answers: Sequence[Answer]) -> dict[tuple[str, str], Answer]:
    return {(given.question.language, given.question.subject): given for given in answers}


def test_word_answers_are_the_best_mean_log_probability(
    model: ClozeModel, questions: ClozeSet
) -> None:
    answers = list(answer(model, questions.questions, questions, Asking.WORDS))
    assert [given.question for given in answers] == list(questions.questions)
    for given in answers:
        key = given.question.language, "P36"
        template = questions.templates[key]
        scores = {
            candidate: word_score(model, given.question, template, candidate.label)
            for candidate in questions.candidates[key]
        }
        best = max(scores, key=lambda candidate: scores[candidate])
        assert (given.entity, given.label) == (best.entity, best.label)
        assert given.score == pytest.approx(scores[best], abs=1e-5)
    assert len({given.entity for given in answers}) > 1, "or else the test says little"


def test_every_candidate_has_its_mean_log_probability_whatever_its_length(
    model: ClozeModel, questions: ClozeSet
) -> None:
    lengths = set()
    for question in questions.questions:
        key = question.language, "P36"
        for candidate in questions.candidates[key]:
            lengths.add(len(model.tokenizer.words.encode_words([candidate.label])[0]))
            alone = replace(questions, candidates={key: (candidate,)})
            (given,) = answer(model, [question], alone, Asking.WORDS)
            expected = word_score(model, question, questions.templates[key], candidate.label)
            assert given.score == pytest.approx(expected, abs=1e-5)
    assert len(lengths) > 2, "or else the test says little"


@pytest.mark.parametrize("asking", [Asking.ENTITY_Y, Asking.ENTITY_XY])
def test_entity_answers_are_the_best_logit_of_the_whole_table(
    asking: Asking, model: ClozeModel, questions: ClozeSet
) -> None:
    for given in answer(model, questions.questions, questions, asking):
        key = given.question.language, "P36"
        logits = entity_scores(
            model,
            given.question,
            questions.templates[key],
            with_subject=asking is Asking.ENTITY_XY,
        )
        names = [candidate.entity for candidate in questions.candidates[key]]
        rows = model.tokenizer.entities.rows(names)
        scores = {name: logits[int(row)] for name, row in zip(names, rows, strict=True)}
        best = max(scores, key=lambda name: scores[name])
        assert given.entity == best
        assert given.score == pytest.approx(scores[best], abs=1e-4)


def test_the_subject_entity_matters_only_where_it_is_given(
    model: ClozeModel, questions: ClozeSet
) -> None:
    others = [replace(question, subject="Q3") for question in questions.questions]
    for asking, same in ((Asking.ENTITY_Y, True), (Asking.ENTITY_XY, False), (Asking.WORDS, True)):
        before = [a.score for a in answer(model, questions.questions, questions, asking)]
        after = [a.score for a in answer(model, others, questions, asking)]
        assert (before == after) is same


@pytest.mark.parametrize("asking", list(Asking))
def test_batching_does_not_change_answers(
    asking: Asking, model: ClozeModel, questions: ClozeSet, monkeypatch: pytest.MonkeyPatch
) -> None:
    together = by_question(list(answer(model, questions.questions, questions, asking)))
    monkeypatch.setattr(predict, "_BATCH", 1)
    for question in questions.questions:
        (alone,) = answer(model, [question], questions, asking)
        other = together[question.language, question.subject]
        assert alone.entity == other.entity
        assert alone.score == pytest.approx(other.score, abs=1e-5)


@pytest.mark.parametrize("asking", [Asking.ENTITY_Y, Asking.ENTITY_XY])
def test_a_candidate_without_a_row_cannot_win(
    asking: Asking, model: ClozeModel, questions: ClozeSet
) -> None:
    key = ("en", "P36")
    unknown = tuple(Candidate(f"Q9{n}", f"Nowhere {n}") for n in range(5))
    # The row of [UNK] would win if it were let in.
    rows = model.tokenizer.entities
    with_unknown = replace(questions, candidates={key: (*unknown, Candidate("Q10", "Tokyo"))})
    (first, *_) = [q for q in questions.questions if q.language == "en"]
    bias = model.model.entity_predictions.bias
    before = bias[rows.unk_row].item()
    with torch.no_grad():
        bias[rows.unk_row] = 1e3
    try:
        (given,) = answer(model, [first], with_unknown, asking)
        assert given.entity == "Q10"
        nobody = replace(questions, candidates={key: unknown})
        (given,) = answer(model, [first], nobody, asking)
        assert (given.entity, given.label, given.score) == (None, None, -np.inf)
        assert not given.correct
    finally:
        with torch.no_grad():
            bias[rows.unk_row] = before


def test_a_name_without_a_piece_cannot_win_by_words(model: ClozeModel, questions: ClozeSet) -> None:
    key, blank = ("en", "P36"), Candidate("Q11", "\u200b")
    if len(model.tokenizer.words.encode_words([blank.label])[0]):
        pytest.skip("this tokenizer has a piece for it")
    some = replace(questions, candidates={key: (blank, Candidate("Q10", "Tokyo"))})
    (given,) = answer(model, [questions.questions[0]], some, Asking.WORDS)
    assert given.entity == "Q10"
    none = replace(questions, candidates={key: (blank,)})
    (given,) = answer(model, [questions.questions[0]], none, Asking.WORDS)
    assert given.entity is None


def test_answers_are_grouped_and_complete_for_any_selection_of_questions(
    model: ClozeModel, questions: ClozeSet
) -> None:
    mixed = questions.questions[::-2]
    answers = list(answer(model, mixed, questions, Asking.ENTITY_XY))
    assert {given.question for given in answers} == set(mixed)
    assert len(answers) == len(mixed)
    assert list(answer(model, [], questions, Asking.WORDS)) == []


def test_a_saved_model_gives_the_same_answers(
    model: ClozeModel, write_questions: WriteQuestions, tmp_path: Path
) -> None:
    lines = [line("Q1", "Q10", obj="Tokyo"), line("Q2", "Q11", obj="Nairobi")]
    questions = load_questions(write_questions({"en": {"P36": ("[X] has [Y].", lines)}}))
    (tmp_path / "model").mkdir()
    model.model.save_pretrained(tmp_path / "model")
    model.tokenizer.save_pretrained(tmp_path / "model")
    again = load(tmp_path / "model")
    for asking in Asking:
        before = list(answer(model, questions.questions, questions, asking))
        assert list(answer(again, questions.questions, questions, asking)) == before
