"""Reading questions: SQuAD's, XQuAD's and MLQA's layouts, JSON Lines, and all that may be wrong."""

from __future__ import annotations

import copy
import gzip
import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exonym.foundation.errors import ConfigError, FormatError, InputError
from exonym.tasks.qa import GoldAnswer, QuestionExample, check_examples, read_examples
from exonym.tasks.qa.data import languages_of_file, read_questions
from exonym.tasks.qa.places import Steps, lines_of
from exonym.text import AnnotatedText, Mention

PASSAGE = "東京は日本の首都である。"
SQUAD: dict[str, Any] = {
    "version": "1.1",
    "data": [
        {
            "title": "Tokyo",
            "paragraphs": [
                {
                    "context": PASSAGE,
                    "qas": [
                        {
                            "id": "a1",
                            "question": "日本の首都はどこか。",
                            "answers": [
                                {"text": "東京", "answer_start": 0},
                                {"text": "東京は", "answer_start": 0},
                            ],
                        },
                        {"id": "a2", "question": "どこの首都か。", "answers": []},
                    ],
                },
                {
                    "context": "Japan is a country.",
                    "qas": [
                        {
                            "id": "b1",
                            "question": "What is Japan?",
                            "answers": [{"text": "a country", "answer_start": 9}],
                        }
                    ],
                },
            ],
        }
    ],
}


@pytest.fixture
def write(tmp_path: Path) -> Callable[..., Path]:
    """Writes a document or lines under a name."""

    def file(value: Any, name: str = "xquad.ja.json", *, indent: int | None = None) -> Path:
        path = tmp_path / name
        if not isinstance(value, bytes):
            lines = value if isinstance(value, list) else [value]
            text = "\n".join(json.dumps(line, ensure_ascii=False, indent=indent) for line in lines)
            value = text.encode()
        path.write_bytes(value)
        return path

    return file


def test_every_question_is_read_with_its_passage_answers_and_title(
    write: Callable[..., Path],
) -> None:
    dataset = read_examples(write(SQUAD))
    assert (dataset.format, dataset.problems) == ("squad", ())
    first, second, third = dataset.examples
    assert first == QuestionExample(
        "a1",
        AnnotatedText("日本の首都はどこか。", "ja"),
        AnnotatedText(PASSAGE, "ja"),
        (GoldAnswer("東京", 0), GoldAnswer("東京は", 0)),
        "Tokyo",
    )
    assert second.answers == ()
    assert second.context is first.context
    assert (third.answers[0].start, third.answers[0].end) == (9, 18)
    assert list(read_questions(write(SQUAD))) == list(dataset.examples)


@pytest.mark.parametrize("indent", [None, 1, 2])
def test_the_layout_does_not_depend_on_how_a_document_is_broken_into_lines(
    indent: int | None, write: Callable[..., Path]
) -> None:
    assert read_examples(write(SQUAD, indent=indent)) == read_examples(write(SQUAD))


def test_blank_lines_a_byte_order_mark_and_compression_change_nothing(
    write: Callable[..., Path],
) -> None:
    plain = json.dumps(SQUAD).encode()
    expected = read_examples(write(SQUAD))
    marked = write(b"\xef\xbb\xbf" + plain, "marked.ja.json")
    blank = write(b"\n \n" + plain + b"\n\n", "blank.ja.json")
    packed = write(gzip.compress(plain), "packed.ja.json.gz")
    assert read_examples(marked) == read_examples(blank) == read_examples(packed) == expected


FLAT = {
    "id": "b1",
    "title": "Japan",
    "question": "What is Japan?",
    "context": "Japan is a country.",
    "answers": {"text": ["a country"], "answer_start": [9]},
}


def test_json_lines_are_read_with_answers_in_columns_or_rows(write: Callable[..., Path]) -> None:
    rows = {**FLAT, "id": 2, "answers": [{"text": "Japan", "answer_start": 0}]}
    dataset = read_examples(write([FLAT, rows], "train-v1.1.jsonl"), language="en")
    assert dataset.format == "jsonl"
    assert [example.id for example in dataset.examples] == ["b1", "2"]
    assert dataset.examples[0].answers == (GoldAnswer("a country", 9),)
    assert dataset.examples[1].answers == (GoldAnswer("Japan", 0),)
    assert dataset.examples[0].title == "Japan"


