"""Tables of scores: values are the tasks' own, and what depends on each other is one cluster."""

from __future__ import annotations

import random

import numpy as np
import pytest

from exonym.analysis.task_scores import (
    MEAN,
    Part,
    ner_parts,
    pair_of,
    qa_parts,
    relation_parts,
    score_rows,
)
from exonym.foundation.errors import InputError
from exonym.reports.score_tables import difference_table, markdown, score_table
from exonym.tasks import ner, qa
from exonym.tasks.ner.records import Gold, NerExample
from exonym.tasks.qa.records import GoldAnswer, QuestionExample
from exonym.tasks.relation.metrics import score as relation_score
from exonym.tasks.relation.records import RelationExample, Span
from exonym.text import AnnotatedText

LABELS = ("a(e1,e2)", "a(e2,e1)", "b(e1,e2)", "c(e1,e2)", "no_relation")


def sentences(language: str, count: int, seed: int) -> tuple[list[NerExample], list[list[Gold]]]:
    draw = random.Random(seed)
    examples, predicted = [], []
    for _ in range(count):
        both = [
            [Gold(place, place + 1, draw.choice(["PER", "LOC"])) for place in range(4)
             if draw.random() < 0.5]
            for _ in range(2)
        ]  # fmt: skip
        examples.append(NerExample("abcd", language, tuple(both[0])))
        predicted.append(both[1])
    return examples, predicted


def pair(number: str, language: str, label: str) -> RelationExample:
    return RelationExample(number, AnnotatedText("a b", language), Span(0, 1), Span(2, 3), label)


def question(
    number: str, context: str, answer: str, *, language: str = "en", asked: str | None = None
) -> QuestionExample:
    return QuestionExample(
        number,
        AnnotatedText("who?", asked or language),
        AnnotatedText(context, language),
        (GoldAnswer(answer, context.index(answer)),),
    )


def test_scores_of_entities_are_those_of_the_task() -> None:
    examples, predicted = sentences("en", 40, 0)
    more, found = sentences("de", 30, 1)
    parts = ner_parts("test.txt", [*examples, *more], [*predicted, *found])
    assert [(part.file, part.language) for part in parts] == [
        ("test.txt", "de"),
        ("test.txt", "en"),
    ]
    rows = score_rows(parts, draws=200)
    own = ner.score(
        [one.entities for one in [*examples, *more]],
        [*predicted, *found],
        [one.language for one in [*examples, *more]],
    )
    for row, language in zip(rows, ("de", "en"), strict=False):
        counts = own.of(language=language)
        assert row.scores["F1"].value == pytest.approx(counts.f1)
        assert row.scores["precision"].value == pytest.approx(counts.precision)
        assert row.scores["recall"].value == pytest.approx(counts.recall)
        assert row.scores["F1"].low < counts.f1 < row.scores["F1"].high
    assert rows[-1].file == MEAN
    assert rows[-1].scores["F1"].value == pytest.approx(own.macro_f1)
    assert parts[1].types == {label: own.of(language="en", label=label) for label in ("LOC", "PER")}


def test_sentences_of_a_document_are_drawn_together() -> None:
    examples, predicted = sentences("en", 40, 2)
    apart = score_rows(ner_parts("a", examples, predicted))[0].scores["F1"]
    one = [
        NerExample(e.text, "en", e.entities, document=f"{n % 4}") for n, e in enumerate(examples)
    ]
    together = score_rows(ner_parts("a", one, predicted))[0].scores["F1"]
    assert (apart.clusters, together.clusters) == (40, 4)
    assert apart.value == together.value


def test_sentences_with_the_same_id_are_drawn_together() -> None:
    parts = []
    for language in ("en", "de"):
        examples, predicted = sentences(language, 20, 5)
        named = [
            NerExample(e.text, language, e.entities, id=f"{n}") for n, e in enumerate(examples)
        ]
        parts += ner_parts(f"{language}.jsonl", named, predicted)
    rows = score_rows(parts, draws=100)
    assert [row.scores["F1"].clusters for row in rows] == [20, 20, 20]
    assert rows[2].scores["F1"] == rows[0].scores["F1"]


def test_scores_of_relations_are_those_of_the_task() -> None:
    draw = random.Random(0)
    gold = [draw.choice(LABELS[:3]) for _ in range(60)]
    predicted = [draw.choice([right, *LABELS[:3], LABELS[-1]]) for right in gold]
    examples = [pair(f"{n}", "tr", label) for n, label in enumerate(gold)]
    (row,) = score_rows(relation_parts("test", examples, predicted, LABELS), draws=100)
    own = relation_score(gold, predicted, ["a", "b", "c"])
    assert row.scores["macro F1"].value == pytest.approx(own.macro_f1)
    assert row.scores["micro F1"].value == pytest.approx(own.micro.f1)
    assert row.scores["accuracy"].value == pytest.approx(own.accuracy)


