"""What fine-tuning and measuring ask of each task, under the same names for all three."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from exonym.analysis.task_scores import Part, ner_parts, qa_parts, relation_parts
from exonym.foundation.errors import InputError
from exonym.modeling import (
    EncoderConfig,
    EntityPairClassifier,
    EntitySpanClassifier,
    QuestionAnswering,
)
from exonym.modeling.config import Variant
from exonym.tasks import ner, qa, relation
from exonym.tasks.grid_files import changed
from exonym.tasks.qa.metrics import Rule

TASKS = ("ner", "relation", "qa")
Names = Mapping[str, str | None]


@dataclass(frozen=True)
class Kit:
    """A task's functions. Data sets, settings and models are the task's own.

    Args:
        name: of the task.
        architecture: of its head, as transformers names it.
        defaults: settings of its input.
        read: (path, language, encoding) to the data set of a file.
        joined: (data sets) to one with the examples of all.
        languages: of an example; of a question's passage first.
        settings: (model's configuration, variant, changes) to settings that fit the model.
        learner: (base, training set, validation set or None, settings, seed) to a new head on a
            model with what it learns from, a `training.fine_tuning.Learner`.
        load: (directory or name, linker or None) to a fine-tuned model.
        labels: (model) to the labels that it can predict.
        require_gold: (path, data set) to what of it can be scored.
        predict: (model, examples, batch size) to the prediction for each example, in order.
        parts: (file's name, examples, predictions, labels of the model or of both that are
            compared) to what the predictions score.
    """

    name: str
    architecture: str
    defaults: Any
    read: Callable[[Path, str | None, str | None], Any]
    joined: Callable[[Sequence[Any]], Any]
    languages: Callable[[Any], tuple[str, ...]]
    settings: Callable[[EncoderConfig, Variant, Mapping[str, object]], Any]
    learner: Callable[[str | Path, Any, Any, Any, int], Any]
    load: Callable[[str | Path, Any], Any]
    labels: Callable[[Any], tuple[str, ...]]
    require_gold: Callable[[Path, Any], Any]
    predict: Callable[[Any, Sequence[Any], int], Iterator[Any]]
    parts: Callable[[str, Sequence[Any], Sequence[Any], Collection[str]], list[Part]]

    def only(self, data: Any, languages: Collection[str]) -> Any:
        """The examples of some languages."""
        chosen = (one for one in data.examples if self.languages(one)[0] in languages)
        return replace(data, examples=tuple(chosen))


def kit_of(
    task: str,
    *,
    names: Names | None = None,
    rule: Rule | None = None,
    tag_names: Sequence[str] | None = None,
) -> Kit:
    """The kit of a task.

    Args:
        task: ``"ner"``, ``"relation"`` or ``"qa"``.
        names: of types of named entities that are read otherwise, in files and of models; None
            leaves a type out.
        rule: of the script whose scores of answers count; None: MLQA's for files whose names are
            MLQA's, else SQuAD's.
        tag_names: of tags of named entities that are numbers, from 0 on.

    Raises:
        InputError: there is no such task.
    """
    match task:
        case "ner":
            return ner_kit(names or {}, tag_names)
        case "relation":
            return relation_kit()
        case "qa":
            return qa_kit(rule)
    raise InputError(f"no task {task!r}", remedy=f"There are {', '.join(TASKS)}")


def _concatenated(parts: Sequence[Any]) -> Any:
    """The examples of several files as one data set."""
    return replace(parts[0], examples=tuple(one for part in parts for one in part.examples))


def _renumbered(parts: Sequence[qa.Dataset]) -> qa.Dataset:
    """The same for questions, whose ids several files may share, as parallel ones do."""
    if len(parts) == 1:
        return parts[0]
    examples = (
        replace(one, id=f"{number}:{one.id}")
        for number, part in enumerate(parts, start=1)
        for one in part.examples
    )
    return replace(parts[0], examples=tuple(examples))


def ner_kit(names: Names, tag_names: Sequence[str] | None) -> Kit:
    """Named entity recognition; see `kit_of`."""

    def read(path: Path, language: str | None, encoding: str | None) -> ner.Dataset:
        data = ner.read_examples(path, language=language, encoding=encoding, tag_names=tag_names)
        return data.renamed(names) if names else data

    def settings(
        config: EncoderConfig, variant: Variant, changes: Mapping[str, object]
    ) -> ner.NerSettings:
        return changed(ner.NerSettings(variant=variant), changes).fitted(config)

    def learner(
        base: str | Path,
        training: ner.Dataset,
        validation: ner.Dataset | None,
        settings: ner.NerSettings,
        seed: int,
    ) -> ner.Learner:
        model = ner.NerModel.new(base, training.labels, settings, seed=seed)
        return ner.Learner(model, training, validation)

    def predict(
        model: ner.EntityRecognizer, examples: Sequence[ner.NerExample], batch_size: int
    ) -> Iterator[list[ner.NamedEntity]]:
        for found in model.predict(examples, batch_size=batch_size):
            yield _renamed(found, names)

    def parts(
        file: str,
        examples: Sequence[ner.NerExample],
        predicted: Sequence[list[ner.NamedEntity]],
        _labels: Collection[str],
    ) -> list[Part]:
        return ner_parts(file, examples, predicted)

    return Kit(
        name="ner",
        architecture=EntitySpanClassifier.architecture,
        defaults=ner.NerSettings(),
        read=read,
        joined=_concatenated,
        languages=lambda example: (example.language,),
        settings=settings,
        learner=learner,
        load=lambda model, linker: ner.load(model, linker=linker),
        labels=lambda model: _renamed_labels(model.labels, names),
        require_gold=lambda _path, data: data,
        predict=predict,
        parts=parts,
    )


def _renamed(found: list[ner.NamedEntity], names: Names) -> list[ner.NamedEntity]:
    if not names:
        return found
    pairs = ((one, names.get(one.label, one.label)) for one in found)
    return [replace(one, label=label) for one, label in pairs if label is not None]


def _renamed_labels(labels: Sequence[str], names: Names) -> tuple[str, ...]:
    found = (names.get(label, label) for label in labels)
    return tuple(dict.fromkeys(label for label in found if label is not None))


def relation_kit() -> Kit:
    """Relation extraction."""

    def settings(
        config: EncoderConfig, variant: Variant, changes: Mapping[str, object]
    ) -> relation.RelationSettings:
        longest = min(relation.RelationSettings().max_length, config.max_words)
        return changed(relation.RelationSettings(longest, variant=variant), changes)

    def learner(
        base: str | Path,
        training: relation.Dataset,
        validation: relation.Dataset | None,
        settings: relation.RelationSettings,
        seed: int,
    ) -> relation.Learner:
        model = relation.RelationModel.new(base, training.labels, settings, seed=seed)
        return relation.Learner(model, training, validation)

    def require_gold(path: Path, data: relation.Dataset) -> relation.Dataset:
        labelled = tuple(example for example in data.examples if example.label is not None)
        if not labelled:
            raise InputError("no example has a label to measure by", where=path)
        return replace(data, examples=labelled)

    def parts(
        file: str,
        examples: Sequence[relation.RelationExample],
        predicted: Sequence[relation.Relation],
        labels: Collection[str],
    ) -> list[Part]:
        return relation_parts(file, examples, [one.label for one in predicted], sorted(labels))

    return Kit(
        name="relation",
        architecture=EntityPairClassifier.architecture,
        defaults=relation.RelationSettings(),
        read=lambda path, language, encoding: relation.read_examples(
            path, language=language, encoding=encoding
        ),
        joined=_concatenated,
        languages=lambda example: (example.language,),
        settings=settings,
        learner=learner,
        load=lambda model, linker: relation.load(model, linker=linker),
        labels=lambda model: tuple(model.labels),
        require_gold=require_gold,
        predict=_predicted,
        parts=parts,
    )


def qa_kit(rule: Rule | None) -> Kit:
    """Question answering; see `kit_of`."""
    passages: dict[str, str] = {}

    def read(path: Path, language: str | None, encoding: str | None) -> qa.Dataset:
        if encoding is not None:
            raise InputError("files of questions are JSON, which is UTF-8", where="--encoding")
        return qa.read_examples(path, language=language)

    def settings(
        config: EncoderConfig, variant: Variant, changes: Mapping[str, object]
    ) -> qa.QaSettings:
        return changed(replace(qa.QaSettings.within(config.max_words), variant=variant), changes)

    def learner(
        base: str | Path,
        training: qa.Dataset,
        validation: qa.Dataset | None,
        settings: qa.QaSettings,
        seed: int,
    ) -> qa.Learner:
        model = qa.AnswerModel.new(base, settings, seed=seed)
        chosen = validation.examples if validation else ()
        return qa.Learner(model, training.examples, chosen, rule or "squad")

    def require_gold(path: Path, data: qa.Dataset) -> qa.Dataset:
        try:
            qa.score(data.examples, {}, rule or qa.rule_of_file(path))
        except InputError as error:
            raise InputError(error.what, where=path, remedy=error.remedy) from error
        return data

    def parts(
        file: str,
        examples: Sequence[qa.QuestionExample],
        predicted: Sequence[qa.Prediction],
        _labels: Collection[str],
    ) -> list[Part]:
        texts = {one.id: one.best.text for one in predicted if one.best is not None}
        return qa_parts(file, examples, texts, rule or qa.rule_of_file(file), passages)

    return Kit(
        name="qa",
        architecture=QuestionAnswering.architecture,
        defaults=qa.QaSettings(),
        read=read,
        joined=_renumbered,
        languages=lambda example: tuple(
            dict.fromkeys((example.context.language, example.question.language))
        ),
        settings=settings,
        learner=learner,
        load=lambda model, linker: qa.load(model, linker=linker),
        labels=lambda _model: (),
        require_gold=require_gold,
        predict=_predicted,
        parts=parts,
    )


def _predicted(
    model: relation.RelationExtractor | qa.Answerer, examples: Sequence[Any], batch_size: int
) -> Iterator[Any]:
    return model.predict(examples, batch_size=batch_size)
