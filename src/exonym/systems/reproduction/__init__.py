"""The paper, re-run: its tables in miniature on Atlas, or the plan of them at its own scale."""

from exonym.systems.reproduction.plan import ReproductionOptions
from exonym.systems.reproduction.run import Reproduction

__all__ = ["Reproduction", "ReproductionOptions"]
