"""`TellingOptions`: what Atlas tells where, and how often."""

from __future__ import annotations

import math
from dataclasses import dataclass

from exonym.foundation.errors import ConfigError

_LARGE_TO_SMALL = "en de fr es ru ja it zh pt pl nl sv vi ar id tr ko fi el th bn hi te sw"
VOLUME_ORDER = tuple(_LARGE_TO_SMALL.split())
"""mLUKE's languages from the Wikipedia that tells most to the one that tells least."""


@dataclass(frozen=True, slots=True)
class TellingOptions:
    """What is told where, and how often.

    Args:
        largest_volume: how much of what it could tell the first language of `VOLUME_ORDER`
            tells, before popularity; the languages between first and last lie on a geometric
            curve.
        smallest_volume: the same for the last language.
        other_volume: the same for a language that is not in `VOLUME_ORDER`.
        popularity_mean: mean of the log-normal popularity of a group. A language tells a group
            with probability min(1, volume x popularity).
        popularity_spread: its standard deviation on the log scale.
        told_share: chance with which every language tells a group, in place of volume and
            popularity: for experiments in which no language is larger than another. At 0 every
            group is told by one language, since a group that nobody would tell is.
        repetitions: least and most sentences for each fact in each language that tells it; the
            first on the subject's own page, the others on pages of other entities.
        linked_from: at least so many other pages link to each entity, so that its names are
            learnt in every language; where its facts do not see to that, sentences that say
            what it is do.
        control_share: share of each relation's groups that no language tells.
        control_min_objects: relations with fewer objects have no control groups; a guess among
            few objects is too often right.
        control_max_object_share: an object that more than this share of a relation's facts has
            is no control's object.
        control_max_group: control groups have at most so many objects.
        control_max_price: so many groups may go unused for one control group to stay unknown.
        control_stem: letters that subject and object of a control group may not have in common
            in a row, in any language; see `exonym.atlas.likeness.stems` for dense scripts.
        control_kin_stem: letters in a row that make another entity a namesake of either.
        control_shape: letters in a row by which a guesser compares the names of subjects.
        control_hub: a third entity that is related to more entities than this gives nothing
            away by being related to both ends of a control group.
    """

    largest_volume: float = 0.75
    smallest_volume: float = 0.08
    other_volume: float = 0.25
    popularity_mean: float = 1.0
    popularity_spread: float = 0.8
    told_share: float | None = None
    repetitions: tuple[int, int] = (5, 9)
    linked_from: int = 1
    control_share: float = 0.10
    control_min_objects: int = 10
    control_max_object_share: float = 0.3
    control_max_group: int = 3
    control_max_price: int = 4
    control_stem: int = 4
    control_kin_stem: int = 5
    control_shape: int = 3
    control_hub: int = 60

    def __post_init__(self) -> None:
        for field in ("largest_volume", "smallest_volume", "other_volume"):
            value = getattr(self, field)
            if not 0 < value <= 1:
                raise ConfigError(f"{field} must be above 0 and at most 1, got {value}")
        for field in ("control_share", "control_max_object_share", "told_share"):
            value = getattr(self, field)
            if value is not None and not 0 <= value <= 1:
                raise ConfigError(f"{field} must be between 0 and 1, got {value}")
        if self.popularity_mean <= 0 or self.popularity_spread < 0:
            raise ConfigError("popularity_mean must be above 0 and popularity_spread not below 0")
        low, high = self.repetitions
        if not 1 <= low <= high:
            raise ConfigError(f"repetitions must be (least, most) with 1 <= least, got {low, high}")
        if min(self.control_stem, self.control_kin_stem, self.control_shape) < 2:
            raise ConfigError("control_stem, control_kin_stem and control_shape must be 2 or more")
        if self.linked_from < 0 or self.control_max_price < 0:
            raise ConfigError("linked_from and control_max_price must be 0 or more")

    def chance(self, language: str, popularity: float) -> float:
        """With which a language tells a group; above 1 means that it does."""
        if self.told_share is not None:
            return self.told_share
        return self.volume(language) * popularity

    def volume(self, language: str) -> float:
        """How much a language tells, before popularity: between 0 and 1."""
        if language not in VOLUME_ORDER:
            return self.other_volume
        rank = VOLUME_ORDER.index(language) / (len(VOLUME_ORDER) - 1)
        return self.largest_volume * math.pow(self.smallest_volume / self.largest_volume, rank)
