"""`BenchmarkOptions`: how many examples, and what they look like."""

from __future__ import annotations

from dataclasses import dataclass

from exonym.foundation.errors import ConfigError

MLQA_LANGUAGES = ("en", "ar", "de", "es", "hi", "vi", "zh")


@dataclass(frozen=True, slots=True)
class BenchmarkOptions:
    """How many examples, and what they look like.

    Args:
        train: examples to train with, at most, for each task.
        validation: examples to choose a model by.
        test: examples to test with; a language has those of them that it has words for.
        source: the language of training and validation.
        train_share: share of the entities that training may name.
        validation_share: the same for validation; the others are for tests.
        rounds: training uses a fact at most so often, each time in other words or company.
        types: named entities have at most so many types of their own, the kinds with most
            entities; all other kinds together are one more.
        sentences: least and most sentences of a text with named entities.
        listing: share of those texts that end with a list of names.
        context: least and most other sentences in a text with a relation.
        no_relation: share of pairs between which there is no relation.
        passage: least and most sentences of a passage.
        questions: most questions about one passage.
        pairs: languages of which each asks about the passages of each other one.
        seed: of all draws.
    """

    train: int = 2000
    validation: int = 300
    test: int = 300
    source: str = "en"
    train_share: float = 0.55
    validation_share: float = 0.15
    rounds: int = 3
    types: int = 5
    sentences: tuple[int, int] = (2, 4)
    listing: float = 0.3
    context: tuple[int, int] = (0, 2)
    no_relation: float = 0.15
    passage: tuple[int, int] = (5, 8)
    questions: int = 3
    pairs: tuple[str, ...] = MLQA_LANGUAGES
    seed: int = 0

    def __post_init__(self) -> None:
        for field in ("train", "validation", "test", "rounds", "types", "questions"):
            if getattr(self, field) < 1:
                raise ConfigError(f"{field} must be at least 1, got {getattr(self, field)}")
        for field in ("listing", "no_relation"):
            if not 0 <= getattr(self, field) < 1:
                raise ConfigError(f"{field} must be at least 0 and below 1")
        shares = (self.train_share, self.validation_share)
        if min(shares) <= 0 or sum(shares) >= 1:
            raise ConfigError(
                f"train_share and validation_share must be above 0 and leave some, got {shares}"
            )
        for field, least in (("sentences", 1), ("context", 0), ("passage", 2)):
            low, high = getattr(self, field)
            if not least <= low <= high:
                raise ConfigError(f"{field} must be (least, most) from {least}, got {low, high}")

    def size(self, split: str) -> int:
        """Examples of ``"train"``, ``"validation"`` or ``"test"``."""
        return {"train": self.train, "validation": self.validation, "test": self.test}[split]

    def share(self, split: str) -> float:
        """Share of the entities that a split has."""
        shares = {"train": self.train_share, "validation": self.validation_share}
        return shares.get(split, 1 - self.train_share - self.validation_share)
