"""`Meter`: sums of losses since the last line of ``metrics.jsonl``, in all and by language."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from exonym.foundation.files import JSON

Sums = npt.NDArray[np.float64]
_NATS, _CORRECT, _TARGETS = range(3)


class Meter:
    """Nats, right predictions and targets of each objective, by language, summed in float64.

    Several processes have one each: the lead adds up their `state` and gives it to `take`.

    Args:
        objectives: their names, such as ``("words", "entities")``.
        languages: codes; a target's language is an index into them.
    """

    def __init__(self, objectives: Sequence[str], languages: Sequence[str]) -> None:
        self._objectives, self._languages = tuple(objectives), tuple(languages)
        self._sums = np.zeros((len(self._objectives), len(self._languages), 3))

    def add(
        self, name: str, languages: npt.ArrayLike, nats: npt.ArrayLike, correct: npt.ArrayLike
    ) -> None:
        """Count the targets of one forward pass.

        Args:
            name: the objective.
            languages: (targets,) index of each target's language; below 0 for one that is only
                there to fill up a batch and does not count.
            nats: (targets,) loss of each.
            correct: (targets,) whether the target was given the highest score.
        """
        of_target = np.asarray(languages)
        loss, right = np.asarray(nats, np.float64), np.asarray(correct, np.float64)
        if of_target.size and of_target.min() < 0:
            counted = of_target >= 0
            of_target, loss, right = of_target[counted], loss[counted], right[counted]
        sums, count = self._sums[self._objectives.index(name)], len(self._languages)
        sums[:, _NATS] += np.bincount(of_target, loss, count)
        sums[:, _CORRECT] += np.bincount(of_target, right, count)
        sums[:, _TARGETS] += np.bincount(of_target, minlength=count)

    def state(self) -> Sums:
        """(objectives, languages, 3) sums of nats, right predictions and targets; a copy."""
        return self._sums.copy()

    def take(self, state: Sums | None = None) -> JSON:
        """The fields of a record: means by objective, in all and by language; starts anew.

        An objective, or a language, without targets is left out.

        Args:
            state: the sum of all processes' `state`, in place of this one's own.
        """
        sums = self._sums if state is None else state
        record = self._fields(sums.sum(axis=1))
        by_language = {
            language: self._fields(sums[:, place])
            for place, language in enumerate(self._languages)
            if sums[:, place, _TARGETS].any()
        }
        self._sums = np.zeros_like(self._sums)
        return {**record, "languages": by_language}

    def _fields(self, sums: Sums) -> JSON:
        fields: JSON = {}
        for name, (nats, correct, targets) in zip(self._objectives, sums.tolist(), strict=True):
            if targets:
                fields[name] = nats / targets
                fields[f"{name}_accuracy"] = correct / targets
                fields[f"{name}_targets"] = int(targets)
        return fields
