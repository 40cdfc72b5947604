"""mLUKE (Ri, Yamada, Tsuruoka, ACL 2022): its recipes, its control, its comparison on facts."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from exonym.analysis import macro_average, most_frequent_wrong_share
from exonym.corpus import Corpus
from exonym.foundation.errors import InputError
from exonym.foundation.files import JSON
from exonym.foundation.progress import stage
from exonym.systems.recipes import BACKBONE, RECIPES, STAGES, mluke_atlas
from exonym.tasks import cloze
from exonym.tasks.cloze.data import Told
from exonym.tasks.cloze.metrics import chance, most_frequent
from exonym.training import Recipe, load_recipe
from exonym.training.recipe_files import changed

__all__ = [
    "BACKBONE",
    "RECIPES",
    "STAGES",
    "WAYS",
    "Asked",
    "Way",
    "accuracy_block",
    "bias_block",
    "compare",
    "recipe",
    "words_only",
]


def recipe(name_or_path: str, changes: Sequence[str] = (), *, corpus: Path | None = None) -> Recipe:
    """A recipe that comes with Exonym, by name, or one's own, by path.

    Args:
        name_or_path: one of `RECIPES`, or a TOML file.
        changes: see `load_recipe`.
        corpus: what it is for: the steps of ``mluke-atlas`` follow from its size. None takes that
            of the quickstart's.

    Raises:
        InputError: neither a known name nor a file; or no such corpus.
        ConfigError: an impossible recipe or change.
    """
    if name_or_path == "mluke-atlas" and corpus is not None:
        return changed(mluke_atlas(sequences=_sequences(corpus)), changes)
    if name_or_path in RECIPES:
        return changed(RECIPES[name_or_path](), changes)
    if not Path(name_or_path).is_file():
        raise InputError(
            f"no recipe {name_or_path!r}",
            remedy=f"Give one of {', '.join(RECIPES)}, or the path of a TOML file",
        )
    return load_recipe(Path(name_or_path), changes)


def _sequences(corpus: Path) -> int:
    return sum(len(sequences) for sequences in Corpus.open(corpus).languages.values())


def words_only(recipe: Recipe) -> Recipe:
    """The paper's "extra training" control: same data, steps and schedule, but words alone.

    Every stage trains what XLM-R has by masked language modelling, with no entity in the input.
    """
    stages = tuple(replace(s, train="words", objectives=("words",)) for s in recipe.stages)
    return replace(recipe, name=f"{recipe.name}-words-only", stages=stages)


@dataclass(frozen=True, slots=True)
class Way:
    """A row of the paper's cloze experiment: which model is asked, and how (section 5).

    Args:
        name: of the row.
        control: whether the words-only model is asked, and not mLUKE.
        asking: by words, or by entities.
    """

    name: str
    control: bool
    asking: cloze.Asking


WAYS = (
    Way("words_only", control=True, asking=cloze.Asking.WORDS),
    Way("mluke_w", control=False, asking=cloze.Asking.WORDS),
    Way("mluke_e_y", control=False, asking=cloze.Asking.ENTITY_Y),
    Way("mluke_e_xy", control=False, asking=cloze.Asking.ENTITY_XY),
)


@dataclass(frozen=True, slots=True)
class Asked:
    """One row of a comparison.

    Args:
        name: of the way to answer.
        scores: language, fact and score of every question.
        answers: in the same order; None for chance.
    """

    name: str
    scores: cloze.Scores
    answers: tuple[cloze.Answer, ...] | None


def compare(
    questions: cloze.ClozeSet,
    mluke: cloze.ClozeModel,
    control: cloze.ClozeModel | None,
    told: Collection[Told | None],
    *,
    asking: Collection[cloze.Asking] = tuple(cloze.Asking),
    fallback: bool = False,
) -> list[Asked]:
    """Ask the same questions in every way of the paper's cloze experiment (section 5).

    Args:
        questions: with templates and candidates; for the paper's first table those of
            `cloze.in_vocabulary`.
        mluke: the entity-trained model.
        control: the words-only model; its row is left out when None.
        told: which questions: ``"told"``, ``"untold"``, ``"control"``, or None for those that do
            not say.
        asking: the ways; the control is only asked by words.
        fallback: see `cloze.answer`; the paper's second table.

    Raises:
        InputError: there are no such questions.
    """
    asked = [question for question in questions.questions if question.told in told]
    if not asked:
        raise InputError(f"there are no questions of the kind {sorted(map(str, told))}")
    frequent = tuple(most_frequent(asked, questions))
    rows = [
        Asked("chance", chance(asked, questions), None),
        Asked("most_frequent", cloze.score(frequent), frequent),
    ]
    for way in WAYS:
        model = control if way.control else mluke
        if model is None or way.asking not in asking:
            continue
        answers = []
        with stage(f"asking {way.name}", total=len(asked), unit="questions") as progress:
            for given in cloze.answer(model, asked, questions, way.asking, fallback=fallback):
                answers.append(given)
                progress.advance()
        rows.append(Asked(way.name, cloze.score(answers), tuple(answers)))
    return rows


def accuracy_block(rows: Sequence[Asked], *, seed: int = 0) -> JSON:
    """Per row: ``accuracy``, ``low``, ``high``, ``questions``, ``by_language``.

    The intervals redraw facts, each in all its languages (`macro_average`).
    """
    return {row.name: asdict(macro_average(row.scores, seed=seed)) for row in rows}


def bias_block(rows: Sequence[Asked]) -> JSON:
    """Per row with answers: share of the most frequent wrong answer (`BiasEstimate`)."""
    block = {}
    for row in rows:
        if row.answers is not None:
            errors = [
                (given.question.language, given.question.relation, given.entity)
                for given in row.answers
                if not given.correct
            ]
            block[row.name] = asdict(most_frequent_wrong_share(errors))
    return block
