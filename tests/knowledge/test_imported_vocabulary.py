"""`entity_vocab.json`: read without loss, converted once, found again, written back."""

from __future__ import annotations

import json
import os
import pickle
import tempfile
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from exonym.foundation.errors import ExistsError, FormatError, InputError
from exonym.knowledge import EntityVocabulary, KnowledgeBase
from exonym.knowledge.vocabulary_import import import_entity_json
from exonym.knowledge.vocabulary_json import read_entity_json

SPECIAL = {"[PAD]": 0, "[UNK]": 1, "[MASK]": 2, "[MASK2]": 9}
RELEASED = {
    **SPECIAL,
    "en:Tokyo": 3,
    "ja:東京都": 3,
    "de:Tokio": 3,
    "de:Tokyo (Präfektur)": 3,
    "en:Washington, D.C.": 5,
    'fr:"5, rue"': 6,
    "de:AC\\DC": 7,
    "sw:Dodoma": 8,
}
LITE = {"[MASK]": 0, "[UNK]": 1, "[PAD]": 2, "[MASK2]": 3}
Styled = Callable[[dict[str, int]], str]
STYLES: dict[str, Styled] = {
    "transformers": lambda v: json.dumps(v, indent=2, sort_keys=True, ensure_ascii=False) + "\n",
    "compact": lambda v: json.dumps(v, separators=(",", ":"), ensure_ascii=False),
    "escaped": lambda v: json.dumps(v),
}


@pytest.fixture(autouse=True)
def _cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EXONYM_CACHE", str(tmp_path / "cache"))


def _file(directory: Path, content: dict[str, int] | str, style: str = "transformers") -> Path:
    directory.mkdir(parents=True, exist_ok=True)
    path = directory / "entity_vocab.json"
    path.write_text(content if isinstance(content, str) else STYLES[style](content), "utf-8")
    return path


def _imported(directory: Path, content: dict[str, int] | str) -> EntityVocabulary:
    return EntityVocabulary.import_json(_file(directory, content), directory / "out")


@pytest.mark.parametrize("style", STYLES)
def test_every_name_leads_to_its_row_and_back(tmp_path: Path, style: str) -> None:
    path = _file(tmp_path, RELEASED, style)
    vocabulary = EntityVocabulary.import_json(path, tmp_path / "out")
    assert {name: vocabulary.row(name) for name in RELEASED} == RELEASED
    assert vocabulary.rows([*RELEASED, "en:Nowhere"]).tolist() == [*RELEASED.values(), 1]
    assert vocabulary.rows([*RELEASED] * 3).tolist() == [*RELEASED.values()] * 3
    assert len(vocabulary) == 10
    assert vocabulary.special_rows == (0, 1, 2, 9)
    for row in range(10):
        names = {name for name, at in RELEASED.items() if at == row}
        assert set(vocabulary.names(row)) == names
    assert vocabulary.languages == ("de", "en", "fr", "ja", "sw")


def test_titles_are_found_by_language_and_title(tmp_path: Path) -> None:
    vocabulary = _imported(tmp_path, RELEASED)
    assert vocabulary.row_of_title("ja", "東京都") == 3
    assert vocabulary.row_of_title("en", "Washington,_D.C.") == 5
    assert vocabulary.row_of_title("ja", "Tokyo") is None
    for many in (1, 20):
        keys = ["en:Washington,_D.C.", "en:Tokyo"] * many
        assert vocabulary.rows(keys).tolist() == [5, 3] * many
        assert vocabulary.rows(keys, exact=True).tolist() == [1, 3] * many
    assert vocabulary.titles(3) == {"de": "Tokio", "en": "Tokyo", "ja": "東京都"}
    assert vocabulary.titles(2) == {}


def test_the_key_is_the_english_title_else_the_first(tmp_path: Path) -> None:
    vocabulary = _imported(tmp_path, RELEASED)
    assert [vocabulary.key(row) for row in range(len(vocabulary))] == [
        "[PAD]", "[UNK]", "[MASK]", "en:Tokyo", "", "en:Washington, D.C.", 'fr:"5, rue"',
        "de:AC\\DC", "sw:Dodoma", "[MASK2]",
    ]  # fmt: skip
    assert vocabulary.names(4) == ()
    assert vocabulary.titles(4) == {}
    assert vocabulary.manifest["rows_without_name"] == 1


