"""Answers with their places in the passage, for one question or a stream of them."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Protocol

from exonym.foundation.errors import InputError
from exonym.foundation.files import JSON
from exonym.linking.linked import Linked
from exonym.tasks.given import refuse, require_several
from exonym.tasks.qa.decoding import WindowLogits, best_spans
from exonym.tasks.qa.features import encode
from exonym.tasks.qa.model import AnswerModel
from exonym.tasks.qa.records import QuestionExample
from exonym.text import AnnotatedText

_AT_ONCE = 512  # questions in memory together: enough to sort by length


class Linker(Protocol):
    """Finds the entities that a text mentions: `exonym.linking`'s `Linker`, or one's own."""

    def pipe(self, texts: Iterable[AnnotatedText]) -> Iterator[Linked]:
        """The texts with their links, in their order."""
        ...


@dataclass(frozen=True, slots=True)
class Answer:
    """A stretch of the passage as an answer.

    Args:
        start: first character, counted in the untouched passage.
        end: one past the last character.
        text: the characters of the passage from ``start`` to ``end``.
        score: its probability among all stretches of the passage, from 0 to 1.
        entity: that the stretch mentions, where exactly it was annotated or linked; else None.
    """

    start: int
    end: int
    text: str
    score: float
    entity: str | None = None

    def to_json(self) -> JSON:
        """All fields as plain values."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Prediction:
    """The answers to one question.

    Args:
        id: of the question.
        answers: the best first; none where the passage has no character.
    """

    id: str
    answers: tuple[Answer, ...]

    @property
    def best(self) -> Answer | None:
        """The best answer."""
        return self.answers[0] if self.answers else None

    def to_json(self) -> JSON:
        """The id, and the answers with all their fields."""
        return {"id": self.id, "answers": [answer.to_json() for answer in self.answers]}


@dataclass(frozen=True)
class Answerer:
    """Answers questions from passages.

    Args:
        model: fine-tuned.
        linker: gives entities to questions and passages that come without any; None: they have
            only those that they come with. A model of words alone needs none.
    """

    model: AnswerModel
    linker: Linker | None = None

    def __call__(
        self,
        question: str | AnnotatedText,
        context: str | AnnotatedText,
        *,
        language: str = "und",
        question_language: str | None = None,
        most: int = 1,
    ) -> list[Answer]:
        """Answer one question.

        Args:
            question: what is asked.
            context: the passage that has the answer.
            language: of a passage given as a string.
            question_language: of a question given as a string; None: the passage's.
            most: how many answers, the best first.

        Raises:
            InputError: ``most`` is below 1, or question or passage is no text.
        """
        passage = _annotated(context, language)
        asked = _annotated(question, question_language or passage.language)
        (given,) = self.predict([QuestionExample("", asked, passage)], most=most)
        return list(given.answers)

    def predict(
        self, examples: Iterable[QuestionExample], *, batch_size: int = 32, most: int = 1
    ) -> Iterator[Prediction]:
        """Answer questions, in their order.

        Args:
            examples: any number; a few hundred are in memory at once.
            batch_size: most windows that go through the model together.
            most: answers to each question.

        Raises:
            InputError: ``most`` or ``batch_size`` is below 1, or something is no question.
        """
        require_several(examples)
        if most < 1 or batch_size < 1:
            raise InputError(f"most and batch_size must be at least 1, got {most}, {batch_size}")
        stream = iter(examples)
        while chunk := list(itertools.islice(stream, _AT_ONCE)):
            for one in chunk:
                if not isinstance(one, QuestionExample):
                    refuse(one, "a QuestionExample")
            yield from self._answered(self._linked(chunk), batch_size, most)

    def _answered(
        self, examples: Sequence[QuestionExample], batch_size: int, most: int
    ) -> Iterator[Prediction]:
        model = self.model
        features = encode(examples, model.tokenizer, model.settings)
        windows: list[list[WindowLogits]] = [[] for _ in examples]
        for feature, said in zip(
            features, model.logits(features, batch_size=batch_size), strict=True
        ):
            windows[feature.example].append(said)
        longest = model.settings.longest_answer
        for example, said_of in zip(examples, windows, strict=True):
            text = example.context.text
            entities = _entities(example.context)
            answers = tuple(
                Answer(
                    span.start,
                    span.end,
                    text[span.start : span.end],
                    span.probability,
                    entities.get((span.start, span.end)),
                )
                for span in best_spans(said_of, text, most=most, longest=longest)
            )
            yield Prediction(example.id, answers)

    def _linked(self, examples: Sequence[QuestionExample]) -> Sequence[QuestionExample]:
        """The examples with entities, where they came without and there is a linker."""
        linker = self.linker
        if linker is None:
            return examples
        texts = [text for one in examples for text in (one.question, one.context)]
        bare = [text for text in dict.fromkeys(texts) if not text.mentions]
        found = (one.text for one in linker.pipe(bare))
        linked = dict(zip(bare, found, strict=True))
        return [
            replace(
                one,
                question=linked.get(one.question, one.question),
                context=linked.get(one.context, one.context),
            )
            for one in examples
        ]


def load(dir_or_id: str | Path, *, linker: Linker | None = None) -> Answerer:
    """Open a fine-tuned model for answers, ours or in transformers' layout.

    Args:
        dir_or_id: a directory, or a repository of the hub.
        linker: see `Answerer`.

    Raises:
        InputError: no checkpoint, or no tokenizer, is there.
        FormatError: the checkpoint is damaged, or has another head.
    """
    return Answerer(AnswerModel.from_pretrained(dir_or_id), linker)


def _annotated(text: str | AnnotatedText, language: str) -> AnnotatedText:
    if isinstance(text, AnnotatedText):
        return text
    if not isinstance(text, str):
        refuse(text, "a string or an AnnotatedText")
    return AnnotatedText(text, language)


def _entities(context: AnnotatedText) -> Mapping[tuple[int, int], str]:
    return {
        (mention.start, mention.end): mention.entity
        for mention in context.mentions
        if mention.entity is not None
    }
