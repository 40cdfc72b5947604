"""The calls that make a command: train, measure, show what the model sees."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from exonym.foundation.errors import InputError
from exonym.tasks.fine_tuned import FineTuned
from exonym.tasks.ner.features import NerFeature, encode, missed
from exonym.tasks.ner.learning import Learner
from exonym.tasks.ner.metrics import Scores, score
from exonym.tasks.ner.model import NerModel
from exonym.tasks.ner.predict import EntityRecognizer
from exonym.tasks.ner.records import Dataset, NerExample
from exonym.tasks.ner.settings import NerSettings
from exonym.tasks.recipes import NER
from exonym.tokenization import EntityTokenizer
from exonym.training.fine_tuning import FineTuning
from exonym.training.fine_tuning import fine_tune as train


def fine_tune(
    dir_or_id: str | Path,
    training: Dataset,
    validation: Dataset | None = None,
    recipe: FineTuning = NER,
    *,
    settings: NerSettings | None = None,
    progress: bool = True,
) -> FineTuned[NerModel]:
    """Train a new head, and the model below it, on sentences with entities.

    Args:
        dir_or_id: a pretrained checkpoint with its tokenizer.
        training: its types of entities are the model's.
        validation: to choose the best epoch on; None: the last one is kept.
        recipe: how; its seed is also that of the head's first weights.
        settings: which spans, how much context, what the classifier sees of a span.
        progress: show how far it is, on standard error.

    Raises:
        InputError: no checkpoint, or no tokenizer, is there; or there is nothing to learn from.
        ConfigError: settings or recipe ask for what the model cannot do.
        ResourceError: the machine ran out of memory.
    """
    model = NerModel.new(dir_or_id, training.labels, settings, seed=recipe.seed)
    learner = Learner(model, training, validation)
    history = train(learner, recipe, progress=progress)
    return FineTuned(model, history, dict(learner.counts))


def evaluate(
    model: EntityRecognizer, dataset: Dataset | Sequence[Dataset], *, batch_size: int = 32
) -> Scores:
    """Measure a model; each language, and each type, by itself.

    The gold counts as it is, also entities that the model cannot reach.

    Args:
        model: fine-tuned.
        dataset: one file or several.
        batch_size: most sentences that go through the model together.

    Raises:
        InputError: there is no sentence.
    """
    datasets = [dataset] if isinstance(dataset, Dataset) else list(dataset)
    examples = [example for one in datasets for example in one.examples]
    if not examples:
        raise InputError("there is no sentence to measure by")
    return score(
        [example.entities for example in examples],
        list(model.predict(examples, batch_size=batch_size)),
        [example.language for example in examples],
    )


def show_examples(
    examples: Sequence[NerExample],
    tokenizer: EntityTokenizer,
    settings: NerSettings | None = None,
) -> Iterator[str]:
    """Examples as a model will see them, a paragraph each: pieces, spans, entities.

    Context is not shown: it is the other sentences of the document.

    Args:
        examples: the first few of a data set.
        tokenizer: of the model.
        settings: of the model.
    """
    settings = settings or NerSettings()
    made = EntityTokenizer(tokenizer.words, tokenizer.entities, boundary=settings.boundary)
    for example in examples:
        alone = NerExample(example.text, example.language, example.entities, example.words)
        features = encode([alone], made, settings)
        lines = [f"{example.source or 'text'} ({example.language})", f"  {example.text}"]
        for feature in features:
            pieces = [made.words.piece(int(identifier)) for identifier in feature.input_ids]
            lines.append("  " + " ".join(pieces))
        spans = sum(len(feature.spans) for feature in features)
        lines.append(f"  {spans} spans of at most {settings.span_limit} pieces")
        lines += [f"  {line}" for line in _entities(alone, features, made)]
        lines += [
            f"  {count} not reachable: {reason}"
            for reason, count in missed([alone], made, settings).items()
        ]
        yield "\n".join(lines)


def _entities(
    example: NerExample, features: Sequence[NerFeature], tokenizer: EntityTokenizer
) -> Iterator[str]:
    """A line for each entity: its type, its characters, its pieces."""
    for start, end, label in example.entities:
        shown = "no span"
        for feature in features:
            found = (feature.characters == (start, end)).all(axis=1).nonzero()[0]
            if len(found):
                first, last = feature.spans[found[0]].tolist()
                ids = feature.input_ids[first:last]
                shown = " ".join(tokenizer.words.piece(int(identifier)) for identifier in ids)
        yield f"{label} [{start}, {end}) {example.text[start:end]!r}: {shown}"
