"""Folders, languages, relations and tables of facts: read, and checked whatever is wrong."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from cloze_questions import WriteQuestions, line, write_lines

from exonym.foundation.errors import FormatError, InputError
from exonym.tasks.cloze import ClozeModel, check_questions, load_questions, show_questions

CAPITAL = ("The capital of [X] is [Y].", [line("Q1", "Q10"), line("Q2", "Q11")])
TURNED = ("[Y] borders [X].", [line("Q1", "Q2"), line("Q1", "Q3"), line("Q2", "Q1")])


@pytest.fixture
def folder(write_questions: WriteQuestions) -> Path:
    return write_questions(
        {"en": {"P36": CAPITAL, "P47": TURNED}, "sw": {"P36": ("[X] [Y]", CAPITAL[1])}}
    )


def test_a_language_and_a_relation_can_be_read_alone(folder: Path) -> None:
    whole = load_questions(folder, ["en"])
    assert load_questions(folder / "en") == whole
    one = load_questions(folder / "en" / "P36.jsonl")
    assert one == load_questions(folder / "en", relations=["P36"])
    assert [question.subject for question in one.questions] == ["Q1", "Q2"]
    assert one.templates == {("en", "P36"): CAPITAL[0]}
    with pytest.raises(InputError, match="no questions in 'sw'; there are en"):
        load_questions(folder / "en", ["sw"])


def test_what_is_wrong_with_other_relations_does_not_matter(folder: Path) -> None:
    (folder / "en" / "P47.jsonl").write_bytes(b"\xff{")
    assert len(load_questions(folder, ["en"], relations=["P36"]).questions) == 2
    assert len(load_questions(folder / "en" / "P36.jsonl").questions) == 2
    with pytest.raises(FormatError, match=r"P47\.jsonl:1: not UTF-8"):
        load_questions(folder, ["en"])


def test_a_good_folder_has_no_problem_and_notes(folder: Path) -> None:
    checked = check_questions(folder)
    assert checked.problems == ()
    assert checked.questions == load_questions(folder)
    assert checked.notes == (
        "6 questions",
        "2 languages",
        "2 relations",
        "1 questions with several right answers",
        "1 of 3 templates with [Y] before [X]",
        "0 questions that say which languages tell the fact",
        "candidates: the objects of each relation",
    )


def spoil_lines(folder: Path) -> None:
    with (folder / "en" / "P36.jsonl").open("ab") as stream:
        stream.write(b'{"sub_uri": "Q3"\n[1]\n{"sub_uri": "Q4"}\n{"sub_label": "Jap\xe9n"}\n')


def spoil_templates(folder: Path) -> None:
    with (folder / "en" / "templates.jsonl").open("ab") as stream:
        stream.write(b'\n{"relation": "P1", "template": "[Y] alone"}\n')
        stream.write(b'{"relation": "P1", "template": "[X] alone"}\n{"template": "[X][Y]"}\n')
        stream.write(b'{"relation": "P36", "template": "[X], [Y]"}\n')


def lose_templates(folder: Path) -> None:
    (folder / "sw" / "templates.jsonl").unlink()


def unknown_relation(folder: Path) -> None:
    write_lines(folder / "en" / "P99.jsonl", CAPITAL[1])


def lose_facts(folder: Path) -> None:
    (folder / "en" / "P47.jsonl").unlink()


def repeat(folder: Path) -> None:
    with (folder / "en" / "P36.jsonl").open("ab") as stream:
        stream.write(b'{"sub_uri":"Q1","sub_label":"Z","obj_uri":"Q10","obj_label":"name of Q10"}')


def utf_16(folder: Path) -> None:
    path = folder / "en" / "P36.jsonl"
    path.write_bytes(path.read_bytes().decode().encode("utf-16"))


def utf_16_without_a_mark(folder: Path) -> None:
    path = folder / "en" / "templates.jsonl"
    path.write_bytes(path.read_bytes().decode().encode("utf-16-le"))


Spoil = Callable[[Path], None]
CASES: list[tuple[Spoil, list[tuple[str, bool]]]] = [
    (
        spoil_lines,
        [
            ("en/P36.jsonl:3: not valid JSON", True),
            ("en/P36.jsonl:4: expected a JSON object", True),
            ("en/P36.jsonl:5: the field 'sub_label' must be a string", True),
            ("en/P36.jsonl:6: not UTF-8: the byte 0xe9 does not fit; convert the file", True),
        ],
    ),
    (
        spoil_templates,
        [
            ("en/templates.jsonl:4: the template '[Y] alone' needs the slot [X] exactly", True),
            ("en/templates.jsonl:5: the template '[X] alone' needs the slot [Y] exactly", True),
            ("en/templates.jsonl:6: the fields 'relation' and 'template' must be strings", True),
            ("en/templates.jsonl:7: a second template for 'P36'", True),
        ],
    ),
    (lose_templates, [("sw: no templates.jsonl beside 1 .jsonl files", True)]),
    (unknown_relation, [("en/P99.jsonl: no template for it in templates.jsonl", False)]),
    (lose_facts, [("en/templates.jsonl: no file of facts for the template of 'P47'", False)]),
    (
        repeat,
        [
            ("en/P36.jsonl:3: Q1 is called 'Z' here, but 'name of Q1' before", False),
            ("en/P36.jsonl:3: the fact Q1, Q10 for the second time", False),
        ],
    ),
    (utf_16, [("en/P36.jsonl:1: not UTF-8, but UTF-16: convert the file", True)]),
    (
        utf_16_without_a_mark,
        [
            ("en/templates.jsonl:1: not UTF-8, but UTF-16: convert the file", True),
            ("en/P36.jsonl: no template for it", False),
            ("en/P47.jsonl: no template for it", False),
        ],
    ),
]


@pytest.mark.parametrize(("spoil", "expected"), CASES, ids=lambda one: getattr(one, "__name__", ""))
def test_everything_that_is_wrong_is_listed_with_file_and_line(
    spoil: Spoil, expected: list[tuple[str, bool]], folder: Path
) -> None:
    spoil(folder)
    problems = check_questions(folder).problems
    assert len(problems) == len(expected)
    for problem, (start, fatal) in zip(problems, expected, strict=True):
        shown = f"{problem.where}: {problem.what}".removeprefix(f"{folder}/")
        assert shown.startswith(start)
        assert problem.fatal == fatal
    if any(fatal for _, fatal in expected):
        first = next(problem for problem in problems if problem.fatal)
        with pytest.raises(FormatError, match="--keep-going") as raised:
            load_questions(folder)
        assert str(raised.value).startswith(f"{first.where}: {first.what}")
    read = load_questions(folder, keep_going=True)
    assert sum(read.left_out.values()) == len(expected)
    assert read.questions


def test_a_byte_order_mark_does_no_harm(folder: Path) -> None:
    before = load_questions(folder)
    for path in folder.rglob("*.jsonl"):
        path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes())
    assert load_questions(folder) == before


def test_where_nothing_can_be_asked_the_reasons_are_listed(folder: Path) -> None:
    (folder / "en" / "templates.jsonl").write_text('{"relation": "P36", "template": "[X]"}')
    checked = check_questions(folder / "en" / "P36.jsonl")
    assert checked.questions is None
    assert [problem.line for problem in checked.problems] == [1]
    (folder / "sw" / "P36.jsonl").write_bytes(b"")
    with pytest.raises(InputError, match="templates but no question for sw"):
        check_questions(folder / "sw")


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("en/templates.jsonl", "templates without facts.*Give .*en/"),
        ("nowhere", r"no <language>/templates\.jsonl here"),
        ("en/P99.jsonl", r"P99\.jsonl: no template for 'P99' in templates\.jsonl"),
    ],
)
def test_a_path_of_something_else_is_refused(path: str, message: str, folder: Path) -> None:
    unknown_relation(folder)
    for read in (load_questions, check_questions):
        with pytest.raises(InputError, match=message):
            read(folder / path)


def test_questions_are_shown_as_text_and_as_a_model_sees_them(
    folder: Path, model: ClozeModel
) -> None:
    source = load_questions(folder)
    shown = [*show_questions(source.questions, source)]
    assert shown[2] == (
        "Q1 P47 (en)\n  [Y] borders name of Q1.\n  = name of Q2 (Q2), name of Q3 (Q3); 3 candidates"
    )
    (paragraph,) = show_questions(source.questions[2:3], source, model.tokenizer)
    seen = paragraph.splitlines()
    assert seen[3].split()[:2] == ["<s>", "<mask>"]
    assert seen[4].startswith("  [X] Q1: row 4; [Y] [MASK]; 3 of 3 entities")
