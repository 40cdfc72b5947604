"""What the reproduction runs: the models of the tables' rows, the tasks, and their settings.

The paper's rows, all from the same corpus:

    words_only      the "extra training" control: the same steps on words alone
    mluke_w         mLUKE, its input without entities
    mluke_e         mLUKE with entities in its input
    mluke_e_random  the same with the entities' vectors drawn anew before fine-tuning

Budget for 500 entities, 24 languages, three seeds, in seconds of one core:

    step                                        one run    runs      all
    world, knowledge base, corpus                    30       1       30
    benchmarks, entities of their questions          40       1       40
    pretraining: backbone                           100       3      300
    pretraining: mLUKE or control                 1,120       6    6,720
    named entities, with them in the input          250       3      750
    named entities, words only                       60       6      360
    relations                                        35       9      320
    questions, and 42 pairs of languages            135      12    1,620
    cloze: by words                                  75       6      450
    cloze: by entities                               15       6       90
    retrieval and modularity                         30      12      360
    intervals                                        30       1       30

That is 11,070 seconds of a core: 1 h 32 min of two, if both always have something to do. Single
runs were measured on two cores that others used as well: pretraining as elapsed time (the
quickstart's), the others as processor time, and scaled to 200 examples of a test.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from exonym.atlas.benchmarks import BenchmarkOptions
from exonym.foundation.errors import ConfigError
from exonym.foundation.files import JSON
from exonym.modeling.config import Variant
from exonym.systems.steps import plain_options
from exonym.training.fine_tuning import FineTuning

SOURCE = "en"
"""The language that tasks are trained in."""


@dataclass(frozen=True, slots=True)
class Row:
    """A model as a row of the tables.

    Args:
        name: of the row.
        run: folder of a seed that has the pretrained model.
        variant: whether its input has entities.
    """

    name: str
    run: str
    variant: Variant


ROWS: Mapping[str, Row] = {
    row.name: row
    for row in (
        Row("words_only", "words-only", "words"),
        Row("mluke_w", "mluke", "words"),
        Row("mluke_e", "mluke", "entities"),
        Row("mluke_e_random", "random", "entities"),
    )
}

TASK_ROWS: Mapping[str, tuple[str, ...]] = {
    "qa": tuple(ROWS),
    "relation": ("words_only", "mluke_w", "mluke_e"),
    "ner": ("words_only", "mluke_w", "mluke_e"),
}
"""By task. A random table changes nothing where the input has no entity but [MASK]: its row stays,
and so do those of the other special ones (`modeling.entity_rows.random_rows`)."""

_SMALL = FineTuning(
    learning_rate=1e-3, warmup_share=0.1, max_gradient_norm=1.0, patience=None, epochs=8
)
TRAINING: Mapping[str, FineTuning] = {
    "qa": replace(_SMALL, batch_size=32, epochs=10),
    "relation": replace(_SMALL, batch_size=32),
    "ner": replace(_SMALL, batch_size=16),
}
"""One setting for each task, the same for all rows: small models bear, and need, large rates. The
best epoch on the English validation examples is kept."""

INPUT: Mapping[str, Mapping[str, object]] = {"ner": {"span_limit": 10}}
"""Where a task's input is not as by default. Atlas's names have few pieces, and shorter spans
cost less; names that are longer stay in the gold, and training counts them."""


@dataclass(frozen=True, slots=True)
class ReproductionOptions:
    """What is reproduced on Atlas. All but ``seeds`` must stay when a stopped one goes on.

    Args:
        seeds: how many models are pretrained, and fine-tuned for each task, of every row.
        entities: size of the world: the first entities of the table; None takes all.
        table: another table of facts; None takes Atlas's own.
        languages: codes, English among them; None takes all of the table's.
        recipe: of pretraining: name or path.
        changes: to the recipe, as ``field=value``.
        vocabulary_size: most pieces of the tokenizer.
        max_words: most pieces of a sequence of the corpus.
        train: most examples to train with, for each task.
        validation: most examples to choose an epoch by.
        test: most examples to test with, for each task and language.
        seed: of the world and the benchmarks; the models' seeds count from it.
    """

    seeds: int = 3
    entities: int | None = 500
    table: Path | None = None
    languages: tuple[str, ...] | None = None
    recipe: str = "mluke-atlas"
    changes: tuple[str, ...] = ()
    vocabulary_size: int = 8000
    max_words: int = 64
    train: int = 2000
    validation: int = 300
    test: int = 200
    seed: int = 0

    def __post_init__(self) -> None:
        if self.seeds < 1:
            raise ConfigError(f"the number of seeds must be at least 1, got {self.seeds}")
        if self.languages is not None and not {SOURCE} < set(self.languages):
            raise ConfigError(
                "tasks are trained in English and tested in other languages: give en and others, "
                f"got {', '.join(self.languages)}",
                where="--languages",
            )

    @property
    def model_seeds(self) -> tuple[int, ...]:
        """Of the models."""
        return tuple(range(self.seed, self.seed + self.seeds))

    @property
    def benchmarks(self) -> BenchmarkOptions:
        """How many examples each task has."""
        return BenchmarkOptions(
            train=self.train,
            validation=self.validation,
            test=self.test,
            source=SOURCE,
            seed=self.seed,
        )

    def to_json(self) -> JSON:
        """Plain values."""
        return plain_options(self)

    def identity(self) -> JSON:
        """What a folder must agree in to be gone on with."""
        return {name: value for name, value in self.to_json().items() if name != "seeds"}
