"""Benchmarks of a written world: train in English, test in every language.

Named entities, relations, and questions about passages, of the world's own true facts, in the
layouts that `exonym.tasks` reads. Entities of tests stand in no example to train with.
"""

from __future__ import annotations

from exonym.atlas.benchmarks.options import BenchmarkOptions
from exonym.atlas.benchmarks.writing import BenchmarkReport, write_benchmarks

__all__ = ["BenchmarkOptions", "BenchmarkReport", "write_benchmarks"]
