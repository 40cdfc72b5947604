"""Counting what is written, and what is not and why."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from exonym.atlas.benchmarks.wording import Sentence, Writer
from exonym.atlas.benchmarks.world import World
from exonym.foundation.files import JSON


@dataclass
class Tally:
    """Of one file.

    Args:
        examples: how many there are.
        labels: how many of each label, where the task has labels.
        left_out: examples (or sentences) that the language cannot tell, by reason.
        sentences: sentences in it.
        in_dumps: those of them whose fact the language's dump states.
    """

    examples: int = 0
    labels: Counter[str] = field(default_factory=Counter)
    left_out: Counter[str] = field(default_factory=Counter)
    sentences: int = 0
    in_dumps: int = 0

    def add_sentences(self, world: World, language: str, sentences: Sequence[Sentence]) -> None:
        """Count the sentences of an example."""
        self.sentences += len(sentences)
        self.in_dumps += sum(language in world.told_in[said.fact] for said in sentences)

    def to_json(self) -> JSON:
        """For the manifest."""
        return {
            "examples": self.examples,
            "labels": dict(sorted(self.labels.items())),
            "left out": dict(sorted(self.left_out.items())),
            "sentences": self.sentences,
            "sentences that the dump states": self.in_dumps,
        }


def first_obstacle(writer: Writer, sentences: Sequence[Sentence]) -> str | None:
    """Why a language cannot tell some sentences; None if it can tell all."""
    reasons = [writer.obstacle(said) for said in sentences]
    return next((reason for reason in reasons if reason is not None), None)
