"""Facts: many subjects and candidates of a relation at once, beside one candidate at a time.

    python benchmarks/cloze.py --model RUN/model --questions DUMPS/cloze --threads 2

The facts are made up from the names in the questions' first language: 1,000 subjects of a relation,
500 candidates, a third of them without a row in the entity vocabulary, half of them of two names.
All are asked in every way of the paper. Then a few subjects are asked again with a list of each
candidate alone, as the known scripts do; the scores must agree. Seconds are of the clock and of the
processor; the ratio is that of the processor's seconds for each subject.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

import torch

from exonym.tasks import cloze
from exonym.tasks.cloze import Answer, Asking, Candidate, ClozeModel, ClozeSet, Question

_Result = TypeVar("_Result")
_AGREE = 1e-3  # batches of other shapes add up in another order


def made_up(source: ClozeSet, subjects: int, candidates: int) -> ClozeSet:
    """Questions of the given size out of the names that there are."""
    language = source.questions[0].language
    known = [*dict.fromkeys(c for key, own in source.candidates.items()
                            if key[0] == language for c in own)]  # fmt: skip
    own = []
    for number in range(candidates):
        one, other = known[number % len(known)], known[(number * 7) % len(known)]
        label = one.label if number < len(known) else f"{one.label} {other.label}"
        own.append(Candidate(None if number % 3 == 0 else one.entity, label))
    asked = [question for question in source.questions if question.language == language]
    key = language, asked[0].relation
    questions = tuple(
        replace(asked[number % len(asked)], relation=key[1]) for number in range(subjects)
    )
    return ClozeSet(questions, {key: source.templates[key]}, {key: tuple(own)})


def timed(work: Callable[[], _Result]) -> tuple[float, float, _Result]:
    """Seconds of the clock and of the processor, and what came out."""
    wall, processor = time.perf_counter(), time.process_time()
    result = work()
    return time.perf_counter() - wall, time.process_time() - processor, result


def one_by_one(
    model: ClozeModel, source: ClozeSet, asked: Sequence[Question], way: Asking, *, fallback: bool
) -> list[Answer]:
    """The best of lists of one candidate each."""
    (key,) = source.templates
    answers = []
    for question in asked:
        alone: list[Answer] = []
        for candidate in source.candidates[key]:
            only = replace(source, candidates={key: (candidate,)})
            alone += cloze.answer(model, [question], only, way, fallback=fallback)
        answers.append(max(alone, key=lambda given: given.score))
    return answers


def main() -> None:
    """Measure and print a line for each way to ask."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", type=Path, required=True)
    parser.add_argument("--questions", type=Path, required=True)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--subjects", type=int, default=1000)
    parser.add_argument("--candidates", type=int, default=500)
    parser.add_argument("--beside", type=int, default=2, help="subjects asked one by one")
    given = parser.parse_args()
    torch.set_num_threads(given.threads)
    model = cloze.load(given.model)
    source = made_up(cloze.load_questions(given.questions), given.subjects, given.candidates)
    some = source.questions[: given.beside]
    for way in Asking:
        for fallback in (False,) if way is Asking.WORDS else (False, True):
            wall, processor, answers = timed(
                lambda way=way, fallback=fallback: [  # type: ignore[misc]
                    *cloze.answer(model, source.questions, source, way, fallback=fallback)
                ]
            )
            _, slow, alone = timed(
                lambda way=way, fallback=fallback: one_by_one(  # type: ignore[misc]
                    model, source, some, way, fallback=fallback
                )
            )
            worst = max(
                abs(one.score - other.score) for one, other in zip(answers, alone, strict=False)
            )
            assert worst < _AGREE, f"{way}: scores differ by {worst}"
            ratio = (slow / len(some)) / (processor / len(source.questions))
            print(
                f"{way}{' with words' if fallback else ''}: {len(answers):,} subjects x "
                f"{given.candidates:,} candidates in {wall:.1f} s ({processor:.1f} s of the "
                f"processor); {ratio:.0f} times one candidate at a time"
            )


if __name__ == "__main__":
    main()
