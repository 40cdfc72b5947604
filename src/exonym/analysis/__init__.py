"""Analyses over predictions: intervals, language bias."""

from exonym.analysis.bootstrap import Estimate, macro_average
from exonym.analysis.language_bias import most_frequent_wrong_share

__all__ = ["Estimate", "macro_average", "most_frequent_wrong_share"]
