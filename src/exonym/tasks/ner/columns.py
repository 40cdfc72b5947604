"""CoNLL columns: a word a line, its tag in a column, an empty line behind each sentence.

Found out from the file: what separates columns (tabs or blanks), which column has words and which
tags, numbers before words, a language before them (``en:Berlin``, as WikiANN has), comments, and
marks of documents (``-DOCSTART-``, ``# newdoc``).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

from exonym.foundation.errors import ConfigError
from exonym.tasks.ner.tagging import OUTSIDE, Tag, is_phrase_tag, parse_tag
from exonym.tasks.reading import Problem

_DOCUMENT_LINE = "-DOCSTART-"
_NEW_DOCUMENT = re.compile(r"#\s*(?:newdoc|begin document)\b")
_FIELD = re.compile(r"# ?([\w. -]+?) = ?(.*)")
_NUMBER = re.compile(r"\d+(?:[-.]\d+)?")
_BLANKS = re.compile(r"[ \t]+")  # no-break and ideographic spaces are characters of words
_LANGUAGE = re.compile(r"([a-z]{2,3}(?:-[a-z]+)*):(?=.)")
_LOOKED_AT = 5000
"""Lines from which the columns are found out."""


@dataclass(slots=True)
class Sentence:
    """A sentence as columns have it.

    Args:
        line: of its first word.
        words: none is empty.
        tags: as many as words.
        lines: of each word.
        text: of its comment ``# text = …``, if any.
        document: the number of its document.
    """

    line: int
    words: list[str] = field(default_factory=list)
    tags: list[Tag] = field(default_factory=list)
    lines: list[int] = field(default_factory=list)
    text: str | None = None
    document: int = 0


@dataclass(frozen=True, slots=True)
class Layout:
    """Where what stands in a file.

    Args:
        tabs: whether tabs separate columns; else runs of blanks do.
        word: the column of words.
        tag: the column of tags; negative numbers count from the end.
        bare: whether tags are types without a prefix.
        numbered: whether the first column counts the words.
        language: what stands before each word, and a colon.
    """

    tabs: bool
    word: int
    tag: int
    bare: bool = False
    numbered: bool = False
    language: str | None = None

    def cells(self, line: str) -> list[str]:
        """The columns of a line; blanks separate them where a line has none of a file's tabs.

        Not so where every word may be a type: there a word of two parts would lose its second.
        """
        if self.tabs and ("\t" in line or self.bare):
            return [cell.strip(" ") for cell in line.rstrip("\t").split("\t")]
        cells = _BLANKS.split(line.strip(" \t"))
        without_tag = self.tabs and len(cells[-1]) == 1 and cells[-1] != OUTSIDE  # "Vitamin E"
        return [line] if without_tag else cells

    def tag_of(self, cells: Sequence[str]) -> Tag | None:
        """The tag of a word; None if there is none."""
        place = self.tag + len(cells) if self.tag < 0 else self.tag
        if self.tag < 0:
            there = self.word < place  # a short line has no column of its own for the tag
        else:
            there = max(self.word, place) < len(cells) and place != self.word
        if not there:
            return None
        return parse_tag(cells[place], bare=self.bare)


@dataclass(slots=True)
class Columns:
    """What a file has.

    Args:
        layout: where what stood.
        sentences: in order.
        problems: in order.
        document_marks: how many marks of documents there were.
        left_out: lines of numbers such as ``3-4`` and ``5.1``, which stand for no word.
        without_tabs: words whose columns are between blanks, although tabs separate the others'.
    """

    layout: Layout
    sentences: list[Sentence] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    document_marks: int = 0
    left_out: int = 0
    without_tabs: int = 0


def find_layout(
    lines: Sequence[str], *, word: int | None = None, tag: int | None = None
) -> Layout | None:
    """Find out where what stands; None if no column has tags.

    Args:
        lines: of the file.
        word: the column of words, from 0, where it is known.
        tag: the column of tags, where it is known.

    Raises:
        ConfigError: no line has so many columns, or both are the same.
    """
    rows = [line for line in lines[:_LOOKED_AT] if line.strip() and not _is_mark(line)]
    rows = [line for line in rows if not _FIELD.match(line)] or rows
    tabs = sum("\t" in line for line in rows) * 2 > len(rows)
    found = _layout_of(rows, tabs, word, tag)
    return _layout_of(rows, False, word, tag) if found is None and tabs else found


def _layout_of(rows: Sequence[str], tabs: bool, word: int | None, tag: int | None) -> Layout | None:
    cut = Layout(tabs, 0, 0).cells
    cells = [row for line in rows if len(row := cut(line)) > 1]
    if not cells:
        return None
    _require_columns(max(map(len, cells)), word, tag)
    cells = [row for row in cells if not row[0].startswith("#")] or cells
    numbers = sum(_NUMBER.fullmatch(row[0]) is not None for row in cells)
    numbered = numbers * 5 > len(cells) * 4 and max(map(len, cells)) > 2
    word = int(numbered) if word is None else word
    if numbered and word:
        cells = [row for row in cells if row[0].isdigit()] or cells
    found = (tag, False) if tag is not None else _find_tags(cells, word)
    if found is None:
        return None
    column, bare = found
    if tag is not None:
        present = [row[tag] for row in cells if -len(row) <= tag < len(row)]
        bare = sum(parse_tag(cell) is not None for cell in present) * 2 < len(present)
    return Layout(tabs, word, column, bare, numbered and word > 0, _language_of(cells, word))


def _require_columns(most: int, word: int | None, tag: int | None) -> None:
    for name, column in (("words", word), ("tags", tag)):
        if column is not None and not -most <= column < most:
            raise ConfigError(
                f"column {column + 1} cannot have the {name}: no line has more than {most} columns"
            )
    if word is not None and word == tag:
        raise ConfigError(f"column {word + 1} cannot have both words and tags")


def _find_tags(cells: Sequence[list[str]], word: int) -> tuple[int, bool] | None:
    """The column of tags, and whether they are bare types."""
    most = max(map(len, cells))
    full = [row for row in cells if len(row) == most]
    if len(full) * 2 < len(cells):  # words of one line have fields that others lack
        full = [row for row in cells if len(row) > word + 1]
        columns = [-1]
    else:
        columns = list(range(word + 1, most))
    if not columns or not full:  # no column behind that of the words
        return None
    fitting = []
    for column in columns:
        values = [row[column] for row in full]
        tags = sum(parse_tag(value) is not None for value in values)
        # A few wrong tags are for the reader to name.
        sure = OUTSIDE in values or all("-" in value for value in values)
        if sure and tags * 10 >= len(values) * 9:
            fitting.append(column)
    others = [column for column in fitting if not any(is_phrase_tag(row[column]) for row in full)]
    if chosen := others or fitting:
        return (chosen[0] if others else chosen[-1]), False
    values = [row[columns[-1]] for row in full]
    known = sum(parse_tag(value, bare=True) is not None for value in values)
    if values.count(OUTSIDE) * 2 > len(values) and known * 10 >= len(values) * 9:
        return columns[-1], True
    return None


def _language_of(cells: Sequence[list[str]], word: int) -> str | None:
    """What stands before the colon of every word, if it is the same for all."""
    found = {
        match[1] if (match := _LANGUAGE.match(row[word])) else None
        for row in cells
        if len(row) > word
    }
    return found.pop() if len(found) == 1 and len(cells) > 1 else None


def _is_mark(line: str) -> bool:
    return line.startswith(_DOCUMENT_LINE) or bool(_NEW_DOCUMENT.match(line))


def read_columns(lines: Sequence[str], layout: Layout) -> Columns:
    """Read all lines; what is wrong with some is among the problems."""
    return _Reader(layout).read(lines)


Kind = Literal["blank", "mark", "comment", "word"]


class _Reader:
    def __init__(self, layout: Layout) -> None:
        self.layout, self.found = layout, Columns(layout)
        self.document = 0
        self.text: str | None = None
        self.sentence: Sentence | None = None

    def read(self, lines: Sequence[str]) -> Columns:
        for number, line in enumerate(lines, start=1):
            match self._kind(line):
                case "blank":
                    self._end()
                case "mark":
                    self._end()
                    self.document += 1
                    self.found.document_marks += 1
                case "comment":
                    self._comment(line)
                case "word":
                    self._word(number, line)
        self._end()
        return self.found

    def _kind(self, line: str) -> Kind:
        if not line.strip():
            return "blank"
        if _is_mark(line):
            return "mark"
        if line.startswith("#") and (
            _FIELD.match(line) or self.layout.tag_of(self.layout.cells(line)) is None
        ):
            return "comment"
        return "word"

    def _comment(self, line: str) -> None:
        match = _FIELD.match(line)
        if match and match[1] == "text":
            self._end()
            self.text = match[2]

    def _word(self, number: int, line: str) -> None:
        layout, problems = self.layout, self.found.problems
        cells = layout.cells(line)
        if layout.numbered and not cells[0].isdigit():
            if _NUMBER.fullmatch(cells[0]):
                self.found.left_out += 1
            else:
                problems.append(Problem(number, f"expected the number of a word, got {cells[0]!r}"))
            return
        tag = layout.tag_of(cells)
        if tag is None:
            place = layout.tag + 1 if layout.tag >= 0 else "the last"
            seen = repr(line if len(line) < 60 else line[:57] + "…")
            problems.append(
                Problem(number, f"expected a tag in column {place}, the line is {seen}")
            )
            return
        self.found.without_tabs += layout.tabs and "\t" not in line
        word = cells[layout.word]
        if layout.language is not None:
            word = word.removeprefix(f"{layout.language}:")
        if not word.strip():
            problems.append(Problem(number, "the word is blank, and left out", fatal=False))
            return
        if self.sentence is None:
            self.sentence = Sentence(number, text=self.text, document=self.document)
        self.sentence.words.append(word)
        self.sentence.tags.append(tag)
        self.sentence.lines.append(number)

    def _end(self) -> None:
        if self.sentence is not None:
            self.found.sentences.append(self.sentence)
            self.text = None
        self.sentence = None
