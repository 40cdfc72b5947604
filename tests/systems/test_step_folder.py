"""Steps that are done once, in folders that nothing else is deleted from."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest

from exonym.foundation.errors import InputError, VersionError
from exonym.foundation.files import write_manifest
from exonym.systems.steps import StepFolder, manifest_to_go_on, plain_options


def test_a_step_is_done_once_and_what_it_took_is_known_to_the_next_process(tmp_path: Path) -> None:
    first = StepFolder(tmp_path)
    first.step("kb", lambda: (tmp_path / "kb").mkdir())
    first.step("kb", lambda: pytest.fail("done again"))
    first.step("runs", lambda: pytest.fail("done already"), done=True)
    assert list(first.seconds) == ["kb"]
    (tmp_path / "peak_memory_mib.json").write_text("123456.5")
    second = StepFolder(tmp_path)
    assert second.seconds == first.seconds
    second.step("cloze.json", lambda: (tmp_path / "cloze.json").touch())
    spent = second.spent()
    assert list(spent["seconds_by_step"]) == ["kb", "cloze.json"]
    assert spent["seconds"] == sum(spent["seconds_by_step"].values())
    assert spent["peak_memory_mib"] == 123456.5


def test_the_time_of_a_step_that_failed_counts(tmp_path: Path) -> None:
    for times in (1, 2):
        before = StepFolder(tmp_path).seconds.get("kb", 0.0)
        with pytest.raises(ZeroDivisionError):
            StepFolder(tmp_path).step("kb", lambda: 1 / 0)
        assert StepFolder(tmp_path).seconds["kb"] > before, times


def test_a_folder_is_free_gone_on_with_or_refused_and_only_ones_own_is_deleted(
    tmp_path: Path,
) -> None:
    def found(path: Path, version: int = 1, *, overwrite: bool = False) -> object:
        manifest = manifest_to_go_on(path, format="mine", version=version, overwrite=overwrite)
        return manifest and manifest["options"]

    assert found(tmp_path / "new") is None
    mine, other = tmp_path / "mine", tmp_path / "other"
    for path, name in ((mine, "mine"), (other, "thesis")):
        path.mkdir()
        assert found(path) is None
        write_manifest(path, format=name, version=1, options="these")
    assert found(mine) == "these"
    with pytest.raises(VersionError, match=r"version 1.*--overwrite"):
        found(mine, version=2)
    for overwrite in (False, True):
        with pytest.raises(InputError, match=r"'thesis'.*another --out"):
            found(other, overwrite=overwrite)
        with pytest.raises(InputError, match="is a file"):
            found(mine / "manifest.json", overwrite=overwrite)
    assert found(mine, version=2, overwrite=True) is None
    assert [path.name for path in tmp_path.iterdir()] == ["other"]


@dataclass(frozen=True, slots=True)
class _Options:
    table: Path | None = None
    languages: tuple[str, ...] | None = None
    seed: int = 0


def test_options_are_plain_in_a_manifest() -> None:
    assert plain_options(_Options()) == {"table": None, "languages": None, "seed": 0}
    given = plain_options(_Options(Path("a") / "b", ("en", "de"), 3))
    assert given == {"table": "a/b", "languages": ["en", "de"], "seed": 3}
