"""The tables of the reproduction: what each measures, and how."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from exonym.analysis.resampling import Floats, Measure
from exonym.analysis.task_scores import MEASURES
from exonym.systems.reproduction.plan import ROWS, TASK_ROWS

ASKED = ("words_only", "mluke_w", "mluke_e_y", "mluke_e_xy")
"""Ways of asking for facts: by words of each model, by [Y], by [X] and [Y]."""
BASELINES = ("chance", "most_frequent")
"""Ways of answering that need no model, and no seed."""


def _share(sums: Floats) -> Floats:
    """The first column by the last, which counts; 0 where that is 0."""
    count = sums[..., -1]
    return np.divide(sums[..., 0], count, out=np.zeros(count.shape), where=count > 0)


@dataclass(frozen=True)
class Table:
    """What is measured of which rows.

    Args:
        name: in file names.
        title: for people.
        paper: the benchmark that the paper has in its place.
        rows: by name, in order.
        measures: by the name of the score, the one that decides first; none where the measure is
            no function of sums.
        higher_is_better: whether it is.
        score: the name of the score that decides.
    """

    name: str
    title: str
    paper: str
    rows: tuple[str, ...]
    score: str
    measures: Mapping[str, Measure]
    higher_is_better: bool = True


TABLES: Mapping[str, Table] = {
    table.name: table
    for table in (
        Table(
            "qa",
            "Questions: asked and answered in the same language",
            "XQuAD",
            TASK_ROWS["qa"],
            "F1",
            MEASURES["qa"],
        ),
        Table(
            "xqa",
            "Questions: asked in another language than the passage's",
            "MLQA, question and passage in different languages (G-XLT)",
            TASK_ROWS["qa"],
            "F1",
            MEASURES["qa"],
        ),
        Table(
            "relation",
            "Relations",
            "RELX",
            TASK_ROWS["relation"],
            "macro F1",
            MEASURES["relation"],
        ),
        Table("ner", "Named entities", "CoNLL", TASK_ROWS["ner"], "F1", MEASURES["ner"]),
        Table(
            "retrieval",
            "Contextualised word retrieval: English answer spans find their counterparts",
            "contextualised word retrieval; of which words was not at hand",
            tuple(ROWS),
            "mean reciprocal rank",
            {"mean reciprocal rank": _share},
        ),
        Table(
            "modularity",
            "Modularity of the spans' nearest neighbours by language",
            "modularity; of which vectors was not at hand",
            tuple(ROWS),
            "modularity",
            {},
            higher_is_better=False,
        ),
        Table(
            "cloze",
            "Facts that the language never tells, but another one does",
            "mLAMA",
            (*BASELINES, *ASKED),
            "accuracy",
            {"accuracy": _share},
        ),
        Table(
            "control",
            "Control: facts that no language tells",
            "no counterpart",
            (*BASELINES, *ASKED),
            "accuracy",
            {"accuracy": _share},
        ),
        Table(
            "bias",
            "Language bias: share of the most frequent wrong answer",
            "mLAMA",
            ASKED,
            "share",
            {},
            higher_is_better=False,
        ),
    )
}
