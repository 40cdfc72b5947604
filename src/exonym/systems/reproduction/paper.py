"""The paper's own figures, as far as they were at hand, and where each was seen.

Ri, Yamada and Tsuruoka, "mLUKE: The Power of Entity Representations in Multilingual Pretrained
Language Models" (ACL 2022, arXiv 2110.08151). Of the paper's text the abstract and the beginning of
the introduction were at hand when this was written, not its tables. The figures are from indexes of
papers and from the authors' repository (github.com/studio-ousia/luke; revisions in brackets), which
has scores of released large models. Nothing here is from memory: a cell without a figure that was
seen stays empty. Whoever has the paper can add the others to `FIGURES`, each with its source.
"""

from __future__ import annotations

from dataclasses import dataclass

PAPER = "Ri, Yamada and Tsuruoka, ACL 2022 (arXiv 2110.08151)"
_ARCHIVE = "Papers with Code archive, results of 2110.08151: model named, not its size"
_INDEX = "wizwand, benchmarks of 2110.08151: a figure for each, model not named"
_NER = (
    "studio-ousia/luke, examples/ner/README.md (051e760): mluke-large-lite-finetuned-conll-2003, "
    "not the paper's very model; languages differ from the paper, the average does not"
)
_RELATION = (
    "studio-ousia/luke, examples/relation_classification/README.md (14d9fa3): "
    "mluke-large-lite-finetuned-kbp37; whether the paper's scores are its, is not said"
)


@dataclass(frozen=True, slots=True)
class Figure:
    """A figure of the paper or its authors.

    Args:
        table: of `tables.TABLES`.
        row: of that table; None where the source does not name the model.
        what: benchmark, language and score.
        value: as published.
        source: where it was seen.
        average: whether it is the mean over the benchmark's languages.
    """

    table: str
    row: str | None
    what: str
    value: float
    source: str
    average: bool = False


FIGURES = (
    Figure("qa", "mluke_e", "XQuAD, average F1", 74.2, _ARCHIVE, average=True),
    Figure("qa", None, "XQuAD, F1", 79.6, _INDEX),
    Figure("qa", None, "XQuAD, English, F1", 89.0, _INDEX),
    Figure("qa", None, "MLQA, Spanish, F1", 74.5, _INDEX),
    Figure("xqa", None, "MLQA G-XLT, average", 67.7, _INDEX),
    Figure("relation", None, "RELX, English, F1", 69.3, _INDEX),
    Figure("relation", None, "RELX, Spanish, macro F1, released large model", 67.8, _RELATION),
    Figure("relation", None, "RELX, Spanish, micro F1, released large model", 68.5, _RELATION),
    Figure("relation", None, "RELX, Spanish, accuracy, released large model", 65.1, _RELATION),
    Figure("ner", None, "CoNLL, German, F1", 78.3, _INDEX),
    Figure("ner", None, "CoNLL, English, F1, released large model", 94.1, _NER),
    Figure("ner", None, "CoNLL, German, F1, released large model", 78.8, _NER),
    Figure("ner", None, "CoNLL, Dutch, F1, released large model", 82.4, _NER),
    Figure("ner", None, "CoNLL, Spanish, F1, released large model", 82.2, _NER),
    Figure("ner", None, "CoNLL, average F1, released large model", 84.4, _NER),
    Figure("cloze", None, "mLAMA, German, accuracy", 43.7, _INDEX),
    Figure("cloze", None, "mLAMA, Arabic, accuracy", 42.4, _INDEX),
)


def average_of(table: str, row: str) -> Figure | None:
    """The paper's average over languages for a row; None where it was not at hand."""
    found = (f for f in FIGURES if f.average and (f.table, f.row) == (table, row))
    return next(found, None)


def seen_of(table: str) -> tuple[Figure, ...]:
    """All figures that were seen for a table."""
    return tuple(figure for figure in FIGURES if figure.table == table)
