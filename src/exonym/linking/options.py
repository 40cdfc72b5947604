"""`LinkingOptions`: what a linker does with the names it finds."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal, get_args

from exonym.foundation.errors import ConfigError

Cover = Literal["best", "longest", "all"]
Order = Literal["together", "confident-first"]
Scorer = Literal["prior", "words", "entities"]


@dataclass(frozen=True, slots=True)
class LinkingOptions:
    """The choices of a linker.

    Args:
        cover: which of overlapping names are taken: ``"best"``, the set without overlaps that
            fits best together; ``"longest"``, from left to right; ``"all"``, overlapping ones too.
        min_link_probability: names that are links less often than this are left alone; the
            paper's rule is 1 % (mLUKE, appendix A).
        most_candidates: of each mention, those with the highest prior.
        across_languages: whether names of other languages than the text's count.
        nil_threshold: a mention whose best candidate has a lower probability is NIL; 0: none is.
        order: how a model reads several mentions: ``"together"``, all in one pass, each masked;
            ``"confident-first"``, the most certain is fixed as its entity and the others read
            again, until all are (Yamada et al. 2022).
        prior_weight: the power to which the prior is raised before it is multiplied with the
            model's probability; 0 leaves the model alone. A model that reads the name has learnt
            much of the prior already, so a full 1 counts it twice.
        scorer: what decides between candidates: the ``"prior"``, the model's ``"words"`` or its
            ``"entities"``; None: entities where there is a model, else the prior.

    Raises:
        ConfigError: a value is impossible.
    """

    cover: Cover = "best"
    min_link_probability: float = 0.01
    most_candidates: int = 16
    across_languages: bool = True
    nil_threshold: float = 0.0
    order: Order = "together"
    prior_weight: float = 0.25
    scorer: Scorer | None = None

    def __post_init__(self) -> None:
        for name, kind in (("cover", Cover), ("order", Order), ("scorer", Scorer)):
            value, known = getattr(self, name), get_args(kind)
            if value not in known and not (name == "scorer" and value is None):
                raise ConfigError(f"{name} must be one of {', '.join(known)}, got {value!r}")
        for name in ("min_link_probability", "nil_threshold"):
            value = getattr(self, name)
            if not 0 <= value <= 1:
                raise ConfigError(f"{name} must lie between 0 and 1, got {value}")
        if self.most_candidates < 1:
            raise ConfigError(f"most_candidates must be at least 1, got {self.most_candidates}")
        if not 0 <= self.prior_weight < math.inf:
            raise ConfigError(f"prior_weight must not be negative, got {self.prior_weight}")