def test_a_lite_vocabulary_has_only_special_rows_anywhere(tmp_path: Path) -> None:
    vocabulary = _imported(tmp_path, LITE)
    assert vocabulary.special_rows == (2, 1, 0, 3)
    assert vocabulary.mask_row == 0
    assert len(vocabulary) == 4
    assert vocabulary.rows(["en:Tokyo", "[MASK]"]).tolist() == [1, 0]


def test_titles_without_a_language_are_accepted(tmp_path: Path) -> None:
    vocabulary = _imported(tmp_path, {**SPECIAL, "Japan": 3, "Re:Zero": 4, "Star Trek: Picard": 5})
    assert vocabulary.row("Japan") == vocabulary.row_of_title(None, "Japan") == 3
    assert vocabulary.row_of_title(None, "Star_Trek:_Picard") == 5
    assert [vocabulary.key(row) for row in (3, 4, 5)] == ["Japan", "Re:Zero", "Star Trek: Picard"]
    assert vocabulary.titles(4) == {}
    assert vocabulary.languages == ()


def test_a_name_that_comes_twice_has_its_last_row_and_is_counted(tmp_path: Path) -> None:
    pairs = [*SPECIAL.items(), ("en:A", 3), ("en:B", 4), ("en:A", 5), ("en:C", 6), ("en:B", 4)]
    text = "{" + ",".join(f"{json.dumps(name)}:{row}" for name, row in pairs) + "}"
    for block in (1 << 20, 7):  # within one block, and over several
        import_entity_json(_file(tmp_path, text), tmp_path / f"out{block}", block=block)
        vocabulary = EntityVocabulary.open(tmp_path / f"out{block}")
        assert {name: vocabulary.row(name) for name in json.loads(text)} == json.loads(text)
        assert vocabulary.names(3) == ()
        assert vocabulary.names(5) == ("en:A",)
        assert vocabulary.manifest["repeated_names"] == {"of one row": 1, "of different rows": 1}
        assert vocabulary.manifest["languages"] == {"en": 3}


@given(
    names=st.lists(st.text(max_size=12) | st.sampled_from(["5,", '"', "\\", "a,\n", ":b", "}"])),
    block=st.integers(1, 60),
    style=st.sampled_from([*STYLES]),
)
def test_any_names_are_read_in_blocks_as_json_reads_them(
    names: list[str], block: int, style: str
) -> None:
    content = {name: place * 3 for place, name in enumerate(names)}
    with tempfile.TemporaryDirectory() as folder:
        path = _file(Path(folder), content, style)
        found: dict[str, int] = {}
        for block_names, rows, _ in read_entity_json(path, most_rows=1000, block=block):
            found.update(zip(block_names, rows, strict=True))
    assert found == content


@settings(max_examples=30)
@given(
    st.dictionaries(
        st.sampled_from(["en:", "ja:", "zh-yue:", ""]).flatmap(
            lambda code: st.text(min_size=1, max_size=6).map(lambda title: code + title)
        ),
        st.integers(4, 40),
        max_size=30,
    )
)
def test_json_to_ours_to_json_gives_the_same_mapping(titles: dict[str, int]) -> None:
    content = {"[PAD]": 0, "[UNK]": 1, "[MASK]": 3, "[MASK2]": 2, **titles}
    with tempfile.TemporaryDirectory() as folder:
        vocabulary = _imported(Path(folder), content)
        written = Path(folder) / "written.json"
        assert vocabulary.write_json(written) == len(content)
        again = Path(folder) / "again.json"
        assert json.loads(written.read_text("utf-8")) == content
        EntityVocabulary.import_json(written, Path(folder) / "second").write_json(again)
        assert written.read_bytes() == again.read_bytes()


def test_the_written_file_is_laid_out_as_transformers_writes_it(tmp_path: Path) -> None:
    path = _file(tmp_path, RELEASED)
    written = tmp_path / "written.json"
    EntityVocabulary.import_json(path, tmp_path / "out").write_json(written)
    assert written.read_bytes() == path.read_bytes()


