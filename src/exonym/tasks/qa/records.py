"""A question about a passage, with the answers that are right: what all of this task works on."""

from __future__ import annotations

from dataclasses import dataclass

from exonym.foundation.files import JSON
from exonym.text import AnnotatedText


@dataclass(frozen=True, slots=True)
class GoldAnswer:
    """A right answer: a stretch of the passage.

    Args:
        text: its characters.
        start: where in the passage it begins, counted in code points.
    """

    text: str
    start: int

    @property
    def end(self) -> int:
        """One past its last character."""
        return self.start + len(self.text)


@dataclass(frozen=True, slots=True)
class QuestionExample:
    """A question, the passage that it is asked about, and what would be right to say.

    Question and passage are each in a language of their own (MLQA asks in German about Arabic
    passages). Their mentions are empty until entities are annotated (`tasks.qa.annotation`).

    Args:
        id: names the question; the same in the files of all languages of a parallel benchmark.
        question: as it is asked.
        context: the passage; after annotation its source is the title key of its article.
        answers: the right ones, in the order of the file; none where the file has none.
        title: of the article that the passage comes from, as the file writes it.
    """

    id: str
    question: AnnotatedText
    context: AnnotatedText
    answers: tuple[GoldAnswer, ...] = ()
    title: str | None = None

    def to_json(self) -> JSON:
        """The JSON Lines form, which `tasks.qa.data` reads back without loss."""
        value: JSON = {"id": self.id}
        if self.title is not None:
            value["title"] = self.title
        value["question"] = self.question.to_json()
        value["context"] = self.context.to_json()
        value["answers"] = [
            {"text": answer.text, "answer_start": answer.start} for answer in self.answers
        ]
        return value
