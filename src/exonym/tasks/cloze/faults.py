"""What is wrong with files of facts, and what becomes of it: an error, or a count by reason."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from exonym.foundation.errors import FormatError

_KEEP_GOING = "To leave such things out, and count them: --keep-going (in Python keep_going=True)"


@dataclass(frozen=True, slots=True)
class FileProblem:
    """Something in one of many files that is not as it should be.

    Args:
        path: the file, or the folder in which one is missing.
        line: where, from 1; None for all of it.
        what: what was expected and what was seen.
        fatal: whether questions are lost by it; else it is odd, but usable.
    """

    path: Path
    line: int | None
    what: str
    fatal: bool = True

    @property
    def where(self) -> str:
        """``PATH:LINE``, or ``PATH``."""
        return str(self.path) if self.line is None else f"{self.path}:{self.line}"


@dataclass
class Faults:
    """Collects what is wrong while files are read.

    Args:
        keep_going: count what is wrong, rather than stop at it.
        listing: also keep all of it in ``problems``.

    Attributes:
        counts: how often each reason occurred.
        problems: in the order of the files.
    """

    keep_going: bool
    listing: bool = False
    counts: Counter[str] = field(default_factory=Counter)
    problems: list[FileProblem] = field(default_factory=list)

    def found(self, what: str, path: Path, line: int | None, reason: str) -> None:
        """Something by which questions are lost.

        Raises:
            FormatError: unless it is to be counted.
        """
        problem = FileProblem(path, line, what)
        if not self.keep_going:
            raise FormatError(what, where=problem.where, remedy=_KEEP_GOING)
        self._note(problem, reason)

    def odd(self, what: str, path: Path, line: int | None, reason: str) -> None:
        """Something that does no harm."""
        self._note(FileProblem(path, line, what, fatal=False), reason)

    def _note(self, problem: FileProblem, reason: str) -> None:
        self.counts[reason] += 1
        if self.listing:
            self.problems.append(problem)
