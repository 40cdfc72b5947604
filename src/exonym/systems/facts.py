"""Facts asked of mLUKE and its control, as the two tables of its paper have them (section 5)."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from exonym.foundation.errors import ConfigError, InputError
from exonym.foundation.files import JSON
from exonym.knowledge import EntityVocabulary, JoinedVocabulary
from exonym.systems import mluke
from exonym.tasks import cloze


class Candidates(StrEnum):
    """Among what an answer is chosen.

    TYPED: the objects of the relation (mLAMA's typed querying).
    FULL: the objects of all relations of the language.
    """

    TYPED = "typed"
    FULL = "full"


class Unknown(StrEnum):
    """What becomes of candidates that have no row in the entity vocabulary.

    LEAVE_OUT: they are left out, for words as for entities, and with them the questions that have
        no other right answer: the paper's first table.
    WORDS: by entities, they have the score of their words: the paper's second table.
    KEEP: they stay, and are never chosen by entities.
    """

    LEAVE_OUT = "leave-out"
    WORDS = "words"
    KEEP = "keep"


@dataclass(frozen=True, slots=True)
class FactOptions:
    """How facts are asked; the defaults are those of the paper's first table.

    Args:
        candidates: among what an answer is chosen.
        unknown: what becomes of candidates without a row.
        asking: by words, by the entity at [Y], or by it with the subject's entity at [X].
    """

    candidates: Candidates = Candidates.TYPED
    unknown: Unknown = Unknown.LEAVE_OUT
    asking: tuple[cloze.Asking, ...] = tuple(cloze.Asking)

    def to_json(self) -> JSON:
        """Plain values."""
        return {
            "candidates": self.candidates.value,
            "unknown": self.unknown.value,
            "asking": [way.value for way in self.asking],
        }


@dataclass(frozen=True)
class FactFigures:
    """How well facts were answered.

    Args:
        options: how they were asked.
        coverage: what the entity vocabulary knows, before anything was left out for it.
        asked: how many questions were asked.
        left_out: what was left out or odd, by reason, from the files on.
        accuracy: by kind of question (``"told"``, ``"untold"``, ``"control"``, or ``"all"`` where
            the files do not say) and row; see `mluke.accuracy_block`.
        bias: the same; see `mluke.bias_block`.
    """

    options: FactOptions
    coverage: cloze.Coverage
    asked: int
    left_out: dict[str, int] = field(default_factory=dict)
    accuracy: dict[str, JSON] = field(default_factory=dict)
    bias: dict[str, JSON] = field(default_factory=dict)

    def to_json(self) -> JSON:
        """All of it as plain values."""
        return {
            "task": "cloze",
            "options": self.options.to_json(),
            "counts": {
                **self.coverage.to_json(),
                "asked": self.asked,
                "left_out": self.left_out,
            },
            "accuracy": self.accuracy,
            "bias": self.bias,
        }


def measure_facts(
    questions: cloze.ClozeSet,
    model: cloze.ClozeModel,
    control: cloze.ClozeModel | None = None,
    options: FactOptions | None = None,
    *,
    seed: int = 0,
) -> FactFigures:
    """Ask facts in every way, and say how many were right.

    Args:
        questions: as they were read.
        model: the entity-trained model, whose vocabulary decides what is left out.
        control: the words-only model, asked the same questions with the same candidates.
        options: how; None: as in the paper's first table.
        seed: of the bootstrap intervals.

    Raises:
        InputError: no candidate is an entity of the vocabulary, or no question is left.
        ConfigError: there is no way to ask, or the control could not be asked.
    """
    options = options or FactOptions()
    if not options.asking:
        raise ConfigError(f"expected one of {', '.join(cloze.Asking)}", where="--asking")
    if control is not None and cloze.Asking.WORDS not in options.asking:
        raise ConfigError(
            "the words-only control is asked by words", where="--control", remedy="Add words"
        )
    if options.candidates is Candidates.FULL:
        questions = questions.with_full_candidates()
    entities = model.tokenizer.entities
    known = cloze.coverage(questions, entities)
    by_words = options.asking == (cloze.Asking.WORDS,) and options.unknown is not Unknown.LEAVE_OUT
    if not known.known and not by_words:
        raise _nothing_known(known, entities)
    if options.unknown is Unknown.LEAVE_OUT:
        questions = cloze.in_vocabulary(questions, entities)
    asked = len(questions.questions)
    figures = FactFigures(options, known, asked, dict(questions.left_out))
    for kind in sorted({question.told for question in questions.questions}, key=str):
        rows = mluke.compare(
            questions,
            model,
            control,
            [kind],
            asking=options.asking,
            fallback=options.unknown is Unknown.WORDS,
        )
        figures.accuracy[kind or "all"] = mluke.accuracy_block(rows, seed=seed)
        figures.bias[kind or "all"] = mluke.bias_block(rows)
    return figures


def _nothing_known(known: cloze.Coverage, entities: EntityVocabulary) -> InputError:
    """Why questions about Wikidata's items cannot be answered by entities, and what to do."""
    what = f"none of the {known.entities:,} candidates with an entity has a row in the vocabulary"
    if len(entities) <= len(entities.special_rows):
        return InputError(
            f"{what}: it has the special rows only, as of a lite checkpoint",
            where=entities.path,
            remedy="Take the whole checkpoint, or ask by words alone: "
            "--asking words --unknown words",
        )
    if isinstance(entities, JoinedVocabulary):
        known_languages = ", ".join(entities.kb.languages)
        return InputError(
            f"{what}, and {entities.kb.path} leads to none: it knows {known_languages}",
            where=entities.path,
            remedy="Give a knowledge base made with a dump of Wikidata, and of Wikipedias of "
            f"which the vocabulary has titles ({', '.join(entities.languages) or 'it has none'})",
        )
    return InputError(
        f"{what}; released vocabularies know titles, and questions name Wikidata items",
        where=entities.path,
        remedy="Give a knowledge base that has both: --kb KB (made by exonym kb build); or write "
        "the items into a copy once: exonym checkpoint convert MODEL OUT --kb KB",
    )
