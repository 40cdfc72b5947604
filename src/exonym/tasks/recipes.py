"""How the tasks are fine-tuned unless one says otherwise.

The values are those of mLUKE's released configurations (github.com/studio-ousia/luke, the files
base.libsonnet in examples/ner and examples/relation_classification, revision 43e3526, and in
examples/reading_comprehension/configs_squad, revision 14d9fa3; batch sizes times their steps of
accumulation): learning rate, warm-up, weight decay and what it spares, epochs, patience, norm of
gradients. The measure that chooses the epoch is another: they take micro F1 for relations and the
loss for questions, here it is what the task is scored by, macro F1 and F1.

Its authors say that the paper's scores take a grid search (examples/README.md, 14d9fa3), and not
over which values; their example changes batch size, learning rate and seed. So no grid here is the
paper's: those of `GRIDS` are the released values and those beside them. The seeds are ours, too;
the configurations have one, 0.
"""

from __future__ import annotations

from collections.abc import Mapping

from exonym.tasks.tuning import Grid
from exonym.training.fine_tuning import FineTuning

NER = FineTuning()
RELATION = FineTuning(batch_size=32, max_gradient_norm=None)
QA = FineTuning(learning_rate=2e-5, batch_size=32, epochs=2)

RECIPES: Mapping[str, FineTuning] = {"ner": NER, "relation": RELATION, "qa": QA}
"""By task; learning rate, batch size and epochs as released."""

_RATES = (1e-5, 2e-5, 3e-5)
GRIDS: Mapping[str, Grid] = {
    "ner": Grid(_RATES, (8, 16), (5,), NER),
    "relation": Grid(_RATES, (16, 32), (5,), RELATION),
    "qa": Grid(_RATES, (16, 32), (2,), QA),
}
"""By task; what is searched: ours, around the released values."""

SEEDS = (0, 1, 2)
"""The best settings are run with each of them."""