def _with(text: str) -> str:
    return json.dumps(SPECIAL)[:-1] + text


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "expected a JSON object of names and rows, found nothing"),
        ("[1, 2]", r"expected a JSON object of names and rows, found '\[1, 2\]'"),
        (_with(', "en:A": 3'), "ends early at byte 61: the closing brace is missing"),
        (_with(', "en:A": 3, "en:B'), "ends early at byte 68: the closing brace is missing"),
        (_with(', "en:A" 3}'), "byte 59: not valid JSON"),
        (_with(', "en:A": 3,}'), "not valid JSON"),
        (_with(', "en:A": 3} {"b": 4}'), "not valid JSON"),
        (_with(', "en:A": 3.0}'), "byte 52: the row of 'en:A' is 3.0, expected a whole number"),
        (_with(', "en:A": "3"}'), "the row of 'en:A' is '3', expected a whole number"),
        (_with(', "en:A": true}'), "the row of 'en:A' is True, expected a whole number"),
        (_with(', "en:A": null}'), "the row of 'en:A' is None, expected a whole number"),
        (_with(', "en:A": -1}'), "the row of 'en:A' is -1, expected a whole number from 0"),
        (_with(', "en:A": 4000000000}'), "row 4000000000 of 'en:A' is beyond any entity table"),
        (_with(', "en:A": {"x": 1}}'), "the row of 'en:A' is "),
        (json.dumps({**SPECIAL, "[MASK2]": 2}), r"\[MASK\] and \[MASK2\] have the same row, 2"),
        ('{"[PAD]": 0, "[UNK]": 1, "[MASK]": 2}', r"needs a row \[MASK2\], and has none"),
        ("{}", r"needs a row \[PAD\]"),
    ],
)
@pytest.mark.parametrize("block", [1 << 20, 5])
def test_a_damaged_file_is_refused_in_one_line(
    tmp_path: Path, content: str, message: str, block: int
) -> None:
    path = _file(tmp_path / "source", content)
    with pytest.raises(FormatError, match=message) as caught:
        import_entity_json(path, tmp_path / "out", block=block)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)
    assert not (tmp_path / "out").exists()


def test_bytes_that_are_no_text_are_named(tmp_path: Path) -> None:
    path = _file(tmp_path, RELEASED)
    path.write_bytes(path.read_bytes().replace("東".encode(), b"\xe6\x9d"))
    with pytest.raises(FormatError, match=r"byte \d+: not valid JSON"):
        EntityVocabulary.from_json(path)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"entity_vocab\.json"):
        EntityVocabulary.from_json(tmp_path / "entity_vocab.json")
    with pytest.raises(InputError, match=r"neither entities/ nor entity_vocab\.json"):
        EntityVocabulary.from_pretrained(tmp_path)


def test_out_is_replaced_only_on_request(tmp_path: Path) -> None:
    path = _file(tmp_path, RELEASED)
    EntityVocabulary.import_json(path, tmp_path / "out")
    with pytest.raises(ExistsError):
        EntityVocabulary.import_json(path, tmp_path / "out")
    _file(tmp_path, LITE)
    assert len(EntityVocabulary.import_json(path, tmp_path / "out", overwrite=True)) == 4


def test_rows_get_their_wikidata_items(kb: KnowledgeBase, tmp_path: Path) -> None:
    content = {**SPECIAL, "ja:東京都": 3, "en:Tokyo": 3, "de:Japan": 4, "de:Tokio": 5, "en:X": 6}
    path = _file(tmp_path, content)
    vocabulary = EntityVocabulary.import_json(path, tmp_path / "out", kb=kb, items={"en:X": "Q5"})
    assert [vocabulary.key(row) for row in (3, 4, 5, 6)] == ["Q1490", "Q17", "de:Tokio", "Q5"]
    assert vocabulary.row("Q1490") == vocabulary.row("en:Tokyo") == 3
    assert vocabulary.titles(3) == {"ja": "東京都", "en": "Tokyo"}
    assert vocabulary.write_json(tmp_path / "written.json") == len(content)
    assert json.loads((tmp_path / "written.json").read_text("utf-8")) == content


def test_a_file_is_converted_once_next_to_it(tmp_path: Path) -> None:
    path = _file(tmp_path / "model", RELEASED)
    first = EntityVocabulary.from_pretrained(path.parent)
    assert first.path == tmp_path / "model" / "entities"
    made = (first.path / "names.utf8").stat().st_mtime_ns
    second = EntityVocabulary.from_json(path)
    assert (second.path / "names.utf8").stat().st_mtime_ns == made
    assert pickle.loads(pickle.dumps(second)).row("ja:東京都") == 3
    assert sorted(p.name for p in path.parent.iterdir()) == ["entities", "entity_vocab.json"]


