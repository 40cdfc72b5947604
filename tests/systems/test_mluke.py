"""The paper's control, and its comparison of ways to ask."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from exonym.corpus import PretrainingData, StepShare
from exonym.foundation.errors import InputError
from exonym.systems import mluke
from exonym.tasks import cloze
from exonym.tasks.cloze import Candidate, ClozeSet, Question
from exonym.training import Recipe, pretrain
from tiny_models import SHAPE


def test_the_control_has_the_same_steps_batches_and_schedule() -> None:
    recipe = mluke.recipe("mluke-atlas").only(*mluke.STAGES)
    control = mluke.words_only(recipe)
    assert control.name != recipe.name
    for one, other in zip(recipe.stages, control.stages, strict=True):
        assert other.objectives == ("words",)
        assert other.train == "words"
        assert replace(other, objectives=one.objectives, train=one.train) == one
    assert replace(control, name=recipe.name, stages=recipe.stages) == recipe


def _tiny(recipe: Recipe) -> Recipe:
    stages = tuple(replace(s, steps=3, warmup_steps=0) for s in recipe.stages)
    return replace(recipe, stages=stages, model=SHAPE, batch_sequences=4, departures={})


def test_the_control_sees_the_same_text_and_no_entity(
    make_corpus: Callable[..., Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    original, seen = PretrainingData.share, dict[int, tuple[Any, StepShare]]()

    def watching(self: PretrainingData, step: int, **split: int) -> StepShare:
        share = original(self, step, **split)
        seen[len(seen)] = self.references(step), share
        return share

    monkeypatch.setattr(PretrainingData, "share", watching)
    corpus = make_corpus(tmp_path / "corpus", {"en": 40, "ja": 20})
    recipe = _tiny(mluke.recipe("mluke-atlas"))
    pretrain(corpus, tmp_path / "backbone", recipe.only(mluke.BACKBONE))
    recipe = recipe.only(*mluke.STAGES)
    start = replace(recipe.model, backbone=tmp_path / "backbone" / "model")
    recipe = replace(recipe, model=start)
    seen.clear()
    pretrain(corpus, tmp_path / "mluke", recipe)
    with_entities, seen = seen, {}
    pretrain(corpus, tmp_path / "control", mluke.words_only(recipe))
    assert len(seen) == len(with_entities) == recipe.steps
    for number, (before, one) in with_entities.items():
        same, other = seen[number]
        assert np.array_equal(before, same)
        assert one.entities > 0
        assert other.entities == other.entity_targets == 0
        for batch in other.batches:
            assert batch.entity_ids.shape[1] == batch.entity_targets.size == 0


def _asked(told_in: tuple[str, ...] | None) -> ClozeSet:
    questions = tuple(
        Question(language, "P36", "Q1", "Japan", ("Q10",), told_in) for language in ("de", "en")
    )
    candidates = (Candidate("Q10", "Tokyo"), Candidate("Q11", "Rome"))
    keys = [(question.language, "P36") for question in questions]
    return ClozeSet(questions, dict.fromkeys(keys, "[X] [Y]"), dict.fromkeys(keys, candidates))


def test_a_comparison_asks_the_same_questions_in_every_way(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def right_by_entities(
        model: str,
        questions: list[Question],
        _source: ClozeSet,
        asking: cloze.Asking,
        *,
        fallback: bool,
    ) -> Any:
        assert not fallback
        for question in questions:
            entity = "Q10" if asking is cloze.Asking.ENTITY_XY else "Q11"
            yield cloze.Answer(question, entity, f"{model} {asking}", 0.0)

    monkeypatch.setattr(cloze, "answer", right_by_entities)
    source = _asked(("en",))
    rows = mluke.compare(source, "mluke", "control", ["untold"])  # type: ignore[arg-type]
    assert [row.name for row in rows] == [
        "chance", "most_frequent", "words_only", "mluke_w", "mluke_e_y", "mluke_e_xy",
    ]  # fmt: skip
    labels = [row.answers[0].label for row in rows[2:] if row.answers]
    assert labels == ["control words", "mluke words", "mluke entity-y", "mluke entity-xy"]
    assert {q.question.language for row in rows[1:] for q in row.answers or ()} == {"de"}
    block = mluke.accuracy_block(rows)
    assert [row["accuracy"] for row in block.values()] == [0.5, 1.0, 0.0, 0.0, 0.0, 1.0]
    assert block["mluke_e_xy"] == {
        "accuracy": 1.0, "low": 1.0, "high": 1.0, "questions": 1, "by_language": {"de": 1.0},
    }  # fmt: skip
    bias = mluke.bias_block(rows)
    assert "chance" not in bias
    assert (bias["mluke_w"]["share"], bias["mluke_e_xy"]["wrong"]) == (1.0, 0)


def test_without_a_control_its_row_is_left_out_and_without_questions_nothing_is_asked(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(cloze, "answer", lambda *_, **__: iter(()))
    rows = mluke.compare(_asked(None), "mluke", None, [None])  # type: ignore[arg-type]
    assert "words_only" not in [row.name for row in rows]
    with pytest.raises(InputError, match="no questions of the kind"):
        mluke.compare(_asked(None), "mluke", None, ["control"])  # type: ignore[arg-type]
