"""Contextualised word retrieval: does a word find its translation by its vector?

The paper's analysis of how mLUKE aligns languages (Ri et al. 2022). Its program is not in the
authors' repository, so what is open without it is decided here. A word or phrase in its context,
and all translations in their contexts: the same answer to the same question, as MLQA and XQuAD mark
it in several languages. A span is the mean of the last states of its pieces. Each span of the query
language is to find its counterpart among all spans of a target language by cosine. The measure is
the mean reciprocal rank: 1 where every counterpart comes first.

Questions with the same answer span are one candidate; a query with several right ones (answers that
were marked differently) is given the better. Equal cosines count as if the wrong ones came first,
so that a model for which all is alike does not win.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import torch

from exonym.analysis.bootstrap import Estimate, macro_average
from exonym.analysis.neighbours import blocks, unit_vectors
from exonym.foundation.errors import InputError
from exonym.modeling import EntityEncoder
from exonym.tasks.around import around
from exonym.tasks.batches import similar_lengths
from exonym.tasks.qa.records import QuestionExample
from exonym.text import AnnotatedText
from exonym.tokenization import EncodedText, EntityTokenizer
from exonym.tokenization.encoded import pad_texts
from exonym.tokenization.tokenizer import MOST_POSITIONS

Floats = npt.NDArray[np.float64]

_TIED = 1e-12
_ANY_LENGTH = 1 << 30


@dataclass(frozen=True, slots=True)
class AlignedSpan:
    """A span in its context, and its counterparts in other languages by the same key.

    Args:
        key: what it has in common with its counterparts: the question's id.
        text: the context.
        start: first character of the span.
        end: one past the last.
    """

    key: str
    text: AnnotatedText
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Retrieval:
    """How well spans find their counterparts.

    Args:
        scores: (target language, span, reciprocal rank) of each query, for `macro_average` and for
            comparisons of models on the same spans.
        estimate: the mean over target languages of the mean reciprocal rank, and its interval;
            all languages' queries of a span are drawn together.
        accuracy: by target language: how often the counterpart came first.
        chance: by target language: the mean reciprocal rank of a random order.
    """

    scores: tuple[tuple[str, str, float], ...]
    estimate: Estimate
    accuracy: Mapping[str, float]
    chance: Mapping[str, float]

    def rows(self) -> list[dict[str, str | float | int]]:
        """A table: a row for each target language, and their mean."""
        counts = Counter(language for language, _, _ in self.scores)
        rows: list[dict[str, str | float | int]] = [
            {
                "language": code,
                "mrr": mean,
                "accuracy": self.accuracy[code],
                "chance": self.chance[code],
                "queries": counts[code],
            }
            for code, mean in self.estimate.by_language.items()
        ]
        mean = self.estimate
        rows.append(
            {
                "language": "mean",
                "mrr": mean.accuracy,
                "low": mean.low,
                "high": mean.high,
                "accuracy": float(np.mean(list(self.accuracy.values()))),
                "chance": float(np.mean(list(self.chance.values()))),
                "queries": mean.questions,
            }
        )
        return rows


def aligned_spans(
    examples: Mapping[str, Sequence[QuestionExample]], query: str = "en"
) -> dict[str, tuple[AlignedSpan, ...]]:
    """The answers that are marked in the query language and in another one.

    Args:
        examples: by language of the contexts, as in MLQA or XQuAD; ids are the same in all. The
            first right answer of a question counts.
        query: the language of the queries.

    Returns:
        By language, spans in the order of its examples; of the query language those that any other
        language has, of the others those that the query language has.

    Raises:
        InputError: the query language is not there, or no other one has anything in common with it.
    """
    if query not in examples or len(examples) < 2:
        raise InputError(
            f"needed are contexts in {query!r} and in another language, got {sorted(examples)}"
        )
    found = {
        language: {
            one.id: AlignedSpan(one.id, one.context, one.answers[0].start, one.answers[0].end)
            for one in some
            if one.answers
        }
        for language, some in sorted(examples.items())
    }
    others = {key for language, some in found.items() if language != query for key in some}
    common = {
        language: tuple(
            span
            for key, span in some.items()
            if (key in others if language == query else key in found[query])
        )
        for language, some in found.items()
    }
    if not common[query]:
        raise InputError(f"no question of {query!r} is answered in another language")
    return {language: some for language, some in common.items() if some}


def span_vectors(
    encoder: EntityEncoder,
    tokenizer: EntityTokenizer,
    spans: Sequence[AlignedSpan],
    *,
    entities: bool = True,
    max_length: int | None = None,
    batch_size: int = 32,
    counts: Counter[str] | None = None,
) -> Floats:
    """The mean of the last states of each span's pieces.

    A context that is too long becomes a window around the span, or around what fits of it.

    Args:
        encoder: of a pretrained or fine-tuned model (its ``luke``).
        tokenizer: its tokenizer, for no task.
        spans: in their contexts.
        entities: give the encoder the mentions that the contexts have, if their entities are in its
            vocabulary; False: words alone (mLUKE-W).
        max_length: most pieces of an input; None: as many as the encoder takes.
        batch_size: most contexts that go through the encoder together.
        counts: is told how many contexts and spans were cut, and of the entities.

    Returns:
        (spans, hidden).

    Raises:
        InputError: a span has no piece; names it.
    """
    counts = Counter[str]() if counts is None else counts
    limit = min(max_length or encoder.config.max_words, encoder.config.max_words)
    texts = [_context(span, tokenizer, entities, counts) for span in spans]
    encoded: list[EncodedText] = []
    for span, text in zip(spans, tokenizer.encode(texts, max_length=_ANY_LENGTH), strict=True):
        start, end = _pieces(text, span)
        counts["spans cut to what fits"] += end - start > limit - 2
        fitting = around(text, [(start, min(end, start + limit - 2))], limit)
        counts["contexts cut to a window"] += fitting is not text
        encoded.append(fitting)
    vectors = np.zeros((len(spans), encoder.config.hidden_size))
    device = next(encoder.parameters()).device
    lengths = [len(text.input_ids) + len(text.entity_ids) for text in encoded]
    with torch.inference_mode():
        for places in similar_lengths(lengths, batch_size):
            batch = pad_texts(
                [encoded[place] for place in places],
                pad_id=tokenizer.words.pad_id,
                pad_row=tokenizer.entities.pad_row,
                most_positions=MOST_POSITIONS,
            ).to(device)
            states = encoder(**batch).last_hidden_state.double().cpu().numpy()
            for row, place in enumerate(places):
                start, end = _pieces(encoded[place], spans[place])
                vectors[place] = states[row, start:end].mean(axis=0)
    return vectors


def retrieve(
    spans: Mapping[str, Sequence[AlignedSpan]],
    vectors: Mapping[str, Floats],
    query: str = "en",
    *,
    seed: int = 0,
    draws: int = 2000,
    confidence: float = 0.95,
) -> Retrieval:
    """Let the spans of one language look for their counterparts in each other one.

    Args:
        spans: by language, as `aligned_spans` gives them.
        vectors: by language, (spans, width).
        query: the language of the queries.
        seed: of the interval's draws.
        draws: bootstrap samples.
        confidence: of the interval.

    Raises:
        InputError: nothing is to be retrieved, or spans and vectors do not fit together.
    """
    scores: list[tuple[str, str, float]] = []
    accuracy, chance = {}, {}
    for language in sorted(set(spans) - {query}):
        keys, places, right = _candidates(spans[query], spans[language])
        asked = [row for row, key in enumerate(keys) if key in right]
        ranks = reciprocal_ranks(
            vectors[query][asked],
            vectors[language][places],
            [right[keys[row]] for row in asked],
        )
        scores += [
            (language, keys[row], float(rank)) for row, rank in zip(asked, ranks, strict=True)
        ]
        accuracy[language] = float((ranks == 1).mean())
        chance[language] = _by_chance([len(right[keys[row]]) for row in asked], len(places))
    estimate = macro_average(scores, seed=seed, draws=draws, confidence=confidence)
    return Retrieval(tuple(scores), estimate, accuracy, chance)


def reciprocal_ranks(
    queries: Floats, candidates: Floats, right: Sequence[frozenset[int] | set[int]]
) -> Floats:
    """One over the rank of each query's best right candidate, by cosine.

    Args:
        queries: (queries, width).
        candidates: (candidates, width).
        right: of each query, the places of its right candidates.

    Returns:
        (queries,). Wrong candidates with the same cosine count as better.

    Raises:
        InputError: a query has no right candidate, or a vector has no direction.
    """
    if len(right) != len(queries) or not all(right):
        raise InputError("every query needs a right candidate")
    ours, theirs = unit_vectors(queries), unit_vectors(candidates)
    found = np.zeros(len(ours))
    for part in blocks(len(ours), len(theirs)):
        cosines = ours[part] @ theirs.T
        for row, place in enumerate(range(part.start, part.stop)):
            mine = sorted(right[place])
            best = cosines[row, mine].max()
            ahead = cosines[row] >= best - _TIED
            ahead[mine] = False
            found[place] = 1 / (1 + int(ahead.sum()))
    return found


def _candidates(
    queries: Sequence[AlignedSpan], targets: Sequence[AlignedSpan]
) -> tuple[list[str], list[int], dict[str, set[int]]]:
    """Keys of the queries' rows; rows of the distinct targets; the right ones of each key.

    Queries at the same place share what is right for any of them.
    """
    number: dict[tuple[str, int, int], int] = {}
    places: list[int] = []
    of_key: dict[str, int] = {}
    for row, span in enumerate(targets):
        place = (span.text.text, span.start, span.end)
        if place not in number:
            number[place] = len(places)
            places.append(row)
        of_key[span.key] = number[place]
    shared: dict[tuple[str, int, int], set[int]] = {}
    keys = [span.key for span in queries]
    for span in queries:
        if span.key in of_key:
            shared.setdefault((span.text.text, span.start, span.end), set()).add(of_key[span.key])
    right = {
        span.key: shared[span.text.text, span.start, span.end]
        for span in queries
        if span.key in of_key
    }
    return keys, places, right


def _by_chance(right: Sequence[int], candidates: int) -> float:
    """The expected reciprocal rank of the first right candidate in a random order."""
    means = {}
    for count in sorted(set(right)):
        total, before = 0.0, 1.0  # the chance that all ranks before hold wrong candidates
        for rank in range(1, candidates - count + 2):
            here = count / (candidates - rank + 1)
            total += before * here / rank
            before *= 1 - here
        means[count] = total
    return float(np.mean([means[count] for count in right]))


def _context(
    span: AlignedSpan, tokenizer: EntityTokenizer, entities: bool, counts: Counter[str]
) -> AnnotatedText:
    if not entities:
        return replace(span.text, mentions=())
    rows = tokenizer.rows(span.text.mentions)
    known = tuple(
        mention
        for mention, row in zip(span.text.mentions, rows.tolist(), strict=True)
        if mention.entity is not None and row != tokenizer.entities.unk_row
    )
    counts["mentions given"] += len(known)
    counts["mentions whose entity is not in the vocabulary"] += len(rows) - len(known)
    return replace(span.text, mentions=known)


def _pieces(text: EncodedText, span: AlignedSpan) -> tuple[int, int]:
    """The pieces [start, end) that have a character of the span."""
    offsets = text.offsets
    inside = (offsets[:, 0] < span.end) & (offsets[:, 1] > span.start) & (text.text_index == 0)
    places = np.flatnonzero(inside)
    if not len(places):
        raise InputError(
            f"the span [{span.start}, {span.end}) of {span.key!r} has no piece",
            where=span.text.source,
        )
    return int(places[0]), int(places[-1]) + 1
