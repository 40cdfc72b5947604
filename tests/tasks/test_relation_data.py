"""Reading examples of relations: three layouts, their oddities, and how bad files are refused."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exonym.foundation.errors import ConfigError, FormatError, InputError
from exonym.tasks.relation import RelationExample, Span, check_examples, read_examples
from exonym.tasks.relation.layouts import untag
from exonym.text import AnnotatedText

KBP37 = (
    '7\t" <e1> Thom Yorke </e1> of <e2> Radiohead </e2> sings . "\nper:employee_of(e1,e2)\n\n\n'
    '8\t"Die Band (<e2> Blur </e2>) kommt mit <e1>Damon</e1>s Lied."\nno_relation\n\n\n'
)


def written(path: Path, content: str | list[Any]) -> Path:
    text = content if isinstance(content, str) else "\n".join(map(json.dumps, content))
    path.write_text(text, encoding="utf-8")
    return path


def surfaces(example: RelationExample) -> tuple[str, str]:
    return example.surface(example.head), example.surface(example.tail)


def test_kbp37_and_relx_are_read_with_tags_taken_out_and_full_stops_at_their_words(
    tmp_path: Path,
) -> None:
    dataset = read_examples(written(tmp_path / "RELX_de.txt", KBP37))
    first, second = dataset.examples
    assert first.text.text == "Thom Yorke of Radiohead sings."
    assert surfaces(first) == ("Thom Yorke", "Radiohead")
    assert (first.id, first.label) == ("7", "per:employee_of(e1,e2)")
    assert second.text.text == "Die Band (Blur) kommt mit Damons Lied."
    assert surfaces(second) == ("Damon", "Blur")
    assert (dataset.format, dataset.languages) == ("kbp37", ("de",))
    assert dataset.labels == ("no_relation", "per:employee_of(e1,e2)")
    assert first.text.source == f"{tmp_path / 'RELX_de.txt'}:1"
    assert not dataset.problems


def test_semeval_comments_and_files_without_labels_are_understood(tmp_path: Path) -> None:
    text = '1\t"The <e1>cat</e1> in the <e2>hat</e2>."\nOther\nComment: none\n\n'
    text += '2\t"A <e1>dog</e1> on a <e2>log</e2>."\n3\t"An <e1>ox</e1> in a <e2>box</e2>."\n'
    dataset = read_examples(written(tmp_path / "f.txt", text), language="en")
    assert [one.label for one in dataset.examples] == ["Other", None, None]
    assert any("2 examples have no label" in note for note in dataset.notes)
    assert any("0 relations" in note for note in dataset.notes)


def test_a_label_may_stand_behind_its_sentence(tmp_path: Path) -> None:
    line = '1\t"<e1>a</e1> b <e2>c</e2>"\tr(e1,e2)\n'
    dataset = read_examples(written(tmp_path / "a.txt", line + line.replace("1\t", "2\t", 1)))
    assert [(one.text.text, one.label) for one in dataset.examples] == [("a b c", "r(e1,e2)")] * 2


def test_blanks_in_the_direction_of_a_label_make_no_relation_of_its_own(tmp_path: Path) -> None:
    sentence = '"<e1>a</e1> b <e2>c</e2>"\n'
    text = f"1\t{sentence}r(e1, e2)\n\n2\t{sentence}r (e2,e1)\n\n3\t{sentence}r(e1,e2)\n"
    dataset = read_examples(written(tmp_path / "a.txt", text))
    assert dataset.counts == {"r(e1,e2)": 2, "r(e2,e1)": 1}
    assert [(one.line, one.what) for one in dataset.problems] == [
        (2, "the label 'r(e1, e2)' is read as 'r(e1,e2)'"),
        (5, "the label 'r (e2,e1)' is read as 'r(e2,e1)'"),
    ]
    line = '{"text": "a b", "head": [0, 1], "tail": [2, 3], "label": " r (e1, e2)"}\n'
    dataset = read_examples(written(tmp_path / "a.jsonl", line))
    assert dataset.labels == ("r(e1,e2)",)
    assert [one.fatal for one in dataset.problems] == [False]


def test_an_empty_mention_counts_and_is_said(tmp_path: Path) -> None:
    text = '5\t"Kent Station ( ) is an <e1> </e1> station in <e2> Ireland </e2> . "\nno_relation\n'
    dataset = read_examples(written(tmp_path / "f.txt", text))
    (only,) = dataset.examples
    assert only.text.text == "Kent Station ( ) is an  station in Ireland."
    assert only.head == (23, 23)
    assert surfaces(only) == ("", "Ireland")
    assert [(p.line, p.fatal) for p in dataset.problems] == [(1, False)]


def test_tacred_is_read_as_a_list_and_as_lines(tmp_path: Path) -> None:
    value = {
        "id": "e7", "token": ["He", "founded", "Foo", "Bar", "."], "relation": "org:founded_by",
        "subj_start": 2, "subj_end": 3, "obj_start": 0, "obj_end": 0,
    }  # fmt: skip
    other = {**value, "id": "e8", "relation": "no_relation"}
    whole = read_examples(written(tmp_path / "a.json", json.dumps([value, other], indent=1)))
    lines = read_examples(written(tmp_path / "b.json", [value, other]))
    assert whole.format == lines.format == "tacred"
    for dataset in (whole, lines):
        assert [(e.id, e.label, surfaces(e)) for e in dataset.examples] == [
            ("e7", "org:founded_by", ("Foo Bar", "He")),
            ("e8", "no_relation", ("Foo Bar", "He")),
        ]
        assert dataset.examples[0].text.text == "He founded Foo Bar ."


def test_lines_of_languages_without_blanks_are_joined_without_any(tmp_path: Path) -> None:
    value = {
        "token": ["東京", "は", "日本", "の", "首都"], "relation": "capital",
        "subj_start": 0, "subj_end": 0, "obj_start": 2, "obj_end": 2, "language": "ja",
    }  # fmt: skip
    (only,) = read_examples(written(tmp_path / "a.json", [value])).examples
    assert only.text.text == "東京は日本の首都"
    assert surfaces(only) == ("東京", "日本")


def test_json_lines_have_head_and_tail_or_two_mentions(tmp_path: Path) -> None:
    text = "Viva is in York."
    values = [
        {"text": text, "head": [0, 4], "tail": [11, 15], "label": "city", "language": "en"},
        {"text": text, "head": {"start": 11, "end": 15}, "tail": {"start": 0, "end": 4}, "id": 9},
        {"text": text, "mentions": [{"start": 0, "end": 4, "entity": "Q1"},
                                    {"start": 11, "end": 15}], "relation": "city"},
    ]  # fmt: skip
    dataset = read_examples(written(tmp_path / "a.jsonl", values), language="sv")
    assert [surfaces(e) for e in dataset.examples] == [
        ("Viva", "York"), ("York", "Viva"), ("Viva", "York"),
    ]  # fmt: skip
    assert [(e.id, e.language, e.label) for e in dataset.examples] == [
        ("1", "en", "city"), ("9", "sv", None), ("3", "sv", "city"),
    ]  # fmt: skip
    assert dataset.examples[2].text.mentions[0].entity == "Q1"


@given(
    st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=12).filter(str.strip),
    st.integers(0, 12), st.integers(0, 12), st.integers(0, 12), st.integers(0, 12),
)  # fmt: skip
def test_the_json_lines_form_of_an_example_is_read_back(
    text: str, a: int, b: int, c: int, d: int
) -> None:
    size = len(text)
    spans = [Span(*sorted((x % (size + 1), y % (size + 1)))) for x, y in ((a, b), (c, d))]
    for span in spans:
        if span.start < span.end and not text[span.start : span.end].strip():
            return
    from exonym.tasks.relation.layouts import json_lines

    one = RelationExample("x", AnnotatedText(text, "th"), spans[0], spans[1], "r")
    line = json.dumps(one.to_json())
    *_, read = json_lines([line], "und", Path("f"))
    assert isinstance(read, RelationExample)
    assert read.to_json() == one.to_json()


@given(
    st.lists(st.text(st.characters(exclude_characters="<>\t\n\""), max_size=8), min_size=5,
             max_size=5)
)  # fmt: skip
def test_untagging_keeps_every_character_but_blanks(parts: list[str]) -> None:
    a, b, c, d, e = parts
    sentence = f"{a}<e2>{b}</e2>{c}<e1>{d}</e1>{e}"
    plain, (first, second) = untag(sentence)

    def squeezed(text: str) -> str:
        return "".join(text.split())

    assert squeezed(plain) == squeezed(a + b + c + d + e)
    assert squeezed(plain[first.start : first.end]) == squeezed(d)
    assert squeezed(plain[second.start : second.end]) == squeezed(b)
    assert plain[first.start : first.end].strip() == plain[first.start : first.end]


@pytest.mark.parametrize(
    ("name", "text", "line", "said"),
    [
        ("a.txt", '1\t"A <e1>b</e1> c."\nr(e1,e2)\n', 1, "<e2> is missing"),
        ("a.txt", KBP37 + '9\t"</e1>b<e1> <e2>c</e2>"\nr\n', 9, "closes before it opens"),
        ("a.txt", '1\t"<e1>a</e1> <e1>b</e1> <e2>c</e2>"\nr\n', 1, "there twice"),
        ("a.txt", KBP37 + "a stray line\n", 9, "expected a number, a tab and a sentence"),
        ("a.jsonl", '{"text": "ab", "head": [0, 1], "tail": [1, 3]}\n', 1, "no span of a text"),
        ("a.jsonl", '{"text": "a b", "head": [1, 2], "tail": [0, 1]}\n', 1, "only blanks"),
        ("a.jsonl", '{"text": "ab", "head": [0, 1]}\n', 1, "'tail' must be two numbers"),
        ("a.jsonl", '{"text": "ab", "mentions": [{"start": 0, "end": 1}]}\n', 1, "found 1"),
        ("a.jsonl", '{"text": "ab", "head": [0, 1], "tail": [0, 1]}\n{o\n', 2, "not valid"),
        ("a.jsonl", '{"text": "ab", "head": [0, 1], "tail": [0, 1], "label": 3}\n', 1, "a label"),
        ("a.json", '[{"token": ["a"], "subj_start": 0, "subj_end": 1,\n "obj_start": 0,'
                   ' "obj_end": 0}]', 1, "not among the 1 words"),
        ("a.json", '[\n{"token": "ab", "subj_start": 0}]', 2, "a list of words"),
        ("a.json", '[\n{"token": []},\n{"token": [],}]', 3, "not valid JSON"),
        ("a.json", '[{} {}]', 1, "expected a comma"),
        ("a.json", '[{"token": ["a"]},\n', 1, "not valid JSON"),
        ("a.txt", "no tab here\n", None, "none of the known layouts"),
        ("a.txt", "\n\n", None, "an empty file"),
    ],
)  # fmt: skip
def test_bad_files_are_refused_with_their_line(
    tmp_path: Path, name: str, text: str, line: int | None, said: str
) -> None:
    path = written(tmp_path / name, text)
    with pytest.raises(FormatError, match=said) as raised:
        read_examples(path)
    where = f"{path}" if line is None else f"{path}:{line}"
    assert str(raised.value.where) == where
    assert "\n" not in str(raised.value)


GOOD = (
    KBP37,
    json.dumps([{"id": "e", "token": ["He", "founded", "Foo"], "relation": "x", "subj_start": 2,
                 "subj_end": 2, "obj_start": 0, "obj_end": 0}] * 2, indent=1),
    json.dumps({"text": "Viva is in York.", "head": [0, 4], "tail": [11, 15], "label": "c"}),
)  # fmt: skip
BITS = (b"<e1>", b"</e2>", b"\t", b'"', b"\n", b"\xff", b"\0", b"[", b"]", b"}", b"null", b"-1",
        b'"\\ud800"', b",", b"9" * 5000, b"[ " * 3000, b"\r", b"\xe2\x80\xa8", b"0.5")  # fmt: skip


@given(
    st.sampled_from(GOOD),
    st.lists(st.tuples(st.floats(0, 1), st.integers(0, 9), st.sampled_from(BITS)), max_size=3),
)
def test_broken_files_are_read_or_refused_in_one_line(
    tmp_path_factory: pytest.TempPathFactory, content: str, changes: list[tuple[float, int, bytes]]
) -> None:
    data = bytearray(content.encode())
    for place, gone, new in changes:
        start = int(place * len(data))
        data[start : start + gone] = new
    path = tmp_path_factory.getbasetemp() / "broken"
    path.write_bytes(bytes(data))
    refused = None
    try:
        examples = read_examples(path).examples
    except FormatError as error:
        examples, refused = (), str(error)
    assert refused is None or (str(path) in refused and "\n" not in refused)
    for example in examples:
        example.text.text.encode()


def test_all_that_is_wrong_is_found_in_one_reading(tmp_path: Path) -> None:
    text = KBP37 + '9\t"<e1>a</e1>"\nr\n\n\n7\t"<e1>a</e1> <e2>b</e2>"\nr \n'
    dataset = check_examples(written(tmp_path / "a.txt", text))
    assert len(dataset.examples) == 3
    assert [(p.line, p.fatal) for p in dataset.problems] == [(9, True), (13, False), (14, False)]
    assert dataset.examples[-1].label == "r"


def test_compressed_files_marks_of_byte_order_and_carriage_returns_do_no_harm(
    tmp_path: Path,
) -> None:
    plain = read_examples(written(tmp_path / "x_de.txt", KBP37)).examples
    path = tmp_path / "x_de.txt.gz"
    path.write_bytes(gzip.compress(b"\xef\xbb\xbf" + KBP37.replace("\n", "\r\n").encode()))
    assert [e.to_json() for e in read_examples(path).examples] == [e.to_json() for e in plain]


def test_unknown_formats_and_missing_files_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="no format 'xml'"):
        read_examples(tmp_path, format="xml")  # type: ignore[arg-type]
    with pytest.raises(InputError):
        read_examples(tmp_path / "missing.txt")


def test_the_real_files_are_read_whole(shared_data: Path) -> None:
    for name, size in (
        ("kbp37/dev.txt", 1724),
        ("relx/RELX_en.txt", 502),
        ("relx/RELX_de.txt", 502),
    ):
        dataset = read_examples(shared_data / name)
        assert len(dataset.examples) == size
        assert len(dataset.labels) == 37
        assert not any(problem.fatal for problem in dataset.problems)
