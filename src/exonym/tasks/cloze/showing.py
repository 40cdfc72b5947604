"""The first questions of a set, as text or as a model will see them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from exonym.tasks.cloze.features import encode_queries, make_query
from exonym.tasks.cloze.records import SUBJECT, ClozeSet, Question
from exonym.tokenization import EntityTokenizer

_ANSWERS_SHOWN = 3
_LONGEST = 512


def show_questions(
    questions: Sequence[Question], source: ClozeSet, tokenizer: EntityTokenizer | None = None
) -> Iterator[str]:
    """Questions as paragraphs: what is asked, the right answers, how many candidates there are.

    Args:
        questions: the first few of ``source``'s.
        source: has their templates and candidates.
        tokenizer: of a model; adds the pieces and entities that it gets.

    Raises:
        InputError: a question is too long for a model.
    """
    for question in questions:
        key = question.language, question.relation
        own = source.candidates[key]
        labels = {entity: one.label for one in own for entity in one.entities}
        shown = [f"{labels[one]} ({one})" for one in question.answers[:_ANSWERS_SHOWN]]
        more = len(question.answers) - len(shown)
        told = f", {question.told}" if question.told else ""
        yield "\n".join(
            [
                f"{question.subject} {question.relation} ({question.language}{told})",
                f"  {source.templates[key].replace(SUBJECT, question.subject_label)}",
                f"  = {', '.join(shown)}{f' and {more} more' if more > 0 else ''}; "
                f"{len(own):,} candidates",
                *([] if tokenizer is None else _seen(question, source, tokenizer)),
            ]
        )


def _seen(question: Question, source: ClozeSet, tokenizer: EntityTokenizer) -> Iterator[str]:
    key = question.language, question.relation
    label, entities = question.subject_label, tokenizer.entities
    query = make_query(source.templates[key], question.subject, label, question.language)
    made = encode_queries(
        [query], tokenizer, masks=1, subject_entity=True, object_entity=True, max_length=_LONGEST
    ).batch
    identifiers = made.input_ids[0][made.attention_mask[0]].tolist()
    yield f"  {' '.join(tokenizer.words.piece(int(one)) for one in identifiers)}"
    rows = made.entity_ids[0][made.entity_attention_mask[0]].tolist()
    subject = f"row {rows[0]}" if len(rows) > 1 else "no row, so no entity of the input"
    names = [entity for one in source.candidates[key] for entity in one.entities]
    known = int(np.sum(entities.rows(names) != entities.unk_row))
    yield (
        f"  [X] {question.subject}: {subject}; [Y] [MASK]; "
        f"{known:,} of {len(names):,} entities among the candidates have a row"
    )
