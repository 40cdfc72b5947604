"""Files of all kinds become sentences with entities at the right characters; broken ones errors."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from exonym.foundation.errors import ConfigError, FormatError, InputError
from exonym.tasks.ner.data import check_examples, read_examples
from exonym.tasks.ner.records import Dataset, NerExample, documents

Write = Callable[..., Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    def make(content: str | bytes, name: str = "some.txt") -> Path:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    return make


def found(example: NerExample) -> list[tuple[str, str]]:
    return [(example.text[start:end], label) for start, end, label in example.entities]


CONLL_2003 = """-DOCSTART- -X- -X- O

EU NNP B-NP B-ORG
rejects VBZ B-VP O
New NNP B-NP B-LOC
York NNP I-NP I-LOC
. . O O

Peter NNP B-NP B-PER

-DOCSTART- -X- -X- O

Brussels NNP B-NP B-LOC
"""


def test_conll_2003_has_the_tags_behind_those_of_phrases(write: Write) -> None:
    dataset = read_examples(write(CONLL_2003), language="en")
    assert [example.text for example in dataset.examples] == [
        "EU rejects New York .",
        "Peter",
        "Brussels",
    ]
    assert found(dataset.examples[0]) == [("EU", "ORG"), ("New York", "LOC")]
    assert dataset.scheme == "IOB2"
    assert dataset.labels == ("LOC", "ORG", "PER")
    assert documents(dataset.examples) == [range(0, 2), range(2, 3)]
    assert "2 documents" in dataset.notes
    assert dataset.examples[1].source.endswith(":9")  # type: ignore[union-attr]


def test_german_conll_2003_has_a_lemma_and_phrases_of_its_own(write: Write) -> None:
    content = (
        "-DOCSTART- -X- -X- -X- O\n\nMünchen München NE I-NC I-LOC\nund und KON O O\n"
        "Berlin Berlin NE I-NC I-LOC\nliegt liegen VVFIN I-VC O\nin in APPR I-PC O\n\n"
    )
    dataset = read_examples(write(content.encode("latin-1")), language="de")
    assert found(dataset.examples[0]) == [("München", "LOC"), ("Berlin", "LOC")]
    assert dataset.labels == ("LOC",)


def test_germeval_has_numbers_and_a_second_column_of_nested_tags(write: Write) -> None:
    text = (
        "#\thttp://de.wikipedia.org/wiki/Manfred_Korfmann\t[2009-10-17]\n"
        "1\tTroia\tB-OTH\tB-LOC\n2\t-\tI-OTH\tO\n3\tAusstellung\tI-OTH\tO\n4\t.\tO\tO\n"
    )
    dataset = read_examples(write(text, "de.tsv"))
    assert found(dataset.examples[0]) == [("Troia - Ausstellung", "OTH")]
    inner = read_examples(write(text, "de.tsv"), tag_column=3)
    assert found(inner.examples[0]) == [("Troia", "LOC")]


def test_universal_ner_has_untouched_text_numbers_and_documents(write: Write) -> None:
    text = (
        "# newdoc id = a\n# sent_id = 1\n# text = “Go to New  York,” she said.\n"
        + "".join(
            f"{number}\t{word}\t{tag}\t-\tsomebody\n"
            for number, (word, tag) in enumerate(
                [
                    ("“", "O"),
                    ("Go", "O"),
                    ("to", "O"),
                    ("New", "B-LOC"),
                    ("York", "I-LOC"),
                    (",", "O"),
                    ("”", "O"),
                    ("she", "O"),
                    ("said", "O"),
                    (".", "O"),
                ],
                start=1,
            )
        )
        + "\n# sent_id = 2\n# text = not these words\n1\tOslo\tB-LOC\t-\t-\n\n"
        + "# newdoc id = b\n# text = Paris\n1\tParis\tB-LOC\t-\t-\n"
    )
    dataset = read_examples(write(text, "en_made-ud-dev.iob2"))
    first, second, third = dataset.examples
    assert first.text == "“Go to New  York,” she said."
    assert found(first) == [("New  York", "LOC")]
    assert second.text == "Oslo"
    assert documents(dataset.examples) == [range(0, 2), range(2, 3)]
    assert {example.language for example in dataset.examples} == {"en"}
    assert "2 of 3 sentences have their untouched text" in dataset.notes
    assert third.words == ((0, 5),)


def test_wikineural_has_numbers_from_0_and_its_language_in_the_folder(write: Write) -> None:
    path = write("0\tIn\tO\n1\tLibyen\tB-LOC\n\n0\tMai\tO\n", "sw/test.conllu")
    dataset = read_examples(path)
    assert [found(example) for example in dataset.examples] == [[("Libyen", "LOC")], []]
    assert dataset.examples[0].language == "sw"


def test_wikiann_says_its_language_before_each_word(write: Write) -> None:
    dataset = read_examples(write("ja:東\tB-LOC\nja:京\tI-LOC\nja::\tO\n"))
    assert dataset.examples[0].text == "東京:"
    assert dataset.examples[0].language == "ja"
    assert found(dataset.examples[0]) == [("東京", "LOC")]


def test_multiconer_has_comments_with_as_many_fields_as_words(write: Write) -> None:
    text = "# id 57fb50bd domain=en split=train\nlondon _ _ B-LOC\n# _ _ O\n\n"
    dataset = read_examples(write(text))
    assert dataset.examples[0].text == "london #"


def test_words_of_unspaced_languages_are_joined_without_blanks(write: Write) -> None:
    dataset = read_examples(write("我\tO\n爱\tO\nNew\tB-LOC\nYork\tI-LOC\n。\tO\n"), language="zh")
    assert dataset.examples[0].text == "我爱New York。"
    assert found(dataset.examples[0]) == [("New York", "LOC")]


def test_joined_words_of_a_treebank_are_counted(write: Write) -> None:
    lines = ["1-2\tzum\t_\t-", "1\tzu\tO\t-", "2\tdem\tO\t-", "2.1\tx\t_\t-", "3\tKap\tB-LOC\t-"]
    dataset = read_examples(write("\n".join(lines)), language="de")
    assert dataset.examples[0].text == "zu dem Kap"
    assert "2 lines of joined or empty words left out" in dataset.notes


@pytest.mark.parametrize(
    ("body", "scheme"),
    [
        ("a I-X\nb I-X\nc B-X\n", "IOB1"),
        ("a B-X\nb I-X\nc B-X\n", "IOB2"),
        ("a B-X\nb E-X\nc S-X\n", "BIOES"),
    ],
)
def test_schemes_are_found_out_and_said(write: Write, body: str, scheme: str) -> None:
    dataset = read_examples(write(body + "d O\n"))
    assert dataset.scheme == scheme
    assert found(dataset.examples[0]) == [("a b", "X"), ("c", "X")]


def test_bare_types_are_io(write: Write) -> None:
    dataset = read_examples(write("a O\nb person-actor\nc person-actor\nd O\ne O\n"))
    assert dataset.scheme == "IO"
    assert found(dataset.examples[0]) == [("b c", "person-actor")]


def test_tags_that_do_not_fit_are_named_and_read_as_conlleval_does(write: Write) -> None:
    dataset = read_examples(write("a B-X\nb I-X\n\nc B-X\nd I-Y\n\ne B-Y\n"))
    assert found(dataset.examples[1]) == [("c", "X"), ("d", "Y")]
    assert [(problem.line, problem.fatal) for problem in dataset.problems] == [(5, False)]
    assert "1 tags do not fit IOB2; they are read as conlleval reads them" in dataset.notes


@pytest.mark.parametrize(
    ("encoding", "name"),
    [("utf-8", "utf-8"), ("utf-8-sig", "utf-8-sig"), ("utf-16", "utf-16"), ("cp1252", "cp1252")],
)
def test_encodings_are_found_out(write: Write, encoding: str, name: str) -> None:
    dataset = read_examples(write("Málaga B-LOC\r\nestá O\r\n".encode(encoding)))
    assert dataset.examples[0].text == "Málaga está"
    assert dataset.encoding == name


def test_words_with_characters_that_unicode_calls_line_breaks_stay_whole(write: Write) -> None:
    dataset = read_examples(write("a\u2028b\tB-X\nc\x85d\tO\n"))
    assert dataset.examples[0].text == "a\u2028b c\x85d"


def test_only_blanks_and_tabs_of_ascii_separate_columns(write: Write) -> None:
    words = ["10\u00a0000", "A\u3000B", "C\u2009D", "E\x85"]
    dataset = read_examples(write("".join(f"{word} \t B-X\n" for word in words)))
    assert dataset.examples[0].text == " ".join(words)
    assert found(dataset.examples[0]) == [(word, "X") for word in words]


@pytest.mark.parametrize("ending", ["\n", "\r\n", "\r", "\r\r\n"])
@pytest.mark.parametrize("gap", ["\t", " "])
def test_ends_of_lines_do_not_change_what_is_read(write: Write, ending: str, gap: str) -> None:
    content = "EU B-X\nrejects O\n\nPeter B-X\n".replace(" ", gap).replace("\n", ending)
    dataset = read_examples(write(content))
    assert [example.text for example in dataset.examples] == ["EU rejects", "Peter"]
    assert dataset.counts == {"X": 2}


def test_tabs_and_blanks_may_be_mixed(write: Write) -> None:
    dataset = read_examples(write("EU\tB-X\nrejects O\nNew York\tB-X\n\nPeter\tO\nPan\tO\n"))
    assert found(dataset.examples[0]) == [("EU", "X"), ("New York", "X")]
    assert dataset.examples[1].text == "Peter Pan"
    assert "1 words have blanks where others have tabs" in dataset.notes
    dataset = read_examples(write("EU\tNNP B-X\nrejects\tVBZ O\n"))
    assert found(dataset.examples[0]) == [("EU", "X")]
    untagged = "EU\tB-X\n" * 9 + "Vitamin E\n"
    assert [problem.line for problem in check_examples(write(untagged)).problems] == [10]
    bare = "New\tO\n" * 9 + "New York\nBerlin\tLOC\n"
    assert [problem.line for problem in check_examples(write(bare)).problems] == [10]


def test_numbers_of_tags_are_read_by_the_names_that_one_says(write: Write) -> None:
    path = write('{"tokens": ["In", "New", "York"], "ner_tags": [0, 1, 2], "lang": "en"}\n')
    dataset = read_examples(path, tag_names=["O", "B-LOC", "I-LOC"])
    assert found(dataset.examples[0]) == [("New York", "LOC")]
    assert dataset.scheme == "IOB2"
    with pytest.raises(FormatError, match="--tag-names"):
        read_examples(path)
    with pytest.raises(FormatError, match="the tag 2 has no name: there are 2"):
        read_examples(path, tag_names=["O", "B-LOC"])


def test_columns_that_no_line_has_are_refused(write: Write) -> None:
    path = write("a B-X\nb O\n")
    with pytest.raises(ConfigError, match="column 5 cannot have the words: no line"):
        read_examples(path, word_column=4)
    with pytest.raises(ConfigError, match="column 3 cannot have the tags"):
        read_examples(path, tag_column=2)
    with pytest.raises(ConfigError, match="both words and tags"):
        read_examples(path, word_column=1, tag_column=1)
    with pytest.raises(FormatError, match="no column of tags"):
        read_examples(path, word_column=1)


@pytest.mark.parametrize("code", ["th", "zh-TW", "zh_Hans", "JA", "my", "km", "jpn", "zh-yue"])
def test_words_are_joined_without_blanks_whatever_the_code_of_such_a_language(
    write: Write, code: str
) -> None:
    dataset = read_examples(write("東京 B-X\nは O\n"), language=code)
    assert dataset.examples[0].text == "東京は"


def test_blanks_around_a_label_are_left_out_and_said(write: Write) -> None:
    dataset = read_examples(write('{"text": "abc", "entities": [[0, 1, " X "]]}'))
    assert dataset.labels == ("X",)
    assert [problem.what for problem in dataset.problems] == [
        "blanks around the label ' X ' are left out"
    ]


def test_compressed_files_are_read(write: Write) -> None:
    dataset = read_examples(write(gzip.compress(CONLL_2003.encode()), "train.txt.gz"))
    assert len(dataset.examples) == 3


def test_one_document_for_a_file_without_marks(write: Write) -> None:
    path = write("a O\n\nb B-X\n")
    assert documents(read_examples(path).examples) == [range(0, 1), range(1, 2)]
    assert documents(read_examples(path, documents="file").examples) == [range(0, 2)]


def test_files_of_one_name_in_two_folders_share_no_document(write: Write) -> None:
    body = "-DOCSTART- O\n\na O\nb B-X\n\nc O\n"
    files = [write(body, f"{code}/test.txt") for code in ("de", "en")]
    examples = [example for file in files for example in read_examples(file).examples]
    assert documents(examples) == [range(0, 2), range(2, 4)]


def test_types_can_be_renamed_and_left_out(write: Write) -> None:
    dataset = read_examples(write("a B-PERSON\nb B-MISC\nc O\n"))
    renamed = dataset.renamed({"PERSON": "PER", "MISC": None})
    assert found(renamed.examples[0]) == [("a", "PER")]
    assert renamed.labels == ("PER",)


def test_json_lines_with_characters(write: Write) -> None:
    lines: list[dict[str, Any]] = [
        {
            "text": "東京は首都。",
            "language": "ja",
            "entities": [{"start": 0, "end": 2, "label": "LOC"}],
            "document": "d",
        },
        {"text": "In Rome", "label": [[3, 7, "LOC"]], "lang": "en"},
        {"text": " Oslo ", "spans": [{"start": 0, "end": 6, "type": "LOC"}]},
        {"tokens": ["New", "York"], "ner_tags": ["B-LOC", "I-LOC"], "lang": "en"},
        {"text": "no entity", "entities": []},
    ]
    text = "\n".join(json.dumps(line, ensure_ascii=False) for line in lines)
    dataset = read_examples(write(text))
    assert [found(example) for example in dataset.examples] == [
        [("東京", "LOC")],
        [("Rome", "LOC")],
        [("Oslo", "LOC")],
        [("New York", "LOC")],
        [],
    ]
    assert [(problem.line, problem.fatal) for problem in dataset.problems] == [(3, False)]
    assert dataset.examples[3].words == ((0, 3), (4, 8))


def test_examples_come_back_from_their_json_lines(write: Write) -> None:
    dataset = read_examples(write(CONLL_2003), language="en")
    lines = "\n".join(json.dumps(example.to_json()) for example in dataset.examples)
    again = read_examples(write(lines, "again.jsonl"))
    assert [(e.text, e.entities, e.words, e.language) for e in again.examples] == [
        (e.text, e.entities, e.words, e.language) for e in dataset.examples
    ]
    assert documents(again.examples) == documents(dataset.examples)


BROKEN = {
    "a B-X\nb\nc O\n": ":2: expected a tag in column 2",
    "a B-X\nb Z-X\nc O\n" + "d O\n" * 30: ":2: expected a tag",
    "": "is empty",
    "\n\n": "is empty",
    "just some words\nand others\n": "no column of tags",
    "1\ta\tO\n" * 5 + "x\tb\tB-X\n": ":6: expected the number of a word, got 'x'",
    '{"text": "abc", "entities": [{"start": 1, "end": 9, "label": "X"}]}': ":1: the entity",
    '{"text": "abc", "entities": [{"start": 1, "label": "X"}]}': ":1: start and end",
    '{"text": "abc", "entities": [[0, 1]]}': ":1: an entity has start",
    '{"text": "a c", "entities": [[1, 2, "X"]]}': "nothing but blanks",
    '{"text": "abc", "entities": [[0, 1, 5]]}': "the label of an entity",
    '{"text": "abc"}\n{"text": "abc"': ":2: not valid JSON",
    '{"tokens": ["a"], "tags": ["O", "O"]}': "1 tokens, but 2 tags",
    '{"tokens": ["a"], "ner_tags": [3]}': "tags are numbers: say their names",
    '{"text": "abc", "entities": [[0, 1, "O"]]}': "'O' cannot be the label",
    '{"text": "abc", "id": [1]}': "the id must be a string or a number",
    '[{"tokens": ["a"], "tags": ["O"]}]': "a JSON list, not JSON Lines",
    '{"tokens": ["a", " "], "tags": ["O", "O"]}': "none of them blank",
    '{"words": 5}': "expected a 'text'",
    '{"text": "abc", "words": [[0, 9]]}': "does not lie in the text",
}


@pytest.mark.parametrize(("content", "message"), BROKEN.items())
def test_a_broken_file_is_an_error_that_names_the_line(
    write: Write, content: str, message: str
) -> None:
    with pytest.raises(FormatError, match=message):
        read_examples(write(content))


def test_bytes_that_are_no_text_are_errors(write: Write) -> None:
    for content, message in (
        (b"a\tO\n\x00\x01", "2: a NUL byte"),
        ("é\tO\n".encode() + b"\xc3\tO\n", "2: not valid utf-8"),
        (b"\x1f\x8b\x08garbage", "NUL byte|no column of tags"),
    ):
        with pytest.raises(FormatError, match=message):
            read_examples(write(content))
    with pytest.raises(FormatError, match="cannot be read to its end"):
        read_examples(write(gzip.compress(b"a O\n" * 9000)[:40], "cut.txt.gz"))
    with pytest.raises(InputError, match="cannot be opened"):
        read_examples(Path("nowhere.txt"))
    with pytest.raises(InputError, match="no encoding is called"):
        read_examples(write("a O\n"), encoding="utf-99")
    with pytest.raises(ConfigError, match="format must be one of"):
        read_examples(write("a O\n"), format="xml")  # type: ignore[arg-type]


def test_checking_lists_all_that_is_wrong_and_keeps_the_rest(write: Write) -> None:
    dataset = check_examples(write("a B-X\nb\n\nc O\nd Q\ne B-X\n" + "f O\n" * 40))
    assert [(problem.line, problem.fatal) for problem in dataset.problems] == [(2, True), (5, True)]
    assert [example.text[:5] for example in dataset.examples] == ["a", "c e f"]
    path = write('{"text": "a"}\n[]\n{"text": 5}\n')
    assert [problem.line for problem in check_examples(path).problems] == [2, 3]


@given(st.binary(max_size=80) | st.text("aBO-X\t \n#01é{}[]\"':,", max_size=120).map(str.encode))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=300)
def test_no_content_gives_anything_but_a_data_set_or_an_error(write: Write, content: bytes) -> None:
    try:
        dataset = check_examples(write(content))
    except InputError:
        return
    for example in dataset.examples:
        for start, end, _ in example.entities:
            assert example.text[start:end].strip() == example.text[start:end] != ""
        for start, end in example.words or ():
            assert example.text[start:end]


def test_real_files_are_read_whole(shared_data: Path) -> None:
    wanted = {
        "uner/zh_gsd-ud-dev.iob2": (500, {"LOC": 437, "PER": 238, "ORG": 135}),
        "uner/sv_talbanken-ud-test.iob2": (1219, {"LOC": 132, "PER": 33, "ORG": 31}),
        "wikineural/de/test.conllu": (
            12372,
            {"PER": 5855, "LOC": 5000, "ORG": 3951, "MISC": 2638},
        ),
    }
    for name, (sentences, counts) in wanted.items():
        dataset: Dataset = read_examples(shared_data / name)
        assert len(dataset.examples) == sentences
        assert dataset.counts == counts
        assert dataset.scheme == "IOB2"
        assert not dataset.problems


def test_columns_may_have_tags_before_words_if_one_says_so(tmp_path: Path) -> None:
    path = tmp_path / "test.txt"
    path.write_text("B-LOC\tBerlin\nO\tist\nO\n")
    data = check_examples(path, word_column=1, tag_column=0)
    assert [example.text for example in data.examples] == ["Berlin ist"]
    assert data.counts == {"LOC": 1}
    assert [problem.line for problem in data.problems] == [3]


def test_an_id_is_kept(tmp_path: Path) -> None:
    path = tmp_path / "test.jsonl"
    path.write_text('{"id": 7, "text": "a"}\n{"id": "x", "tokens": ["a"]}\n{"text": "a"}\n')
    examples = read_examples(path).examples
    assert [example.id for example in examples] == ["7", "x", None]
    assert [example.to_json().get("id") for example in examples] == ["7", "x", None]
