"""The benchmarks' questions: their entities, and which of them belong together."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from exonym.knowledge import KnowledgeBase
from exonym.linking import Linker
from exonym.systems.reproduction.plan import SOURCE
from exonym.tasks import qa
from exonym.tasks.qa.annotation_files import write_annotations
from exonym.tasks.qa.data import languages_of_file
from exonym.tasks.qa.records import QuestionExample

_PAIRS = "test-context-*"


def annotate(benchmarks: Path, kb: Path, out: Path) -> None:
    """Put entities into all questions as a user would: by source article, else by the linker.

    Args:
        benchmarks: their folder.
        kb: the knowledge base.
        out: the directory to make.
    """
    opened = KnowledgeBase.open(kb)
    linker = Linker.open(opened)
    files = sorted((benchmarks / "qa").glob("*.json"))
    write_annotations(files, out, opened, linker=linker, linker_name=linker.scorer)


def test_files(questions: Path) -> dict[str, Path]:
    """By language, the files of the tests whose questions and passages are in one language.

    The source language comes first.
    """
    found = {}
    for path in sorted(questions.glob("test.*.jsonl")):
        language, _ = languages_of_file(path)
        assert language is not None, "named after its language"
        found[language] = path
    return {code: found[code] for code in sorted(found, key=lambda code: (code != SOURCE, code))}


def pair_files(questions: Path) -> list[Path]:
    """The files of the tests that ask in one language about passages in another."""
    return sorted(questions.glob(f"{_PAIRS}.jsonl"))


def groups_of(files: Iterable[Sequence[QuestionExample]]) -> Mapping[str, str]:
    """The passage of each question, the same in all languages, named after a question about it.

    A language may lack some of a passage's questions; those that any language asks about one
    passage belong together.

    Args:
        files: the questions of each.
    """
    group: dict[str, str] = {}
    for examples in files:
        passages: dict[str, list[str]] = {}
        for example in examples:
            passages.setdefault(example.context.text, []).append(example.id)
        for ids in passages.values():
            name = next((group[one] for one in ids if one in group), ids[0])
            for one in ids:
                group.setdefault(one, name)
    return group


def read_test_questions(questions: Path) -> dict[str, tuple[QuestionExample, ...]]:
    """By language, the questions of the tests in one language."""
    return {code: qa.read_examples(path).examples for code, path in test_files(questions).items()}