def test_an_example_in_many_languages_is_one_cluster() -> None:
    parts = []
    for language in ("en", "de", "sw"):
        examples = [pair(f"{n}", language, LABELS[n % 3]) for n in range(30)]
        predicted = [LABELS[n % 3 if n % 2 else 0] for n in range(30)]
        parts += relation_parts(f"{language}.txt", examples, predicted, LABELS)
    *single, mean = score_rows(parts)
    assert (mean.items, mean.language) == (90, "3 rows")
    assert mean.scores["accuracy"].clusters == 30
    # The same answers in every language: the mean is no surer than one of them.
    widths = [row.scores["accuracy"].high - row.scores["accuracy"].low for row in [*single, mean]]
    assert widths == pytest.approx([widths[0]] * 4)


def test_scores_of_answers_are_those_of_the_task_and_passages_are_clusters() -> None:
    passages: dict[str, str] = {}
    english = [question(f"{n}", f"in {n // 5} Tokyo lies", "Tokyo") for n in range(20)]
    arabic = [
        question(f"{n}", f"في {n // 5} طوكيو", "طوكيو", language="ar", asked="de")
        for n in range(20)
    ]
    assert pair_of(arabic[0]) == "ar, asked in de"
    said = {f"{n}": "Tokyo" if n % 2 else "Tokyo lies" for n in range(19)}
    parts = qa_parts("en.json", english, said, "squad", passages)
    parts += qa_parts("ar.json", arabic, {f"{n}": "طوكيو" for n in range(5)}, "mlqa", passages)
    first, second, mean = score_rows(parts, draws=100)
    own = qa.score(english, said)
    assert first.scores["F1"].value == pytest.approx(own.f1)
    assert first.scores["exact match"].value == pytest.approx(own.exact_match)
    assert second.scores["F1"].value == 0.25
    assert [row.scores["F1"].clusters for row in (first, second, mean)] == [4, 4, 4]


def test_two_models_are_compared_on_the_same_items() -> None:
    examples, predicted = sentences("en", 60, 3)
    gold = [list(example.entities) for example in examples]
    good, bad = ner_parts("a", examples, gold), ner_parts("a", examples, predicted)
    (row,) = score_rows(good, bad, draws=300)
    assert row.differences["F1"].value == pytest.approx(1 - score_rows(bad)[0].scores["F1"].value)
    assert row.differences["F1"].p < 0.01
    (same,) = score_rows(bad, bad, draws=300)
    assert (same.differences["F1"].value, same.differences["F1"].p) == (0, 1)
    with pytest.raises(InputError, match="same files and languages"):
        score_rows(good, ner_parts("b", examples, gold))


def test_a_part_that_was_not_drawn_is_left_out_of_the_mean() -> None:
    def part(name: str, value: float) -> Part:
        return Part("qa", name, "en", np.array([[value, value, 1.0]]), [name])

    *_, mean = score_rows([part("a", 1.0), part("b", 0.5)], draws=500)
    # One cluster each: a draw has both, or one twice; never a 0 for the one that is missing.
    assert (mean.scores["F1"].low, mean.scores["F1"].high) == (0.5, 1.0)
    assert mean.scores["F1"].value == 0.75


def test_a_table_is_of_one_task() -> None:
    parts = [Part(task, "a", "en", np.ones((1, 4)), [0]) for task in ("ner", "qa")]
    for wrong in (parts, []):
        with pytest.raises(InputError, match="a table is of one task"):
            score_rows(wrong)


def test_tables_have_a_line_for_each_row_and_markdown_is_escaped() -> None:
    examples, predicted = sentences("en", 10, 4)
    parts = ner_parts("a|b.txt", examples, predicted)
    rows = score_rows([*parts, *ner_parts("c.txt", examples, predicted)], [
        *parts, *ner_parts("c.txt", examples, predicted)], draws=50)  # fmt: skip
    header, cells = score_table(rows)
    assert header == ["file", "language", "items", "F1", "precision", "recall"]
    assert [line[:3] for line in cells] == [
        ["a|b.txt", "en", 10], ["c.txt", "en", 10], ["mean", "2 rows", 20],
    ]  # fmt: skip
    assert difference_table(rows)[1][0][3] == "+0.000 (+0.000 to +0.000), p = 1.000"
    page = markdown(rows, ["watch out"], other="the twin")
    assert page.count("\n| a\\|b.txt | en | 10 | ") == 2
    assert "These scores less those of the twin:" in page
    assert page.endswith("\n- watch out\n")