def test_a_changed_file_is_converted_anew(tmp_path: Path) -> None:
    path = _file(tmp_path, RELEASED)
    assert EntityVocabulary.from_json(path).row("sw:Dodoma") == 8
    _file(tmp_path, {**RELEASED, "sw:Dodoma": 4})
    assert EntityVocabulary.from_json(path).row("sw:Dodoma") == 4
    assert EntityVocabulary.from_pretrained(tmp_path).row("sw:Dodoma") == 4


def test_a_form_of_another_version_is_made_anew(tmp_path: Path) -> None:
    path = _file(tmp_path, RELEASED)
    manifest = EntityVocabulary.from_json(path).path / "manifest.json"
    manifest.write_text(json.dumps({**json.loads(manifest.read_text()), "version": 0}))
    assert EntityVocabulary.from_json(path).path == manifest.parent
    assert json.loads(manifest.read_text())["version"] > 0


def test_the_folder_of_a_download_cache_stays_as_it_is(tmp_path: Path) -> None:
    blob = _file(tmp_path / "blobs", RELEASED)
    snapshot = tmp_path / "snapshots" / "abc"
    snapshot.mkdir(parents=True)
    link = snapshot / "entity_vocab.json"
    link.symlink_to(blob)
    vocabulary = EntityVocabulary.from_pretrained(snapshot)
    assert tmp_path / "cache" in vocabulary.path.parents
    assert [path.name for path in snapshot.iterdir()] == ["entity_vocab.json"]
    assert EntityVocabulary.from_json(link).path == vocabulary.path


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_folder_that_cannot_be_written_stays_as_it_is(tmp_path: Path) -> None:
    path = _file(tmp_path / "model", RELEASED)
    path.parent.chmod(0o555)
    try:
        assert tmp_path / "cache" in EntityVocabulary.from_json(path).path.parents
    finally:
        path.parent.chmod(0o755)


def test_a_folder_of_the_users_is_not_touched(tmp_path: Path) -> None:
    path = _file(tmp_path / "model", RELEASED)
    (path.parent / "entities").mkdir()
    (path.parent / "entities" / "notes.txt").write_text("mine")
    assert tmp_path / "cache" in EntityVocabulary.from_json(path).path.parents
    assert (path.parent / "entities" / "notes.txt").read_text() == "mine"


def test_where_nothing_can_be_written_the_remedy_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    blob = _file(tmp_path / "blobs", RELEASED)
    (tmp_path / "snapshot").mkdir()
    link = tmp_path / "snapshot" / "entity_vocab.json"
    link.symlink_to(blob)
    monkeypatch.setenv("EXONYM_CACHE", str(blob))  # a file, below which there is nothing
    with pytest.raises(InputError, match=r"must be converted once.*Set EXONYM_CACHE"):
        EntityVocabulary.from_json(link)


def test_a_vocabulary_of_our_own_has_precedence_over_the_file_beside_it(
    kb: KnowledgeBase, tmp_path: Path
) -> None:
    EntityVocabulary.build(kb, tmp_path / "entities")
    _file(tmp_path, RELEASED)
    assert EntityVocabulary.from_pretrained(tmp_path).row("Q1490") == 4


def test_a_saved_vocabulary_has_both_forms_and_they_agree(
    kb: KnowledgeBase, tmp_path: Path
) -> None:
    built = EntityVocabulary.build(kb, tmp_path / "built")
    saved = built.save_pretrained(tmp_path / "model")
    found = EntityVocabulary.from_pretrained(tmp_path / "model")
    assert found.path == saved.path == tmp_path / "model" / "entities"
    assert found.row("Q1490") == found.row("ja:東京都") == 4
    exported = json.loads((tmp_path / "model" / "entity_vocab.json").read_text("utf-8"))
    assert exported["ja:東京都"] == 4
    assert exported["[MASK]"] == 2
    assert "Q1490" not in exported


def test_converters_at_the_same_time_do_not_clash(tmp_path: Path) -> None:
    path = _file(tmp_path / "model", RELEASED)
    found: list[Any] = []

    def convert() -> None:
        try:
            found.append(EntityVocabulary.from_json(path).row("ja:東京都"))
        except Exception as error:
            found.append(error)

    threads = [threading.Thread(target=convert) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [3] * 8
    assert sorted(p.name for p in path.parent.iterdir()) == ["entities", "entity_vocab.json"]
