"""Models by their name on the hub, proved against a server that answers like it."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from exonym.foundation import hub as hub_room
from exonym.foundation.errors import ExonymError, FormatError, InputError, ResourceError
from exonym.foundation.hub import WEIGHTS, locate
from loopback_hub import TOKEN, LoopbackHub, loopback_hub, point_at, variables

WANTED = ("config.json", *WEIGHTS, "tokenizer*.json")
NAME = "owner/model"
FILES = {
    "config.json": "{}",
    "model.safetensors": b"s" * 40_000,
    "pytorch_model.bin": b"p" * 30_000,
    "tokenizer.json": "{}",
    "README.md": "a page",
    "onnx/config.json": "{}",
}
SHARDED = {
    "config.json": "{}",
    "model.safetensors.index.json": '{"weight_map": {"a": "model-00001-of-00002.safetensors", '
    '"b": "model-00002-of-00002.safetensors"}}',
    "model-00001-of-00002.safetensors": b"1" * 500,
    "model-00002-of-00002.safetensors": b"2" * 500,
    "model-00001-of-00009.safetensors": b"of an older upload",
    "pytorch_model.bin": b"p" * 500,
}


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[LoopbackHub]:
    with loopback_hub() as server:
        point_at(server, tmp_path / "cache", monkeypatch)
        server.add(NAME, FILES)
        yield server


def names(directory: Path) -> list[str]:
    return sorted(p.relative_to(directory).as_posix() for p in directory.rglob("*") if p.is_file())


def failure(kind: type[ExonymError], *arguments: Any, **options: Any) -> str:
    """What is said; always one line."""
    with pytest.raises(kind) as raised:
        locate(*arguments, patterns=options.pop("patterns", WANTED), **options)
    message = str(raised.value)
    assert "\n" not in message
    return message


def test_only_what_is_wanted_is_fetched_and_safetensors_before_bin(hub: LoopbackHub) -> None:
    found = locate(NAME, patterns=WANTED)
    assert names(found) == ["config.json", "model.safetensors", "tokenizer.json"]
    assert (found / "model.safetensors").read_bytes() == FILES["model.safetensors"]
    assert "pytorch_model.bin" not in hub.bodies()


def test_old_weights_are_fetched_where_there_are_no_others(hub: LoopbackHub) -> None:
    hub.add(NAME, {name: text for name, text in FILES.items() if name != "model.safetensors"})
    assert "pytorch_model.bin" in names(locate(NAME, patterns=WANTED))


def test_shards_are_those_that_the_index_names(hub: LoopbackHub) -> None:
    hub.add(NAME, SHARDED)
    wanted = sorted(set(SHARDED) - {"model-00001-of-00009.safetensors", "pytorch_model.bin"})
    assert names(locate(NAME, patterns=WANTED)) == wanted


def test_a_damaged_index_is_an_error_that_names_it(hub: LoopbackHub) -> None:
    hub.add(NAME, {**SHARDED, "model.safetensors.index.json": '{"weight_map'})
    assert "model.safetensors.index.json: not valid JSON" in failure(FormatError, NAME)


def test_a_second_call_transfers_no_file(hub: LoopbackHub) -> None:
    first = locate(NAME, patterns=WANTED)
    hub.forget()
    assert locate(NAME, patterns=WANTED) == first
    assert hub.bodies() == []
    assert not [line for line in hub.requests if line.startswith("HEAD")]


def test_a_new_upload_is_noticed(hub: LoopbackHub) -> None:
    first = locate(NAME, patterns=WANTED)
    hub.add(NAME, {**FILES, "config.json": '{"newer": 1}'})
    second = locate(NAME, patterns=WANTED)
    assert second != first
    assert (second / "config.json").read_text() == '{"newer": 1}'
    assert hub.bodies().count("model.safetensors") == 1  # that file is as it was


def test_a_commit_can_be_asked_for(hub: LoopbackHub) -> None:
    commit = hub.commit(NAME)
    assert locate(NAME, patterns=WANTED, revision=commit).name == commit
    hub.close()
    assert locate(NAME, patterns=WANTED, revision=commit, local_files_only=True).name == commit


def test_a_connection_cut_in_the_middle_goes_on_there(
    hub: LoopbackHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    from huggingface_hub import constants

    monkeypatch.setattr(constants, "DOWNLOAD_CHUNK_SIZE", 1000)
    monkeypatch.setattr("time.sleep", lambda _: None)
    hub.cut_once = {"model.safetensors"}
    found = locate(NAME, patterns=WANTED)
    assert (found / "model.safetensors").read_bytes() == FILES["model.safetensors"]
    assert hub.resumed == ["bytes=20000-"]


def test_what_is_cached_needs_no_hub(hub: LoopbackHub) -> None:
    first = locate(NAME, patterns=WANTED)
    hub.forget()
    assert locate(NAME, patterns=WANTED, local_files_only=True) == first
    assert hub.requests == []


def test_offline_uses_the_cache_without_a_word(
    hub: LoopbackHub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, recwarn: Any
) -> None:
    first = locate(NAME, patterns=WANTED)
    hub.forget()
    point_at(hub, tmp_path / "cache", monkeypatch, offline=True)
    assert locate(NAME, patterns=WANTED) == first
    assert hub.requests == []
    assert not [warning for warning in recwarn if "cache" in str(warning.message)]


@pytest.mark.parametrize("how", ["closed", "broken"])
def test_a_hub_that_cannot_be_reached_is_replaced_by_the_cache_with_a_warning(
    hub: LoopbackHub, how: str
) -> None:
    first = locate(NAME, patterns=WANTED)
    hub.close() if how == "closed" else setattr(hub, "broken", True)
    with pytest.warns(UserWarning, match=r"owner/model: the hub cannot be reached"):
        assert locate(NAME, patterns=WANTED) == first
    message = failure(ResourceError, "owner/other")
    assert message.startswith("owner/other: no such directory here, and it is not in the hub's")
    assert "the hub cannot be reached (" in message
    assert message.endswith("With a network, `exonym checkpoint check owner/other` fetches it")


def test_offline_and_not_cached_names_the_command_that_would_fetch_it(hub: LoopbackHub) -> None:
    message = failure(InputError, NAME, local_files_only=True, revision="v2")
    assert "it is not in the hub's cache; working offline" in message
    assert message.endswith("`exonym checkpoint check owner/model --revision v2` fetches it")
    assert hub.requests == []


def test_a_cache_that_lacks_weights_or_a_shard_says_which(hub: LoopbackHub) -> None:
    hub.add(NAME, SHARDED)
    locate(NAME, patterns=("tokenizer*.json", "config.json"))
    assert "its file of weights is not in" in failure(InputError, NAME, local_files_only=True)
    found = locate(NAME, patterns=WANTED)
    (found / "model-00002-of-00002.safetensors").unlink()
    message = failure(InputError, NAME, local_files_only=True)
    assert "its model-00002-of-00002.safetensors is not in" in message
    assert "model-00002-of-00002.safetensors" in names(locate(NAME, patterns=WANTED))


def test_a_gated_model_needs_a_token(hub: LoopbackHub, monkeypatch: pytest.MonkeyPatch) -> None:
    hub.gated = {NAME}
    assert "only those have it who asked for it. Ask on its page" in failure(InputError, NAME)
    monkeypatch.setenv("HF_TOKEN", TOKEN)
    assert "model.safetensors" in names(locate(NAME, patterns=WANTED))


@pytest.mark.usefixtures("hub")
@pytest.mark.parametrize("name", ["owner/none", "owner/two--dashes", "owner/two..dots"])
def test_an_unknown_name_is_neither_a_directory_nor_a_model(name: str) -> None:
    message = failure(InputError, name)
    assert message.startswith(f"{name}: no such directory here, and no such model on the hub")


@pytest.mark.usefixtures("hub")
def test_an_unknown_revision_is_named() -> None:
    assert f"{NAME}: has no revision 'v9'" in failure(InputError, NAME, revision="v9")


def test_a_repository_without_the_files_says_so(hub: LoopbackHub) -> None:
    hub.add(NAME, {"README.md": "nothing else"})
    assert "no file here is named like config.json" in failure(InputError, NAME)


def test_a_server_that_is_no_hub_says_so(hub: LoopbackHub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(type(hub), "commit", lambda *_: None)  # as a mirror that is not set up
    assert "the hub's answer cannot be used" in failure(ResourceError, NAME)


@pytest.mark.parametrize(
    "path",
    ["", " ", "no-slash", "./owner/model", "../model", "/owner/model", "owner/model/", "a/b/c"],
)
def test_what_looks_like_a_path_is_never_asked_of_the_hub(hub: LoopbackHub, path: str) -> None:
    assert "no such directory. A model of the hub is given as" in failure(InputError, path)
    assert hub.requests == []


def test_a_path_object_is_never_a_name_on_the_hub(hub: LoopbackHub) -> None:
    assert "no such directory" in failure(InputError, Path(NAME))
    assert hub.requests == []


def test_a_directory_is_returned_as_it_is(
    hub: LoopbackHub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / NAME).mkdir(parents=True)
    monkeypatch.chdir(tmp_path)
    assert locate(NAME, patterns=WANTED) == Path(NAME)
    assert locate(tmp_path, patterns=WANTED) == tmp_path
    assert hub.requests == []


def test_a_file_is_no_directory(tmp_path: Path) -> None:
    path = tmp_path / "model.safetensors"
    path.write_bytes(b"")
    assert "is a file; expected a directory" in failure(InputError, str(path))


@pytest.mark.usefixtures("hub")
def test_a_full_disk_is_said_with_the_way_out(monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: Any, **__: Any) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), "blobs/0123")

    monkeypatch.setattr("huggingface_hub.file_download.http_get", full)
    message = failure(ResourceError, NAME)
    assert message.startswith("blobs/0123: the disk is full. Free some space, or set HF_HOME")


def test_a_cache_that_cannot_be_written_is_named(
    hub: LoopbackHub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_bytes(b"")
    point_at(hub, tmp_path / "file" / "cache", monkeypatch)
    assert str(tmp_path / "file") in failure(InputError, NAME)


@pytest.mark.usefixtures("hub")
def test_off_a_terminal_one_line_says_what_comes(capfd: pytest.CaptureFixture[str]) -> None:
    locate(NAME, patterns=WANTED)
    assert capfd.readouterr().err == "download owner/model: 3 files, 0.0 MB\n"
    locate(NAME, patterns=WANTED)
    assert capfd.readouterr().err == ""


def test_the_bars_of_others_are_left_as_they_were(hub: LoopbackHub) -> None:
    from huggingface_hub.utils.tqdm import are_progress_bars_disabled, disable_progress_bars

    locate(NAME, patterns=WANTED)
    assert not are_progress_bars_disabled()
    disable_progress_bars()
    try:
        hub.add(NAME, {**FILES, "config.json": "[]"})
        locate(NAME, patterns=WANTED)
        assert are_progress_bars_disabled()
    finally:
        from huggingface_hub.utils.tqdm import enable_progress_bars

        enable_progress_bars()


PROGRAM = """
import sys
from exonym.foundation.errors import ExonymError
from exonym.foundation.hub import locate
assert "huggingface_hub" not in sys.modules
try:
    print(locate("owner/model", patterns=["config.json", "model.safetensors"]))
except ExonymError as error:
    print("error:", error)
"""


def test_the_variables_of_the_hub_are_honoured(tmp_path: Path) -> None:
    def printed(**more: str) -> str:
        environment = {**os.environ, **variables(server, tmp_path), **more}
        done = subprocess.run(
            [sys.executable, "-c", PROGRAM], env=environment, capture_output=True, text=True
        )
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    with loopback_hub() as server:
        server.add(NAME, FILES)
        assert "working offline" in printed(HF_HUB_OFFLINE="1")
        assert server.requests == []
        found = printed()
        assert Path(found).is_relative_to(tmp_path / "hub")
        server.forget()
        assert printed(HF_HUB_OFFLINE="1") == found
        assert server.requests == []


def test_patterns_of_the_top_do_not_reach_into_folders() -> None:
    choose: Callable[..., list[str]] = hub_room._chosen
    assert choose(["a.json", "x/a.json"], ["*.json"]) == ["a.json"]
    assert choose(["a.json", "x/a.json"], ["*.json", "x/*"]) == ["a.json", "x/a.json"]
