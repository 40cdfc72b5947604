"""Independent twins for the tests of NER, written for clarity and not for speed."""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Sequence


def draw_tags(rng: random.Random, length: int, types: Sequence[str]) -> list[str]:
    """Any tags at all, well formed or not."""
    kinds = [f"{prefix}-{name}" for prefix in "BI" for name in types]
    return [rng.choice([*kinds, "O", "O"]) for _ in range(length)]


def conlleval(
    gold: Sequence[Sequence[str]], guessed: Sequence[Sequence[str]]
) -> dict[str, tuple[float, float, float]]:
    """Precision, recall and F1 by type, and of all as ``"all"``, as the script conlleval counts.

    It goes through the tags once, keeps whether it is inside a chunk that both sides opened at the
    same word with the same type, and counts it as right when both close it at the same word. All
    sentences are one sequence with an empty line (O) between them.
    """
    right: dict[str, int] = defaultdict(int)
    in_gold: dict[str, int] = defaultdict(int)
    in_guess: dict[str, int] = defaultdict(int)
    open_type: str | None = None
    before_gold = before_guess = ("O", "")
    for one, other in zip(gold, guessed, strict=True):
        for gold_tag, guess_tag in [*zip(one, other, strict=True), ("O", "O")]:
            now_gold, now_guess = _split(gold_tag), _split(guess_tag)
            ends_gold, ends_guess = _ends(before_gold, now_gold), _ends(before_guess, now_guess)
            starts_gold = _starts(before_gold, now_gold)
            starts_guess = _starts(before_guess, now_guess)
            if open_type is not None:
                if ends_gold and ends_guess:
                    right[open_type] += 1
                    open_type = None
                elif ends_gold != ends_guess:
                    open_type = None
            if starts_gold and starts_guess and now_gold[1] == now_guess[1]:
                open_type = now_gold[1]
            in_gold[now_gold[1]] += starts_gold
            in_guess[now_guess[1]] += starts_guess
            before_gold, before_guess = now_gold, now_guess
    types = {name for name in [*in_gold, *in_guess] if name}
    table = {name: _ratios(right[name], in_guess[name], in_gold[name]) for name in types}
    totals = [sum(counts[name] for name in types) for counts in (right, in_guess, in_gold)]
    return {**table, "all": _ratios(*totals)}


def _split(tag: str) -> tuple[str, str]:
    return ("O", "") if tag == "O" else (tag[0], tag[2:])


def _starts(before: tuple[str, str], now: tuple[str, str]) -> bool:
    if now[0] == "O":
        return False
    return now[0] == "B" or before[0] == "O" or before[1] != now[1]


def _ends(before: tuple[str, str], now: tuple[str, str]) -> bool:
    if before[0] == "O":
        return False
    return now[0] in "BO" or before[1] != now[1]


def _ratios(right: int, guessed: int, gold: int) -> tuple[float, float, float]:
    precision = right / guessed if guessed else 0.0
    recall = right / gold if gold else 0.0
    both = precision + recall
    return precision, recall, 2 * precision * recall / both if both else 0.0


def greedy(
    spans: Sequence[tuple[int, int]],
    probabilities: Sequence[Sequence[float]],
    outside: int,
    *,
    nested: bool,
) -> set[tuple[int, int, int]]:
    """(start, end, row) by looking for the best remaining span again and again."""
    left = []
    for (start, end), row in zip(spans, probabilities, strict=True):
        best = max(range(len(row)), key=lambda i: row[i])
        if best != outside:
            left.append((row[best], end - start, -start, (start, end, best)))
    taken: set[tuple[int, int, int]] = set()
    while left:
        span = max(left)[3]
        taken.add(span)
        left = [one for one in left if not _clash(one[3], span, nested=nested)]
    return taken


def _clash(one: tuple[int, int, int], other: tuple[int, int, int], *, nested: bool) -> bool:
    a, b = set(range(*one[:2])), set(range(*other[:2]))
    if not a & b:
        return False
    return not nested or a == b or not (a <= b or b <= a)
