"""Nothing half-written under a final name; damaged files are errors, not surprises."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from exonym.foundation.compression import open_binary
from exonym.foundation.errors import ExistsError, FormatError, InputError, VersionError
from exonym.foundation.files import (
    atomic_directory,
    atomic_file,
    read_json,
    read_manifest,
    sha256,
    write_json,
    write_manifest,
)
from exonym.foundation.json_lines import read_json_lines

SUFFIXES = ("", ".bz2", ".gz", ".xz", ".zst")


@settings(max_examples=60)
@given(content=st.binary(max_size=3000), suffix=st.sampled_from(SUFFIXES))
def test_what_is_written_is_read(
    content: bytes, suffix: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.mktemp("files") / f"file.bin{suffix}"
    with atomic_file(path) as stream:
        stream.write(content)
    with open_binary(path) as stream:
        assert stream.read() == content
    assert [file.name for file in path.parent.iterdir()] == [path.name]


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_the_same_content_gives_the_same_bytes(suffix: str, tmp_path: Path) -> None:
    paths = [tmp_path / f"{name}{suffix}" for name in ("one", "two")]
    for path in paths:
        with atomic_file(path) as stream:
            stream.write(b"content " * 1000)
    assert sha256(paths[0]) == sha256(paths[1])


@pytest.mark.parametrize("suffix", [".bz2", ".gz", ".xz", ".zst"])
def test_files_joined_end_to_end_are_read_to_the_last_byte(suffix: str, tmp_path: Path) -> None:
    path = tmp_path / f"joined{suffix}"
    for part in (b"first " * 20_000, b"second"):
        with atomic_file(tmp_path / f"part{suffix}") as stream:
            stream.write(part)
        with path.open("ab") as stream:
            stream.write((tmp_path / f"part{suffix}").read_bytes())
    with open_binary(path) as stream:
        assert stream.read() == b"first " * 20_000 + b"second"


@pytest.mark.parametrize("suffix", SUFFIXES)
@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt])
def test_an_interrupted_file_leaves_the_old_one(
    error: type[BaseException], suffix: str, tmp_path: Path
) -> None:
    path = tmp_path / f"file{suffix}"
    path.write_bytes(b"old")

    def write() -> None:
        with atomic_file(path) as stream:
            stream.write(b"new" * 1000)
            raise error

    with pytest.raises(error):
        write()
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt])
def test_an_interrupted_directory_leaves_the_old_one(
    error: type[BaseException], tmp_path: Path
) -> None:
    path = tmp_path / "out"
    path.mkdir()
    (path / "old").touch()

    def write(overwrite: bool) -> None:
        with atomic_directory(path, overwrite=overwrite) as directory:
            (directory / "new").touch()
            raise error

    with pytest.raises(ExistsError, match="--overwrite"):
        write(False)
    with pytest.raises(error):
        write(True)
    assert [file.name for file in tmp_path.rglob("*")] == ["out", "old"]


def test_a_directory_takes_its_name_only_when_it_is_whole(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "out"
    with atomic_directory(path) as directory:
        (directory / "a").write_text("a")
        assert not path.exists()
    assert [file.name for file in path.iterdir()] == ["a"]
    with atomic_directory(path, overwrite=True) as directory:
        (directory / "b").write_text("b")
    assert [file.name for file in path.iterdir()] == ["b"]
    assert list(path.parent.iterdir()) == [path]


def test_an_empty_directory_and_only_that_may_be_filled(tmp_path: Path) -> None:
    with atomic_directory(tmp_path / "none") as directory:
        (directory / "a").touch()
    (tmp_path / "empty").mkdir()
    with atomic_directory(tmp_path / "empty") as directory:
        (directory / "a").touch()
    (tmp_path / "file").touch()
    for name in ("none", "file"):
        with pytest.raises(ExistsError), atomic_directory(tmp_path / name):
            pass


def json_lines(path: Path) -> None:
    with atomic_file(path) as stream:
        for number in range(3000):
            noise = hashlib.sha256(str(number).encode()).hexdigest().encode()
            stream.write(b'{"number": %d, "noise": "%s"}\n' % (number, noise))


@pytest.mark.parametrize("suffix", [".bz2", ".gz", ".xz", ".zst"])
@pytest.mark.parametrize("share", [0.0, 0.01, 0.5, 0.999])
def test_a_truncated_file_is_a_format_error_that_names_it(
    suffix: str, share: float, tmp_path: Path
) -> None:
    path = tmp_path / f"lines.jsonl{suffix}"
    json_lines(path)
    content = path.read_bytes()
    path.write_bytes(content[: int(len(content) * share)])
    if share == 0.0 and suffix == ".gz":
        return  # gzip takes an empty file for an empty stream
    with pytest.raises(FormatError, match=r"(ends early or is damaged|not valid JSON)") as raised:
        list(read_json_lines(path))
    assert str(path) in str(raised.value)


@pytest.mark.parametrize("suffix", [".bz2", ".gz", ".xz", ".zst"])
@pytest.mark.parametrize("place", [0, 30, 20_000])
def test_a_damaged_file_is_a_format_error(suffix: str, place: int, tmp_path: Path) -> None:
    path = tmp_path / f"lines.jsonl{suffix}"
    json_lines(path)
    content = bytearray(path.read_bytes())
    content[place : place + 8] = b"\xffDAMAGE\xff"
    path.write_bytes(content)
    with pytest.raises(FormatError) as raised:
        list(read_json_lines(path))
    assert str(path) in str(raised.value)


@pytest.mark.parametrize(
    ("bad", "message"),
    [(b"{", "not valid JSON"), (b'"text"', "expected a JSON object"), (b"\xff", "not UTF-8")],
)
def test_a_bad_line_is_named_by_its_number(bad: bytes, message: str, tmp_path: Path) -> None:
    path = tmp_path / "lines.jsonl"
    path.write_bytes(b'{"a": 1}\n  \n' + bad + b"\n")
    lines = read_json_lines(path)
    assert next(lines) == (1, {"a": 1})
    with pytest.raises(FormatError, match=f"lines.jsonl:3: {message}"):
        next(lines)


def test_a_missing_file_is_an_input_error(tmp_path: Path) -> None:
    for suffix in SUFFIXES:
        with pytest.raises(InputError, match="cannot be opened"):
            open_binary(tmp_path / f"none{suffix}")
    with pytest.raises(InputError, match="no such file"):
        read_json(tmp_path / "none.json")
    with pytest.raises(InputError, match="cannot be read"):
        read_json(tmp_path)


def change(key: str, value: object) -> Callable[[Path], None]:
    def apply(directory: Path) -> None:
        manifest = read_json(directory / "manifest.json")
        write_json(directory / "manifest.json", {**manifest, key: value})

    return apply


@pytest.mark.parametrize(
    ("damage", "error", "message"),
    [
        (change("version", 2), VersionError, "format version 2, this Exonym reads version 1"),
        (
            change("format", "exonym-run"),
            InputError,
            "expected format 'exonym-x', found 'exonym-run'",
        ),
        (lambda d: (d / "manifest.json").unlink(), InputError, r"no manifest\.json in it"),
        (lambda d: (d / "manifest.json").write_text("[]"), InputError, "found 'list'"),
        (lambda d: (d / "manifest.json").write_text("{"), FormatError, "not valid JSON"),
    ],
)
def test_a_directory_of_another_kind_or_version_is_an_error(
    damage: Callable[[Path], None], error: type[Exception], message: str, tmp_path: Path
) -> None:
    write_manifest(tmp_path, format="exonym-x", version=1, more=3)
    read = {"format": "exonym-x", "version": 1, "remedy": "Run this."}
    assert read_manifest(tmp_path, **read)["more"] == 3  # type: ignore[arg-type]
    damage(tmp_path)
    with pytest.raises(error, match=message) as raised:
        read_manifest(tmp_path, **read)  # type: ignore[arg-type]
    if error is not FormatError:
        assert str(raised.value).endswith("Run this.")


def test_no_directory_at_all_says_so(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no such directory"):
        read_manifest(tmp_path / "none", format="x", version=1, remedy="Make one.")
