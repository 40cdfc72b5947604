"""A tiny model for answers, and questions."""

from __future__ import annotations

import torch

from exonym.modeling import QuestionAnswering
from exonym.tasks.qa.model import AnswerModel
from exonym.tasks.qa.records import GoldAnswer, QuestionExample
from exonym.tasks.qa.settings import QaSettings
from exonym.text import AnnotatedText, Mention
from exonym.tokenization import EntityTokenizer
from tiny_models import NO_DROPOUT, tiny_config


def answer_model(tokenizer: EntityTokenizer, settings: QaSettings | None = None) -> AnswerModel:
    """An untrained model with large weights, so that answers differ from question to question."""
    torch.manual_seed(0)
    config = tiny_config(
        len(tokenizer.words), len(tokenizer.entities), initializer_range=0.5, **NO_DROPOUT
    )
    return AnswerModel(
        QuestionAnswering(config).eval(), tokenizer, settings or QaSettings.within(config.max_words)
    )


def example(
    number: str,
    question: str,
    context: str,
    *answers: str,
    language: str = "en",
    mentions: dict[str, str] | None = None,
) -> QuestionExample:
    """A question whose answers and mentions are found in the texts."""

    def annotated(text: str) -> AnnotatedText:
        found = [
            Mention(text.index(name), text.index(name) + len(name), entity)
            for name, entity in (mentions or {}).items()
            if name in text
        ]
        return AnnotatedText(text, language, tuple(found))

    gold = tuple(GoldAnswer(answer, context.index(answer)) for answer in answers)
    return QuestionExample(number, annotated(question), annotated(context), gold)
