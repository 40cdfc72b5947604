"""Reading questions in mLAMA's layout: what is read, and how bad files are refused."""

from __future__ import annotations

from pathlib import Path

import pytest
from cloze_questions import WriteQuestions, line

from exonym.foundation.errors import FormatError, InputError
from exonym.tasks.cloze import Candidate, Question, load_questions

CAPITAL = ("The capital of [X] is [Y].", [line("Q1", "Q10"), line("Q2", "Q11")])


def test_questions_templates_and_candidates_are_read_by_language_and_relation(
    write_questions: WriteQuestions,
) -> None:
    german = ("[Y] ist die Hauptstadt von [X].", [line("Q2", "Q11", sub="Japan", obj="Tokio")])
    directory = write_questions({"en": {"P36": CAPITAL}, "de": {"P36": german}})
    read = load_questions(directory)
    assert [(q.language, q.subject) for q in read.questions] == [
        ("de", "Q2"), ("en", "Q1"), ("en", "Q2"),
    ]  # fmt: skip
    assert read.questions[0] == Question("de", "P36", "Q2", "Japan", ("Q11",))
    assert read.templates["de", "P36"] == "[Y] ist die Hauptstadt von [X]."
    assert read.candidates["de", "P36"] == (Candidate("Q11", "Tokio"),)
    assert [c.entity for c in read.candidates["en", "P36"]] == ["Q10", "Q11"]


def test_lines_of_one_subject_are_one_question_with_several_right_answers(
    write_questions: WriteQuestions,
) -> None:
    lines = [
        line("Q1", "Q11", ["en"]),
        line("Q2", "Q12", []),
        line("Q1", "Q10", ["de", "en"]),
        line("Q1", "Q11", ["en"]),
    ]
    read = load_questions(write_questions({"de": {"P47": ("[X] [Y].", lines)}}))
    first, second = read.questions
    assert first.answers == ("Q11", "Q10")
    assert first.told_in == ("en", "de"), "told where any of the answers is"
    assert first.told == "told"
    assert second.told == "control"


@pytest.mark.parametrize(
    ("told_in", "told"),
    [(None, None), ([], "control"), (["de"], "untold"), (["de", "en"], "told")],
)
def test_told_untold_and_control(
    told_in: list[str] | None, told: str | None, write_questions: WriteQuestions
) -> None:
    lines = [line("Q1", "Q10", told_in)]
    read = load_questions(write_questions({"en": {"P36": ("[X] [Y].", lines)}}))
    assert read.questions[0].told == told


def test_lines_that_do_not_say_are_not_taken_for_control(write_questions: WriteQuestions) -> None:
    lines = [line("Q1", "Q10", ["de"]), line("Q2", "Q11")]
    read = load_questions(write_questions({"en": {"P36": ("[X] [Y].", lines)}}))
    assert [question.told for question in read.questions] == ["untold", None]


def test_only_the_languages_that_are_asked_for_are_read(write_questions: WriteQuestions) -> None:
    directory = write_questions({"en": {"P36": CAPITAL}, "de": {"P36": CAPITAL}})
    assert {q.language for q in load_questions(directory, ["de"]).questions} == {"de"}
    with pytest.raises(InputError, match=r"no questions in 'ja'; there are de, en"):
        load_questions(directory, ["de", "ja"])


def test_templates_without_a_file_of_facts_are_passed_over(write_questions: WriteQuestions) -> None:
    directory = write_questions({"en": {"P36": CAPITAL, "P38": ("[X] [Y]", [])}})
    (directory / "en" / "P38.jsonl").unlink()
    assert {key for _, key in load_questions(directory).templates} == {"P36"}
    (directory / "en" / "P36.jsonl").unlink()
    with pytest.raises(InputError, match="no question for en"):
        load_questions(directory)


def test_a_directory_of_something_else_is_refused(tmp_path: Path) -> None:
    for directory in (tmp_path, tmp_path / "nowhere"):
        with pytest.raises(InputError, match=r"no <language>/templates\.jsonl here.*ATLAS/cloze"):
            load_questions(directory)


@pytest.mark.parametrize("field", ["sub_uri", "sub_label", "obj_uri", "obj_label"])
@pytest.mark.parametrize("value", [None, "", "  ", 7])
def test_a_missing_field_names_file_and_line(
    field: str, value: object, write_questions: WriteQuestions
) -> None:
    bad = {**line("Q2", "Q11"), field: value}
    if value is None:
        del bad[field]
    directory = write_questions({"en": {"P36": ("[X] [Y]", [line("Q1", "Q10"), bad])}})
    with pytest.raises(FormatError, match=rf"P36\.jsonl:2: the field '{field}'"):
        load_questions(directory)


@pytest.mark.parametrize("told_in", ["en", None, [1], {"en": 1}])
def test_told_in_of_the_wrong_kind_names_file_and_line(
    told_in: object, write_questions: WriteQuestions
) -> None:
    bad = {**line("Q1", "Q10"), "told_in": told_in}
    directory = write_questions({"en": {"P36": ("[X] [Y]", [bad])}})
    with pytest.raises(FormatError, match=r"P36\.jsonl:1: the field 'told_in' must be a list"):
        load_questions(directory)


@pytest.mark.parametrize("template", ["[X] is.", "of [Y]", "[X] [X] [Y]", "[Y][X][Y]"])
def test_a_template_needs_each_slot_exactly_once(
    template: str, write_questions: WriteQuestions
) -> None:
    directory = write_questions({"en": {"P36": (template, [line("Q1", "Q10")])}})
    with pytest.raises(FormatError, match=r"templates\.jsonl:1: .* exactly once"):
        load_questions(directory)


def test_a_second_template_for_a_relation_is_an_error(write_questions: WriteQuestions) -> None:
    directory = write_questions({"en": {"P36": CAPITAL}})
    path = directory / "en" / "templates.jsonl"
    before = load_questions(directory)
    path.write_bytes(path.read_bytes() * 2)
    assert load_questions(directory) == before, "the same again does no harm"
    path.write_bytes(path.read_bytes() + path.read_bytes().replace(b"[X]", b"[X] now"))
    with pytest.raises(FormatError, match=r"templates\.jsonl:3: a second template for 'P36'"):
        load_questions(directory)


def test_broken_json_names_file_and_line(write_questions: WriteQuestions) -> None:
    directory = write_questions({"en": {"P36": CAPITAL}})
    with (directory / "en" / "P36.jsonl").open("ab") as stream:
        stream.write(b'{"sub_uri": "Q3", ')
    with pytest.raises(FormatError, match=r"P36\.jsonl:3: not valid JSON"):
        load_questions(directory)