def test_a_line_says_its_own_languages(write: Callable[..., Path]) -> None:
    lines = [{**FLAT, "language": "de"}, {**FLAT, "id": "2", "question_language": "fr"}]
    own, other = read_examples(write(lines, "some.jsonl"), language="en").examples
    assert (own.context.language, own.question.language) == ("de", "en")
    assert (other.context.language, other.question.language) == ("en", "fr")


texts = st.text(st.characters(codec="utf-8"), min_size=1, max_size=20).filter(str.strip)


@st.composite
def annotated(draw: st.DrawFn) -> AnnotatedText:
    text = draw(texts)
    start = draw(st.integers(0, len(text) - 1))
    mentions = draw(
        st.lists(
            st.builds(
                Mention,
                st.just(start),
                st.integers(start + 1, len(text)),
                st.sampled_from(["Q1", "ja:東京都"]),
            ),
            max_size=2,
        )
    )
    source = draw(st.sampled_from([None, "en:Tokyo"]))
    return AnnotatedText(text, draw(st.sampled_from(["ja", "en"])), tuple(mentions), source)


@given(question=annotated(), context=annotated(), title=st.none() | texts, data=st.data())
def test_an_annotated_question_is_read_back_as_it_was(
    question: AnnotatedText,
    context: AnnotatedText,
    title: str | None,
    data: st.DataObject,
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    start = data.draw(st.integers(0, len(context.text.rstrip()) - 1))
    answer = GoldAnswer(context.text[start:], start)
    example = QuestionExample("x", question, context, (answer,), title)
    path = tmp_path_factory.mktemp("qa") / "questions.jsonl"
    path.write_text(json.dumps(example.to_json()), encoding="utf-8")
    assert read_examples(path).examples == (example,)


@pytest.mark.parametrize(
    ("name", "languages"),
    [
        ("xquad.ar.json", ("ar", "ar")),
        ("mine.zh-yue.jsonl.zst", ("zh-yue", "zh-yue")),
        ("test-context-ar-question-de.json", ("ar", "de")),
        ("dev-context-en-question-zh.json.gz", ("en", "zh")),
        ("de_squad-translate-train-train-v1.1.json", ("de", "de")),
        ("train-v1.1.json", ("en", "en")),
        ("questions.json", (None, None)),
        ("tydiqa.goldp.json", (None, None)),
    ],
)
def test_the_names_of_benchmarks_say_the_languages(
    name: str, languages: tuple[str | None, str | None]
) -> None:
    assert languages_of_file(Path(name)) == languages


def test_passages_and_questions_have_languages_of_their_own(write: Callable[..., Path]) -> None:
    path = write(SQUAD, "test-context-ar-question-de.json")
    example = read_examples(path).examples[0]
    assert (example.context.language, example.question.language) == ("ar", "de")
    assert "questions in de, passages in ar: 3" in read_examples(path).notes
    given = read_examples(path, language="ja").examples[0]
    assert (given.context.language, given.question.language) == ("ja", "ja")
    both = read_examples(path, language="ja", question_language="sw").examples[0]
    assert (both.context.language, both.question.language) == ("ja", "sw")


def test_a_file_of_unknown_language_is_refused(write: Callable[..., Path]) -> None:
    path = write(SQUAD, "questions.json")
    with pytest.raises(InputError, match=r"questions\.json: the language .* not known.*--language"):
        read_examples(path)


def change(way: Steps, value: Any) -> dict[str, Any]:
    """The document with a value replaced, or, if None, left out."""
    document = copy.deepcopy(SQUAD)
    inner: Any = document
    for step in way[:-1]:
        inner = inner[step]
    if value is None:
        del inner[way[-1]]
    else:
        inner[way[-1]] = value
    return document


QA: Steps = ("data", 0, "paragraphs", 0, "qas", 0)
SECOND: Steps = ("data", 0, "paragraphs", 1)
WRONG: list[tuple[Steps, Any, str, str, int]] = [
    # what is changed, into what, the message, the line that it names, questions left
    ((*QA, "answers", 0, "answer_start"), 3,
     r"question a1: the answer '東京' is not at character 3 of its passage, where '日本' stands; "
     r"it stands at 0", r'"id": "a1"', 2),
    ((*QA, "answers", 0, "text"), "京都",
     r"'京都' is not at character 0 .* stands nowhere in it", r'"id": "a1"', 2),
    ((*QA, "answers", 0, "answer_start"), "0", r"a number from 0, got '0'", r'"id": "a1"', 2),
    ((*QA, "answers", 0, "answer_start"), True, r"a number from 0, got True", r'"id": "a1"', 2),
    ((*QA, "answers", 0, "text"), " ", r"'text' must be a string", r'"id": "a1"', 2),
    ((*QA, "answers", 0, "text"), "", r"'text' must be a string", r'"id": "a1"', 2),
    ((*QA, "answers", 0), "東京", r"'text' must be a string", r'"id": "a1"', 2),
    ((*QA, "answers"), "東京", r"'answers' must be a list", r'"id": "a1"', 2),
    ((*QA, "answers"), {"text": ["a"]}, r"lists 'text' and 'answer_start'", r'"id": "a1"', 2),
    ((*QA, "question"), " ", r"question a1: the field 'question'", r'"id": "a1"', 2),
    ((*QA, "question"), None, r"question a1: the field 'question'", r'"id": "a1"', 2),
    ((*QA, "id"), None, r"the field 'id'", "日本の首都はどこか", 2),
    ((*QA, "id"), "b1", r"question b1: a second question with the id", r'"question": "What is', 2),
    (QA, ["a1"], r"expected a JSON object", r'"a1"', 2),
    ((*SECOND, "context"), None, r"the field 'context'", r'"id": "b1"', 2),
    ((*SECOND, "context"), 7, r"the field 'context'", r'"context": 7', 2),
    ((*SECOND, "qas"), None, r'an object with a list "qas"', "Japan is a country", 2),
    ((*SECOND, "qas"), {}, r'an object with a list "qas"', "Japan is a country", 2),
    (("data", 0, "paragraphs"), None, r'an object with a list "paragraphs"', "Tokyo", 0),
    (("data", 0), 7, r'an object with a list "paragraphs"', r"^ +7$", 0),
    (("data", 0, "title"), 7, r"question a1: the title .* got 7", r'"id": "a1"', 0),
]  # fmt: skip


@pytest.mark.parametrize(("way", "value", "message", "shown", "left"), WRONG)
def test_what_is_wrong_is_said_with_its_line_and_the_rest_is_read(
    way: Steps, value: Any, message: str, shown: str, left: int, write: Callable[..., Path]
) -> None:
    path = write(change(way, value), indent=1)
    lines = path.read_text(encoding="utf-8").splitlines()
    dataset = check_examples(path)
    problem = dataset.problems[0]
    assert re.search(message, problem.what), problem.what
    # The line named begins the object; what shows which one it is stands in it or soon behind.
    near = "\n".join(lines[problem.line - 1 : problem.line + 4])
    assert re.search(shown, near, re.MULTILINE), near
    assert len(dataset.examples) == left
    remedy = r"exonym data check qa"
    for read in (read_examples, lambda file: list(read_questions(file))):
        with pytest.raises(FormatError, match=f"ja.json:{problem.line}: .*{remedy}"):
            read(path)


def test_wrong_lines_are_named_by_their_numbers(write: Callable[..., Path]) -> None:
    lines = [
        json.dumps(FLAT).encode(),
        b"",
        b'{"id": "2", "question": }',
        b"[]",
        json.dumps({**FLAT, "id": "3", "context": ""}).encode(),
        json.dumps({**FLAT, "id": "4", "context": {"text": "Japan"}}).encode(),
        json.dumps({**FLAT, "id": "5", "question_language": 5}).encode(),
        json.dumps({**FLAT, "id": "6"}).encode(),
        json.dumps({**FLAT, "id": "6"}).encode(),
    ]
    dataset = check_examples(write(b"\n".join(lines), "my.en.jsonl"))
    assert [example.id for example in dataset.examples] == ["b1", "6"]
    assert [problem.line for problem in dataset.problems] == [3, 4, 5, 6, 7, 9]
    for problem, what in zip(
        dataset.problems,
        ("not valid JSON", "a JSON object", "'context'", "'language'", "got 5", "a second"),
        strict=True,
    ):
        assert what in problem.what


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "an empty file"),
        (b"\n \n", "an empty file"),
        (b"question\tanswer\n", r":1: not valid JSON"),
        (b'{"data": [\n\n{"title"}', r":3: not valid JSON"),
        (b'{"data": 7}', r'no list "data"'),
        (b"[1, 2]", r'no list "data"'),
        (b'{"data": []}', "no question in it"),
        (b"\xff\xfe{", "not valid JSON"),
    ],
)
def test_other_files_are_refused(data: bytes, message: str, write: Callable[..., Path]) -> None:
    with pytest.raises(FormatError, match=message):
        read_examples(write(data))


