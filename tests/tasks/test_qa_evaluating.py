"""Training, measuring and showing by one call each, from files."""

from __future__ import annotations

import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import orjson
import pytest
from qa_models import answer_model, example

from exonym.foundation.errors import InputError
from exonym.tasks import qa, recipes
from exonym.tasks.qa.data import Dataset, read_examples
from exonym.tasks.qa.evaluating import (
    evaluate,
    fine_tune,
    rule_of_file,
    show_examples,
    write_official,
)
from exonym.tasks.qa.features import encode
from exonym.tasks.qa.metrics import score
from exonym.tasks.qa.predict import Answerer, load
from exonym.tasks.qa.settings import QaSettings
from exonym.tokenization import EntityTokenizer

SIZES = QaSettings(window=40, overlap=8, most_question=12, longest_answer=7)


def squad(*questions: tuple[str, str, str, str]) -> dict[str, Any]:
    """A document of (id, question, passage, answer)."""
    paragraphs = [
        {
            "context": context,
            "qas": [
                {
                    "id": number,
                    "question": question,
                    "answers": [{"text": answer, "answer_start": context.index(answer)}],
                }
            ],
        }
        for number, question, context, answer in questions
    ]
    return {"version": "1.1", "data": [{"title": "Cities", "paragraphs": paragraphs}]}


@pytest.fixture
def data(tmp_path: Path) -> Path:
    names = ("Tokyo", "Berlin", "Nairobi", "Japan")
    for language in ("en", "de"):
        document = squad(
            *(
                (f"{place}", f"Where is {name}?", f"{' a b' * place} {name} c d e", name)
                for place, name in enumerate(names)
            )
        )
        (tmp_path / f"cities.{language}.json").write_bytes(orjson.dumps(document))
    return tmp_path


def test_train_save_load_and_measure_from_files(data: Path, tokenizer: EntityTokenizer) -> None:
    answer_model(tokenizer, SIZES).save_pretrained(data / "pretrained")
    english, german = (read_examples(data / f"cities.{code}.json") for code in ("en", "de"))
    recipe = replace(
        recipes.QA,
        steps=40,
        validate_steps=10,
        learning_rate=1e-2,
        batch_size=4,
        precision="float32",
    )
    tuned = fine_tune(data / "pretrained", english, english, recipe, settings=SIZES, progress=False)
    assert tuned.counts["questions"] == tuned.counts["windows"] == 4
    tuned.model.save_pretrained(data / "model")
    model = load(data / "model")
    scores = evaluate(model, [english, german])
    assert scores.official() == {"exact_match": 100.0, "f1": 100.0}
    shown = [(row["context_language"], row["questions"], row["f1"]) for row in scores.rows()]
    assert shown == [("de", 4, 1.0), ("en", 4, 1.0), ("mean", 8, 1.0)]
    write_official(data / "predictions.json", model.predict(english.examples))
    assert orjson.loads((data / "predictions.json").read_bytes()) == {
        "0": "Tokyo",
        "1": "Berlin",
        "2": "Nairobi",
        "3": "Japan",
    }


@pytest.mark.parametrize("language", ["en", "es", "zh", "ar"])
def test_answers_of_xquad_lie_within_the_pieces_that_are_trained_on(
    language: str, shared_data: Path, tokenizer: EntityTokenizer
) -> None:
    examples = read_examples(shared_data / "xquad" / f"xquad.{language}.json").examples[::7]
    sizes = QaSettings(window=8000)
    for feature in encode(examples, tokenizer, sizes):
        one = examples[feature.example]
        assert feature.answer is not None
        first, last = (place - feature.context for place in feature.answer)
        covered = feature.offsets[first : last + 1]
        covered = covered[covered[:, 0] < covered[:, 1]]
        start, end = int(covered[:, 0].min()), int(covered[:, 1].max())
        gold = one.answers[0]
        blanks = len(gold.text) - len(gold.text.lstrip()), len(gold.text) - len(gold.text.rstrip())
        assert start <= gold.start + blanks[0] < gold.end - blanks[1] <= end
    right = {one.id: one.answers[0].text for one in examples}
    assert score(examples, right).official() == {"exact_match": 100.0, "f1": 100.0}


def test_a_question_without_an_answer_in_the_passage_counts_as_wrong(
    tokenizer: EntityTokenizer,
) -> None:
    asked = example("1", "Who?", " a", "a"), replace(example("2", "Who?", "b", "b"))
    empty = replace(asked[1], context=replace(asked[1].context, text=" "))
    scores = evaluate(Answerer(answer_model(tokenizer, SIZES)), Dataset((asked[0], empty), "squad"))
    assert (scores.exact_match, scores.unanswered) == (0.5, 1)
    with pytest.raises(InputError, match="the question '3' has no right answer"):
        evaluate(
            Answerer(answer_model(tokenizer, SIZES)),
            Dataset((example("3", "Who?", "c"),), "squad"),
        )


def test_files_are_read_and_scored_without_torch() -> None:
    code = "import sys; from exonym.tasks import qa; qa.score; print('torch' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


def test_every_public_name_is_there() -> None:
    for name in qa.__all__:
        assert getattr(qa, name) is not None
    with pytest.raises(AttributeError, match="has no attribute 'nothing'"):
        qa.nothing  # noqa: B018 - looking it up is what is tested


@pytest.mark.parametrize(
    ("name", "rule"),
    [
        ("test-context-ar-question-de.json", "mlqa"),
        ("dev-context-zh-question-zh.json.gz", "mlqa"),
        ("xquad.ar.json", "squad"),
        ("dev-v1.1.json", "squad"),
        ("my-context-questions.json", "squad"),
    ],
)
def test_the_name_of_a_file_says_whose_scores_it_is_for(name: str, rule: str) -> None:
    assert rule_of_file(Path("/some/where") / name) == rule


def test_examples_are_shown_as_the_model_sees_them(tokenizer: EntityTokenizer) -> None:
    long = " a b" * 20
    asked = [
        example("x", "Who is in Japan?", f"{long} Nairobi c", "Nairobi", mentions={"Japan": "Q1"}),
        example("y", "Who?", "東京", language="ja"),
        example("z", "Who?", long, long),
    ]
    first, second, third = show_examples(asked, tokenizer, SIZES)
    assert first.startswith("x (question, passage: en, en)\n  <s> ")
    place = first.split("entities: ")[1].splitlines()[0]
    assert place.startswith("Q1 at [")
    assert "answer: 'Nairobi' at [" in first
    assert re.search(r"pieces, window ([2-9]) of \1$", first)
    assert "entities: none\n  answer: none" in second
    assert "whole in no window" in third
    assert third.endswith("answers in no window: 1")
