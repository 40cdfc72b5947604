"""Annotated questions on disk: a directory of JSON Lines that anyone can read, and publish.

    manifest.json   what was annotated, with which knowledge base, by which rule, and what was found
    NAME.jsonl      a question a line, in the order of the file it was made from

The lines are those of `QuestionExample.to_json`, which `tasks.qa.data` reads like any other file.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path

import orjson

from exonym.foundation.errors import FormatError, InputError
from exonym.foundation.files import JSON, atomic_directory, read_manifest, sha256, write_manifest
from exonym.knowledge import KnowledgeBase
from exonym.tasks.qa.annotation import (
    AnnotatedQuestions,
    AnnotationOptions,
    GeneralLinker,
    TextCounts,
    annotate_questions,
)
from exonym.tasks.qa.data import read_questions
from exonym.tasks.qa.records import QuestionExample

FORMAT, VERSION = "exonym-question-annotations", 1
REMEDY = "Make one: exonym data link qa FILE... --kb KB --out DIR"
_SUFFIXES = re.compile(r"(\.jsonl?)?(\.(bz2|gz|xz|zst))?$")


class QuestionAnnotations:
    """A directory of annotated questions.

    Attributes:
        path: the directory.
        manifest: ``manifest.json``.
        names: of the files, without ``.jsonl``.
    """

    def __init__(self, path: Path, manifest: JSON) -> None:
        self.path, self.manifest = path, manifest
        self.names: tuple[str, ...] = tuple(manifest["files"])

    @classmethod
    def open(cls, path: Path | str) -> QuestionAnnotations:
        """Open what `write_annotations` wrote.

        Raises:
            InputError: there is no such directory, or it is of another kind.
            VersionError: another version of Exonym wrote it.
        """
        path = Path(path)
        return cls(path, read_manifest(path, format=FORMAT, version=VERSION, remedy=REMEDY))

    def questions(self, name: str) -> Iterator[QuestionExample]:
        """The questions of a file, in order.

        Raises:
            InputError: there is no such file.
            FormatError: it is damaged.
        """
        if name not in self.names:
            raise InputError(
                f"no file {name!r} here, only {', '.join(self.names)}", where=self.path
            )
        path, read = self.path / f"{name}.jsonl", 0
        for example in read_questions(path):
            read += 1
            yield example
        expected = self.manifest["files"][name]["questions"]
        if read != expected:
            raise FormatError(
                f"expected {expected:,} questions, found {read:,}", where=path, remedy=REMEDY
            )


def write_annotations(
    files: Sequence[Path],
    out: Path,
    kb: KnowledgeBase,
    options: AnnotationOptions | None = None,
    *,
    linker: GeneralLinker | None = None,
    linker_name: str | None = None,
    language: str | None = None,
    question_language: str | None = None,
    overwrite: bool = False,
) -> QuestionAnnotations:
    """Annotate files of questions and keep the result.

    Args:
        files: in any layout of `tasks.qa.data`.
        out: the directory to make.
        kb: as for `annotate_questions`.
        options: as for `annotate_questions`.
        linker: as for `annotate_questions`.
        linker_name: what the manifest says of it.
        language: as for `tasks.qa.data.read_questions`.
        question_language: as for `tasks.qa.data.read_questions`.
        overwrite: replace ``out``.

    Raises:
        InputError: two files would have one name, or a file's language is not known.
        FormatError: something is wrong with a file.
        ExistsError: ``out`` is there.
    """
    options = options or AnnotationOptions()
    named = _named(files)
    with atomic_directory(out, overwrite=overwrite) as directory:
        questions = [
            list(read_questions(path, language=language, question_language=question_language))
            for path in named.values()
        ]
        results = annotate_questions(kb, questions, options, linker=linker)
        reports = {}
        for (name, path), result in zip(named.items(), results, strict=True):
            with (directory / f"{name}.jsonl").open("wb") as stream:
                for example in result.examples:
                    line = orjson.dumps(example.to_json(), option=orjson.OPT_APPEND_NEWLINE)
                    stream.write(line)
            reports[name] = _report(path, result)
        write_manifest(
            directory,
            format=FORMAT,
            version=VERSION,
            knowledge_base=_identity(kb),
            rule={
                "source_language": options.source_language,
                **asdict(options.rule),
                "linker": linker_name,
            },
            languages=_sums(results),
            files=reports,
        )
    return QuestionAnnotations.open(out)


def _named(files: Sequence[Path]) -> dict[str, Path]:
    """Files by the names that their annotations get."""
    named: dict[str, Path] = {}
    for path in files:
        other = named.setdefault(_SUFFIXES.sub("", path.name), path)
        if other is not path:
            raise InputError(f"would get the same name as {other}", where=path)
    return named


def _report(path: Path, result: AnnotatedQuestions) -> JSON:
    return {
        "source": path.name,
        "sha256": sha256(path),
        "questions": len(result.examples),
        "questions without a title": result.untitled,
        "titles": {
            language: {
                "titles": counts.titles,
                "articles": counts.articles,
                "missing": list(counts.missing),
            }
            for language, counts in result.articles.items()
        },
        "languages": _by_language(result.languages),
    }


def _by_language(counts: Mapping[str, TextCounts]) -> JSON:
    return {language: counts[language].to_json() for language in sorted(counts)}


def _sums(results: Sequence[AnnotatedQuestions]) -> JSON:
    sums: dict[str, dict[str, int]] = {}
    for result in results:
        for language, counts in result.languages.items():
            here = sums.setdefault(language, {})
            for name, count in counts.to_json().items():
                here[name] = here.get(name, 0) + count
    return {language: sums[language] for language in sorted(sums)}


def _identity(kb: KnowledgeBase) -> JSON:
    """By what others can tell which knowledge base it was: no path, but its dumps and a digest."""
    return {
        "sha256": sha256(kb.path / "manifest.json"),
        "languages": list(kb.languages),
        "dumps": [
            {"name": dump["name"], "date": dump["date"], "sha256": dump["sha256"]}
            for dump in kb.manifest["files"]
        ],
    }