def test_damaged_and_absent_files_are_refused(write: Callable[..., Path], tmp_path: Path) -> None:
    cut = write(gzip.compress(json.dumps(SQUAD).encode())[:-20], "cut.ja.json.gz")
    with pytest.raises(FormatError, match="damaged"):
        read_examples(cut)
    long = "\n".join(json.dumps({**FLAT, "id": str(number)}) for number in range(30_000))
    lines = write(gzip.compress(long.encode())[:-2000], "cut.en.jsonl.gz")
    with pytest.raises(FormatError, match=r"ends early or is damaged after line \d+"):
        read_examples(lines)
    with pytest.raises(InputError, match="cannot be opened"):
        read_examples(tmp_path / "none.json")
    with pytest.raises(ConfigError, match="no format 'xml'"):
        read_examples(write(SQUAD), format="xml")  # type: ignore[arg-type]
    with pytest.raises(FormatError, match="not in the format 'jsonl', but 'squad'"):
        read_examples(write(SQUAD), format="jsonl")


def test_an_answer_at_another_place_is_looked_for_near_by(write: Callable[..., Path]) -> None:
    paragraph = {"context": "a 😀 b, b, b", "qas": [{"id": "1", "question": "?"}]}
    for start, place in ((9, "stands at 10$"), (5, "stands at 4: count code points, not units")):
        paragraph["qas"][0]["answers"] = [{"text": "b", "answer_start": start}]  # type: ignore[index]
        path = write({"data": [{"title": "t", "paragraphs": [paragraph]}]})
        assert re.search(place, check_examples(path).problems[0].what)


