"""The calls that make a command: train, measure, show what the model sees."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

from exonym.foundation.errors import InputError
from exonym.tasks.fine_tuned import FineTuned
from exonym.tasks.recipes import RELATION
from exonym.tasks.relation.features import TASK, encode
from exonym.tasks.relation.learning import Learner
from exonym.tasks.relation.metrics import Scores, relations_of, score
from exonym.tasks.relation.model import RelationModel
from exonym.tasks.relation.predict import RelationExtractor
from exonym.tasks.relation.records import Dataset, RelationExample
from exonym.tasks.relation.settings import RelationSettings
from exonym.tokenization import EntityTokenizer
from exonym.training.fine_tuning import FineTuning
from exonym.training.fine_tuning import fine_tune as train


def fine_tune(
    dir_or_id: str | Path,
    training: Dataset,
    validation: Dataset | None = None,
    recipe: FineTuning = RELATION,
    *,
    settings: RelationSettings | None = None,
    progress: bool = True,
) -> FineTuned[RelationModel]:
    """Train a new head, and the model below it, on labelled examples.

    Args:
        dir_or_id: a pretrained checkpoint with its tokenizer.
        training: its labels are the model's.
        validation: to choose the best epoch on; None: the last one is kept.
        recipe: how; its seed is also that of the head's first weights.
        settings: how inputs are made; None takes those of the paper.
        progress: show how far it is, on standard error.

    Raises:
        InputError: no checkpoint, or no tokenizer, is there; or there is nothing to learn from.
        ConfigError: settings or recipe ask for what the model cannot do.
        ResourceError: the machine ran out of memory.
    """
    if len(training.labels) < 2:
        raise InputError(
            f"a classifier needs two labels at least, the examples have {len(training.labels)}",
            remedy="Give a file whose examples have labels",
        )
    model = RelationModel.new(dir_or_id, training.labels, settings, seed=recipe.seed)
    learner = Learner(model, training, validation)
    history = train(learner, recipe, progress=progress)
    counts = {reason: count for reason, count in learner.counts.items() if count}
    return FineTuned(model, history, counts)


def evaluate(
    model: RelationExtractor, dataset: Dataset | Sequence[Dataset], *, batch_size: int = 32
) -> Scores:
    """Measure a model on labelled examples, each language by itself.

    The macro F1 is over all relations of the model and of the examples.

    Args:
        model: fine-tuned.
        dataset: one file or several.
        batch_size: most pairs that go through the model together.

    Raises:
        InputError: no example has a label.
    """
    datasets = [dataset] if isinstance(dataset, Dataset) else list(dataset)
    labelled = [
        example for one in datasets for example in one.examples if example.label is not None
    ]
    if not labelled:
        raise InputError("there is no example with a label to measure by")
    predicted = [found.label for found in model.predict(labelled, batch_size=batch_size)]
    groups: dict[str, tuple[list[str], list[str | None]]] = {}
    for example, label in zip(labelled, predicted, strict=True):
        gold, given = groups.setdefault(example.language, ([], []))
        gold.append(example.label or "")
        given.append(label)
    every = relations_of(model.labels, [example.label for example in labelled])
    return Scores({code: score(*groups[code], every) for code in sorted(groups)})


def show_examples(
    examples: Sequence[RelationExample],
    tokenizer: EntityTokenizer,
    settings: RelationSettings | None = None,
) -> Iterator[str]:
    """Examples as a model will see them, a paragraph each: label, pieces, markers and entities.

    Args:
        examples: the first few of a data set.
        tokenizer: of the model; for any task.
        settings: of the model.
    """
    settings = settings or RelationSettings()
    made = EntityTokenizer(
        tokenizer.words, tokenizer.entities, boundary=settings.boundary, task=TASK
    )
    counts: Counter[str] = Counter()
    for example, feature in zip(
        examples, encode(examples, made, settings, counts=counts), strict=True
    ):
        text = feature.text
        pieces = " ".join(made.words.piece(int(identifier)) for identifier in text.input_ids)
        head, tail = (f"[{start}, {end})" for start, end in text.spans.tolist())
        cut = f"; {text.cut_pieces} pieces were cut off" if text.cut_pieces else ""
        yield (
            f"{example.id} ({example.language}) {example.label}\n"
            f"  {pieces}\n"
            f"  [MASK] over the pieces {head}, [MASK2] over {tail}; "
            f"{len(text.input_ids)} pieces{cut}"
        )
