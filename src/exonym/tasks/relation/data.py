"""Reading examples: KBP37 and RELX, TACRED, and JSON Lines.

    17647 TAB "The <e1> Viva </e1> is in <e2> York </e2> ."     KBP37, RELX, SemEval-2010 task 8:
    org:city_of_headquarters(e1,e2)                             blocks of lines, a blank one between
    [{"token": ["Viva", "is"], "subj_start": 0, "subj_end": 0, "obj_start", "obj_end",
      "relation": "org:website"}]                               TACRED; also one object a line
    {"text": "Viva is in York.", "head": [0, 4], "tail": [11, 15], "label": "city"}
    {"text", "language", "mentions": [{"start", "end"}, {"start", "end"}], "label"}
                                                                JSON Lines, two ways

The layout is seen from the file, which may be compressed (.bz2 .gz .xz .zst). Offsets count code
points of the example's text. In the first layout that is the sentence without its quotation marks,
without the tags and the blanks inside them, and with full stops moved to their words, as the code
of mLUKE reads it (KBP37 writes "York ." where RELX writes "York.").
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Literal, get_args

from exonym.foundation.errors import ConfigError, FormatError
from exonym.tasks.reading import Problem, language_of_file, read_lines, require_usable
from exonym.tasks.relation.layouts import Item, json_lines, tacred, tagged
from exonym.tasks.relation.records import NEGATIVES, Dataset, RelationExample, without_direction

Format = Literal["auto", "kbp37", "tacred", "jsonl"]
UNKNOWN_LANGUAGE = "und"
_READERS = {"kbp37": tagged, "tacred": tacred, "jsonl": json_lines}


def read_examples(
    path: Path | str,
    *,
    format: Format = "auto",
    language: str | None = None,
    encoding: str | None = None,
) -> Dataset:
    """Read a file whose examples can all be used.

    Args:
        path: the file.
        format: its layout; ``"auto"`` sees it from the file.
        language: of the texts that do not say theirs; None takes it from the file's name
            (``RELX_de.txt``), else it is ``"und"``.
        encoding: of the file; None finds it out.

    Raises:
        InputError: there is no such file.
        ConfigError: no such format.
        FormatError: something is wrong with it; the message names file and line.
    """
    dataset = check_examples(path, format=format, language=language, encoding=encoding)
    require_usable(
        dataset.problems,
        Path(path),
        remedy=f"All that is wrong is listed by: exonym data check relation {path}",
    )
    return dataset


def check_examples(
    path: Path | str,
    *,
    format: Format = "auto",
    language: str | None = None,
    encoding: str | None = None,
) -> Dataset:
    """Read a file to its end, whatever is wrong with single examples.

    The arguments are those of `read_examples`.

    Raises:
        InputError: there is no such file.
        ConfigError: no such format.
        FormatError: it is in none of the layouts, empty or damaged.
    """
    path = Path(path)
    if format not in get_args(Format):
        raise ConfigError(f"no format {format!r}, only {', '.join(get_args(Format))}")
    lines, found = read_lines(path, encoding)
    chosen = _format_of(lines, path) if format == "auto" else format
    code = language or language_of_file(path) or UNKNOWN_LANGUAGE
    examples: list[RelationExample] = []
    problems: list[Problem] = []
    for item in _without_doubles(_READERS[chosen](lines, code, path)):
        if isinstance(item, RelationExample):
            examples.append(item)
        else:
            problems.append(item)
    if not examples and not problems:
        raise FormatError("there is no example in it", where=path)
    dataset = Dataset(tuple(examples), chosen, found, tuple(problems))
    return replace(dataset, notes=tuple(_notes(dataset, path)))


def _format_of(lines: list[str], path: Path) -> str:
    first = next((line.lstrip() for line in lines if line.strip()), None)
    if first is None:
        raise FormatError("an empty file", where=path)
    if first[0] == "[":
        return "tacred"
    if first[0] == "{":
        return "tacred" if '"subj_start"' in first else "jsonl"
    if "\t" in first:
        return "kbp37"
    raise FormatError(
        f"in none of the known layouts (it begins with {first[:40]!r})",
        where=path,
        remedy="Known are KBP37 and RELX, TACRED, and JSON Lines; see docs/relation-extraction.md",
    )


def _without_doubles(items: Iterable[Item]) -> Iterator[Item]:
    """Say where an id stands twice; the example counts all the same."""
    seen: set[str] = set()
    for item in items:
        if isinstance(item, RelationExample):
            if item.id in seen:
                line = int(str(item.text.source).rpartition(":")[2])
                yield Problem(line, f"a second example with the id {item.id!r}", fatal=False)
            seen.add(item.id)
        yield item


def _notes(dataset: Dataset, path: Path) -> Iterator[str]:
    counts, size = dataset.counts, len(dataset.examples)
    languages = Counter(example.language for example in dataset.examples)
    relations = {without_direction(label) for label in counts} - NEGATIVES
    negative = sum(count for label, count in counts.items() if label in NEGATIVES)
    shown = ", ".join(f"{code} {count:,}" for code, count in sorted(languages.items()))
    yield f"{path.name}: layout {dataset.format}, {dataset.encoding}, {size:,} examples ({shown})"
    yield (
        f"{len(relations)} relations, {len(counts)} labels; "
        f"{negative:,} examples are of no relation"
    )
    if unlabelled := size - counts.total():
        yield f"{unlabelled:,} examples have no label"
    if UNKNOWN_LANGUAGE in languages:
        yield "the language of some texts is not known: say it with --language"
    if dataset.format == "kbp37":
        yield 'full stops were moved to their words ("York ." to "York."), as mLUKE\'s code does'
    reasons = Counter(problem.fatal for problem in dataset.problems)
    if reasons:
        yield f"{reasons[True]:,} examples cannot be used, {reasons[False]:,} things are odd"