def test_questions_that_cannot_be_answered_have_no_answers(write: Callable[..., Path]) -> None:
    document = change((*QA, "is_impossible"), True)
    assert read_examples(write(document)).examples[0].answers == ()
    assert "questions without an answer: 2" in read_examples(write(document)).notes


def scalars(value: Any, way: Steps = ()) -> Iterator[tuple[Steps, Any]]:
    inner = value.items() if isinstance(value, dict) else enumerate(value)
    for step, member in inner:
        if isinstance(member, dict | list):
            yield from scalars(member, (*way, step))
        else:
            yield (*way, step), member


leaves = st.integers() | st.booleans() | st.none() | st.text('a"\\\n{}[],: é', max_size=5)
keys = st.text("ab:,{[", min_size=1, max_size=3)


@given(
    st.recursive(
        leaves,
        lambda inner: st.lists(inner, max_size=4) | st.dictionaries(keys, inner, max_size=4),
    ).filter(lambda value: isinstance(value, dict | list)),
    st.sampled_from([None, 0, 3]),
)
def test_the_line_of_every_value_is_found(value: Any, indent: int | None) -> None:
    ways = [way for way, _ in scalars(value)]
    found = lines_of(json.dumps(value, indent=indent).encode(), ways)
    for way in ways:
        marked = copy.deepcopy(value)
        inner = marked
        for step in way[:-1]:
            inner = inner[step]
        inner[way[-1]] = "HERE"
        before, _, _ = json.dumps(marked, indent=indent).partition('"HERE"')
        assert found[way] == before.count("\n") + 1


def test_a_way_that_leads_nowhere_has_no_line() -> None:
    assert lines_of(b'{"a": [1, 2]}', [("a", 2), ("b",), ("a", 0, "c")]) == {}
    assert lines_of(b'\n{"a": [1, 2]}', [(), ("a",)]) == {(): 2, ("a",): 2}


@pytest.mark.parametrize("language", ["ar", "en", "es", "zh"])
def test_all_of_xquad_is_read(language: str, shared_data: Path) -> None:
    dataset = read_examples(shared_data / "xquad" / f"xquad.{language}.json")
    assert len(dataset.examples) == 1190
    assert all(example.title and len(example.answers) == 1 for example in dataset.examples)
    assert {example.context.language for example in dataset.examples} == {language}
    assert len({example.context.text for example in dataset.examples}) == 240
