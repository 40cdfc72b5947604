"""The calls that make a command: train, measure, show what the model sees."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

from exonym.foundation.files import write_json
from exonym.tasks.fine_tuned import FineTuned
from exonym.tasks.qa.data import Dataset
from exonym.tasks.qa.features import Feature, encode
from exonym.tasks.qa.learning import Learner
from exonym.tasks.qa.metrics import Rule, Scores, joined, score
from exonym.tasks.qa.model import AnswerModel
from exonym.tasks.qa.predict import Answerer, Prediction
from exonym.tasks.qa.records import QuestionExample
from exonym.tasks.qa.settings import QaSettings
from exonym.tasks.recipes import QA
from exonym.tokenization import EntityTokenizer
from exonym.training.fine_tuning import FineTuning
from exonym.training.fine_tuning import fine_tune as train

_MLQA_FILE = re.compile(r"context-[a-z-]+-question-[a-z-]+\.")


def fine_tune(
    dir_or_id: str | Path,
    training: Dataset,
    validation: Dataset | None = None,
    recipe: FineTuning = QA,
    *,
    settings: QaSettings | None = None,
    rule: Rule = "squad",
    progress: bool = True,
) -> FineTuned[AnswerModel]:
    """Train a new head, and the model below it, on questions with their answers.

    Args:
        dir_or_id: a pretrained checkpoint with its tokenizer.
        training: questions; those without a right answer are left out and counted.
        validation: to choose the best epoch on; None: the last one is kept.
        recipe: how; its seed is also that of the head's first weights.
        settings: how inputs are made; None takes mLUKE's, as far as the model goes.
        rule: whose scores the validation goes by.
        progress: show how far it is, on standard error.

    Raises:
        InputError: no checkpoint, or no tokenizer, is there; or there is nothing to learn from.
        ConfigError: settings or recipe ask for what the model cannot do.
        ResourceError: the machine ran out of memory.
    """
    model = AnswerModel.new(dir_or_id, settings, seed=recipe.seed)
    learner = Learner(model, training.examples, validation.examples if validation else (), rule)
    history = train(learner, recipe, progress=progress)
    return FineTuned(model, history, dict(learner.counts))


def rule_of_file(path: Path | str) -> Rule:
    """Whose scores a file is for: MLQA's where its name is one of MLQA's, else SQuAD's."""
    return "mlqa" if _MLQA_FILE.search(Path(path).name) else "squad"


def evaluate(
    model: Answerer,
    dataset: Dataset | Sequence[Dataset],
    *,
    rule: Rule = "squad",
    batch_size: int = 32,
) -> Scores:
    """Measure a model on questions with their answers.

    Args:
        model: fine-tuned.
        dataset: one file or several, of which each is scored by itself: they may share ids.
        rule: see `rule_of_file`.
        batch_size: most windows that go through the model together.

    Raises:
        InputError: a question has no right answer.
    """
    datasets = [dataset] if isinstance(dataset, Dataset) else dataset
    return joined(
        [
            score(
                one.examples,
                texts_by_id(model.predict(one.examples, batch_size=batch_size)),
                rule,
            )
            for one in datasets
        ]
    )


def texts_by_id(predictions: Iterator[Prediction]) -> dict[str, str]:
    """The best answers in the form of the official scripts: by the question's id, its text."""
    return {one.id: one.best.text for one in predictions if one.best is not None}


def write_official(path: Path | str, predictions: Iterator[Prediction]) -> None:
    """Write a file of predictions that the official scripts of SQuAD, XQuAD and MLQA read."""
    write_json(Path(path), texts_by_id(predictions))


def show_examples(
    examples: Sequence[QuestionExample],
    tokenizer: EntityTokenizer,
    settings: QaSettings | None = None,
) -> Iterator[str]:
    """Questions as a model will see them, a paragraph each: pieces, entities, the answer's place.

    Args:
        examples: the first few of a data set.
        tokenizer: of the model.
        settings: of the model.
    """
    settings = settings or QaSettings()
    made = EntityTokenizer(tokenizer.words, tokenizer.entities, boundary=settings.boundary)
    for example in examples:
        counts: Counter[str] = Counter()
        windows = encode([example], made, settings, counts)
        # The window to learn the answer from; of a question without one, the first.
        shown = next((window for window in windows if window.answer is not None), windows[0])
        left_out = "".join(
            f"; {reason}: {count}"
            for reason, count in counts.items()
            if count and reason not in ("questions", "windows", "mentions")
        )
        languages = f"{example.question.language}, {example.context.language}"
        yield "\n".join(
            [
                f"{example.id} (question, passage: {languages})",
                f"  {_pieces(shown, made)}",
                f"  entities: {_entities(shown, made)}",
                f"  answer: {_answer(example, shown, made)}",
                f"  {len(shown.input_ids)} pieces, window {windows.index(shown) + 1} of "
                f"{len(windows)}{left_out}",
            ]
        )


def _pieces(window: Feature, tokenizer: EntityTokenizer) -> str:
    return " ".join(tokenizer.words.piece(int(piece)) for piece in window.input_ids)


def _entities(window: Feature, tokenizer: EntityTokenizer) -> str:
    shown = [
        f"{tokenizer.entities.key(int(row))} at [{start}, {end})"
        for row, (start, end) in zip(window.entity_ids, window.spans.tolist(), strict=True)
    ]
    return ", ".join(shown) or "none"


def _answer(example: QuestionExample, window: Feature, tokenizer: EntityTokenizer) -> str:
    if not example.answers:
        return "none"
    first = example.answers[0]
    if window.answer is None:
        return f"{first.text!r}, whole in no window: <s> is to be chosen in all"
    start, end = window.answer
    pieces = " ".join(tokenizer.words.piece(int(i)) for i in window.input_ids[start : end + 1])
    return f"{first.text!r} at [{start}, {end + 1}): {pieces}"
