"""Analyses over predictions and vectors: intervals, comparisons, bias, retrieval, modularity.

`exonym.analysis.retrieval` (contextualised word retrieval) needs torch and is imported by its name.
"""

from exonym.analysis.bootstrap import Estimate, macro_average
from exonym.analysis.half_samples import half_sample_interval, halves
from exonym.analysis.language_bias import most_frequent_wrong_share, wrong_share_interval
from exonym.analysis.modularity import Modularity, modularity
from exonym.analysis.resampling import (
    Difference,
    Interval,
    across_languages,
    difference,
    interval,
)

__all__ = [
    "Difference",
    "Estimate",
    "Interval",
    "Modularity",
    "across_languages",
    "difference",
    "half_sample_interval",
    "halves",
    "interval",
    "macro_average",
    "modularity",
    "most_frequent_wrong_share",
    "wrong_share_interval",
]
