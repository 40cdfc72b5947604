"""Reading sentences with named entities: CoNLL columns of all kinds, and JSON Lines.

    Berlin B-LOC                    columns, see `tasks.ner.columns`; Universal NER, WikiNEuRal,
    1    Berlin    B-LOC    -       WikiANN, GermEval and MultiCoNER are such files
    {"text", "entities": [{"start", "end", "label"}], "language", "words", "document"}
    {"tokens": [], "tags": []}      JSON Lines; see `tasks.ner.json_lines`

Words of columns become running text: the one in the comment ``# text = …`` where all words are in
it, else words with blanks between them, or none in Chinese, Japanese and Thai. Files may be
compressed (.bz2 .gz .xz .zst).
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Literal, get_args

from exonym.foundation.errors import ConfigError, FormatError
from exonym.tasks.ner.columns import Columns, find_layout, read_columns
from exonym.tasks.ner.joining import running_text
from exonym.tasks.ner.json_lines import read_json_examples
from exonym.tasks.ner.records import Dataset, Gold, NerExample, document_name
from exonym.tasks.ner.tagging import chunks, detect_scheme
from exonym.tasks.reading import Problem, language_of_file, read_lines, require_usable

Format = Literal["auto", "columns", "jsonl"]
Documents = Literal["marked", "file"]
_REMEDY = "A file has a word and its tag a line, or JSON objects with text and entities"


def read_examples(
    path: Path | str,
    *,
    format: Format = "auto",
    language: str | None = None,
    encoding: str | None = None,
    word_column: int | None = None,
    tag_column: int | None = None,
    documents: Documents = "marked",
    tag_names: Sequence[str] | None = None,
) -> Dataset:
    """Read a file.

    Args:
        path: the file.
        format: ``"columns"``, ``"jsonl"``, or ``"auto"``: as its first character says.
        language: code, where the file does not say; None takes it from the file's name or folder.
        encoding: of the file; None finds it out.
        word_column: the column of words, from 0; None finds it out.
        tag_column: the column of tags; None finds it out.
        documents: what is one document: what the file ``"marked"`` as such (without marks every
            sentence stands alone), or the whole ``"file"``, as the released code reads files
            without marks.
        tag_names: of tags that are numbers, in their order from 0: JSON Lines of the hub's data
            sets have such, and the names stand in the data set's card.

    Raises:
        InputError: there is no such file.
        FormatError: a line is wrong, or nothing was found; names file, line and remedy.
        ConfigError: an option has an impossible value.
    """
    dataset = check_examples(
        path,
        format=format,
        language=language,
        encoding=encoding,
        word_column=word_column,
        tag_column=tag_column,
        documents=documents,
        tag_names=tag_names,
    )
    remedy = f"All that is wrong is listed by: exonym data check ner {path}"
    require_usable(dataset.problems, Path(path), remedy=remedy)
    return dataset


def check_examples(
    path: Path | str,
    *,
    format: Format = "auto",
    language: str | None = None,
    encoding: str | None = None,
    word_column: int | None = None,
    tag_column: int | None = None,
    documents: Documents = "marked",
    tag_names: Sequence[str] | None = None,
) -> Dataset:
    """Read a file to its end, whatever is wrong with single lines; the problems name them.

    The arguments are those of `read_examples`.

    Raises:
        InputError: there is no such file.
        FormatError: there is no sentence in it, or it is damaged.
        ConfigError: an option has an impossible value.
    """
    path = Path(path)
    for name, value, kinds in (("format", format, Format), ("documents", documents, Documents)):
        if value not in get_args(kinds):
            raise ConfigError(f"{name} must be one of {', '.join(get_args(kinds))}, got {value!r}")
    lines, encoding = read_lines(path, encoding)
    first = next((line for line in lines if line.strip()), "").lstrip("\ufeff \t")
    spoken = language or language_of_file(path)
    if format == "jsonl" or (format == "auto" and first.startswith("{")):
        dataset = read_json_examples(lines, path, encoding, language=spoken, tag_names=tag_names)
    else:
        dataset = _read_columns(lines, path, encoding, spoken, word_column, tag_column, documents)
    if not dataset.examples and not any(problem.fatal for problem in dataset.problems):
        raise FormatError("no sentence in it", where=path, remedy=_REMEDY)
    return dataset


def _read_columns(
    lines: Sequence[str],
    path: Path,
    encoding: str,
    language: str | None,
    word: int | None,
    tag: int | None,
    documents: Documents,
) -> Dataset:
    layout = find_layout(lines, word=word, tag=tag)
    if layout is None:
        raise _without_layout(lines, path)
    found = read_columns(lines, layout)
    scheme, odd = detect_scheme([sentence.tags for sentence in found.sentences])
    oddities = [
        Problem(
            found.sentences[number].lines[place], f"this tag does not fit {scheme}", fatal=False
        )
        for number, place in odd
    ]
    spoken = layout.language or language
    examples, raw = [], 0
    for number, sentence in enumerate(found.sentences):
        text, spans = running_text(sentence.words, spoken or "und", sentence.text)
        raw += sentence.text is not None and text == sentence.text
        entities = tuple(
            Gold(spans[start][0], spans[end - 1][1], kind)
            for start, end, kind in chunks(sentence.tags)
        )
        document: str | None = None
        if documents == "file" or found.document_marks:
            place = 0 if documents == "file" else sentence.document
            document = document_name(path, place)
        source = f"{path}:{found.sentences[number].line}"
        examples.append(NerExample(text, spoken or "und", entities, tuple(spans), document, source))
    problems = sorted([*found.problems, *oddities], key=lambda problem: problem.line)
    notes = _notes(found, language, raw, documents)
    if odd:
        notes.append(f"{len(odd)} tags do not fit {scheme}; they are read as conlleval reads them")
    return Dataset(tuple(examples), "columns", scheme, encoding, tuple(problems), tuple(notes))


def _without_layout(lines: Sequence[str], path: Path) -> FormatError:
    text = "".join(map(str.strip, lines[:100]))
    if not text:
        return FormatError("is empty", where=path, remedy=_REMEDY)
    if text.lstrip("\ufeff").startswith(("[{", "[]")):
        remedy = "Write each of its objects on a line of its own"
        return FormatError("a JSON list, not JSON Lines", where=path, remedy=remedy)
    return FormatError(
        "no column of tags such as B-PER and O",
        where=path,
        remedy=f"{_REMEDY}; --tag-column says where tags are",
    )


def _notes(found: Columns, language: str | None, raw: int, documents: Documents) -> list[str]:
    layout = found.layout
    kind = "tabs" if layout.tabs else "blanks"
    notes = [f"columns between {kind}: words in {layout.word + 1}, tags in {layout.tag + 1}"]
    if layout.tag < 0:
        notes = [f"columns between {kind}: words in {layout.word + 1}, tags in the last"]
    spoken = layout.language or language
    notes.append(f"language: {spoken}" if spoken else "language not known, taken as spaced")
    if raw:
        notes.append(f"{raw} of {len(found.sentences)} sentences have their untouched text")
    if documents == "file":
        notes.append("the file is one document")
    elif found.document_marks:
        notes.append(f"{found.document_marks} documents")
    else:
        notes.append("no marks of documents: sentences stand alone")
    if found.without_tabs:
        notes.append(f"{found.without_tabs} words have blanks where others have tabs")
    if found.left_out:
        notes.append(f"{found.left_out} lines of joined or empty words left out")
    return notes
