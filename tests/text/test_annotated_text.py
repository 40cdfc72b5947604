"""`AnnotatedText`: its two file forms are lossless, slices keep offsets, wrong input is named."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from exonym.foundation.errors import FormatError, InputError, MissingExtraError
from exonym.text import AnnotatedText, Mention, read_annotated, write_annotated
from exonym.text.parquet import read_parquet, write_parquet

SCRIPTS = 'aé東京กุงالقदि한Ж👩\u200d👧\u0301ﬁＡ \n\u2028"\\\x00\ufeff'


@st.composite
def annotated(draw: st.DrawFn) -> AnnotatedText:
    text = draw(st.one_of(st.text(SCRIPTS, max_size=25), st.text(max_size=15)))
    mentions = []
    for _ in range(draw(st.integers(0, 3)) if text else 0):
        start = draw(st.integers(0, len(text) - 1))
        end = draw(st.integers(start + 1, len(text)))
        entity = draw(st.one_of(st.none(), st.sampled_from(["Q1490", "ja:東京都", "", "X-a"])))
        score = draw(st.one_of(st.none(), st.floats(allow_nan=False, allow_infinity=False)))
        mentions.append(Mention(start, end, entity, score))
    source = draw(st.one_of(st.none(), st.text(max_size=5)))
    return AnnotatedText(text, draw(st.sampled_from(["ja", "zh-yue", ""])), tuple(mentions), source)


@settings(max_examples=60)
@given(texts=st.lists(annotated(), max_size=6), suffix=st.sampled_from(["", ".zst", ".gz"]))
def test_json_lines_are_lossless(
    texts: list[AnnotatedText], suffix: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.mktemp("texts") / f"texts.jsonl{suffix}"
    assert write_annotated(path, texts) == len(texts)
    assert list(read_annotated(path)) == texts


@settings(max_examples=40)
@given(texts=st.lists(annotated(), max_size=6))
def test_parquet_is_lossless(
    texts: list[AnnotatedText], tmp_path_factory: pytest.TempPathFactory
) -> None:
    pytest.importorskip("pyarrow")
    path = tmp_path_factory.mktemp("texts") / "texts.parquet"
    assert write_parquet(path, iter(texts)) == len(texts)
    assert list(read_parquet(path)) == texts


def test_parquet_is_written_in_groups(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    parquet = pytest.importorskip("pyarrow.parquet")
    monkeypatch.setattr("exonym.text.parquet.GROUP_TEXTS", 4)
    texts = [AnnotatedText(f"text {number}", "en") for number in range(10)]
    write_parquet(tmp_path / "t.parquet", iter(texts))
    assert parquet.ParquetFile(tmp_path / "t.parquet").num_row_groups == 3
    assert list(read_parquet(tmp_path / "t.parquet")) == texts


def test_a_failing_source_leaves_no_parquet_file(tmp_path: Path) -> None:
    pytest.importorskip("pyarrow")

    def texts() -> Any:
        yield AnnotatedText("a", "en")
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_parquet(tmp_path / "t.parquet", texts())
    assert not list(tmp_path.iterdir())


def test_bad_parquet_is_a_format_error(tmp_path: Path) -> None:
    arrow = pytest.importorskip("pyarrow")
    parquet = importlib.import_module("pyarrow.parquet")
    path = tmp_path / "t.parquet"
    with pytest.raises(InputError, match=r"t\.parquet: no such file"):
        list(read_parquet(path))
    path.write_bytes(b"PAR1 this is no parquet")
    with pytest.raises(FormatError, match=r"t\.parquet: cannot be read"):
        list(read_parquet(path))
    parquet.write_table(arrow.table({"text": ["a"]}), path)
    with pytest.raises(FormatError, match=r"other columns .*write_parquet"):
        list(read_parquet(path))
    write_parquet(path, [AnnotatedText("ab", "en", (Mention(0, 2),))] * 3)
    rows = parquet.read_table(path).to_pylist()
    rows[1]["mentions"][0]["end"] = 3
    schema = parquet.read_schema(path)
    parquet.write_table(arrow.Table.from_pylist(rows, schema=schema), path)
    with pytest.raises(FormatError, match=r"t\.parquet: row 2: mention \[0, 3\) ends after"):
        list(read_parquet(path))


def test_without_pyarrow_the_command_that_installs_it_is_shown(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def missing(name: str) -> None:
        raise ImportError(name)

    monkeypatch.setattr(importlib, "import_module", missing)
    with pytest.raises(MissingExtraError, match=r"pip install 'exonym\[parquet\]'"):
        write_parquet(tmp_path / "t.parquet", [])
    assert not list(tmp_path.iterdir())


@settings(max_examples=100)
@given(text=annotated(), data=st.data())
def test_a_slice_keeps_the_surfaces_of_the_mentions_inside(
    text: AnnotatedText, data: st.DataObject
) -> None:
    start = data.draw(st.integers(0, len(text.text)))
    end = data.draw(st.integers(start, len(text.text)))
    part = text.slice(start, end)
    assert part.text == text.text[start:end]
    assert (part.language, part.source) == (text.language, text.source)
    inside = [m for m in text.mentions if start <= m.start and m.end <= end]
    assert [(m.entity, m.score) for m in part.mentions] == [(m.entity, m.score) for m in inside]
    assert [part.surface(m) for m in part.mentions] == [text.surface(m) for m in inside]


@pytest.mark.parametrize(("start", "end"), [(2, 2), (3, 1), (-1, 2)])
def test_a_mention_is_a_span(start: int, end: int) -> None:
    with pytest.raises(InputError, match=f"0 <= start < end, got start={start}, end={end}"):
        Mention(start, end)


def test_a_mention_ends_in_its_text_and_has_a_finite_score() -> None:
    with pytest.raises(InputError, match=r"mention \[1, 4\) ends after the text, .* 3 characters"):
        AnnotatedText("abc", "en", (Mention(1, 4),))
    with pytest.raises(InputError, match="score must be finite, got nan"):
        Mention(0, 1, score=float("nan"))


@pytest.mark.parametrize(
    ("line", "message"),
    [
        (b"nonsense", "not valid JSON"),
        (b"[1]", "expected a JSON object"),
        (b'{"text": "a"}', "not an annotated text .*language"),
        (b'{"text": 1, "language": "en"}', "'text' and 'language' must be strings"),
        (b'{"text": "a", "language": "en", "source": 3}', "'source' must be a string"),
        (b'{"text": "a", "language": "en", "entities": []}', "unknown field 'entities'"),
        (b'{"text": "a", "language": "en", "mentions": 3}', "not an annotated text"),
        (b'{"text": "a", "language": "en", "mentions": ["a"]}', "not an annotated text"),
        (b'{"text": "a", "language": "en", "mentions": [{"start": 0}]}', "not an annotated"),
        (
            b'{"text": "a", "language": "en", "mentions": [{"start": 0.0, "end": 1}]}',
            "a mention's 'start' cannot be 0.0",
        ),
        (
            b'{"text": "a", "language": "en", "mentions": [{"start": 0, "end": true}]}',
            "a mention's 'end' cannot be True",
        ),
        (
            b'{"text": "a", "language": "en", "mentions": [{"start": 0, "end": 1, "entity": 5}]}',
            "a mention's 'entity' cannot be 5",
        ),
        (
            b'{"text": "a", "language": "en", "mentions": [{"start": 0, "end": 2}]}',
            "ends after the text",
        ),
        (b'{"text": "\xff", "language": "en"}', "not UTF-8"),
    ],
)
def test_a_wrong_line_is_named_by_file_and_line(line: bytes, message: str, tmp_path: Path) -> None:
    path = tmp_path / "texts.jsonl"
    path.write_bytes(b'{"text": "good", "language": "en"}\n\n' + line + b"\n")
    with pytest.raises(FormatError, match=message) as raised:
        list(read_annotated(path))
    assert f"{path}:3" in str(raised.value)
    assert "\n" not in str(raised.value)
