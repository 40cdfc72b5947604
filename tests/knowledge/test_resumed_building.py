"""A build that is killed goes on: nothing finished is repeated, and the bytes are the same."""

from __future__ import annotations

import hashlib
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from knowledge_dumps import GERMAN, write_wiki

from exonym.foundation.errors import ExistsError, FormatError, InputError
from exonym.knowledge import build_knowledge_base
from exonym.knowledge.building.build import plan_build

_SCRIPT = """
import sys
from exonym.knowledge import build_knowledge_base
if __name__ == "__main__":
    build_knowledge_base(
        [sys.argv[1]], sys.argv[2], task_bytes=int(sys.argv[3]), processes=int(sys.argv[4])
    )
"""


def _digests(directory: Path) -> dict[str, str]:
    return {
        str(path.relative_to(directory)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(directory.rglob("*"))
        if path.is_file()
    }


def _start(script: Path, dumps: Path, out: Path, processes: int) -> subprocess.Popen[bytes]:
    arguments = [sys.executable, script, dumps, out, "3000", str(processes)]
    return subprocess.Popen(
        [str(argument) for argument in arguments], stderr=subprocess.PIPE, start_new_session=True
    )


@pytest.mark.slow
@pytest.mark.parametrize("processes", [1, 2])
def test_a_build_killed_again_and_again_gives_the_bytes_of_an_undisturbed_one(
    dumps, tmp_path, processes
):
    script = tmp_path / "build.py"
    script.write_text(_SCRIPT)
    begun = time.perf_counter()
    whole = _start(script, dumps, tmp_path / "whole", processes)
    assert whole.wait() == 0, whole.stderr.read().decode()
    seconds = time.perf_counter() - begun
    draw = random.Random(processes)
    for _ in range(3):
        process = _start(script, dumps, tmp_path / "killed", processes)
        time.sleep(draw.uniform(0.4, 0.9) * seconds)
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        if (tmp_path / "killed").exists():
            break
    if (tmp_path / "killed.building").exists():
        last = _start(script, dumps, tmp_path / "killed", processes)
        assert last.wait() == 0, last.stderr.read().decode()
    assert _digests(tmp_path / "killed") == _digests(tmp_path / "whole")
    assert not (tmp_path / "killed.building").exists()


def _publish_and_be_killed(plan):
    plan.tables.replace(plan.out)
    raise KeyboardInterrupt


def test_a_build_killed_while_it_cleans_up_is_finished(dumps, tmp_path, monkeypatch):
    with monkeypatch.context() as patch:
        patch.setattr("exonym.knowledge.building.build.publish", _publish_and_be_killed)
        with pytest.raises(KeyboardInterrupt):
            build_knowledge_base([dumps], tmp_path / "kb")
    assert (tmp_path / "kb.building").exists()
    assert len(build_knowledge_base([dumps], tmp_path / "kb"))
    assert not (tmp_path / "kb.building").exists()


def test_a_finished_task_is_not_repeated(dumps, tmp_path, monkeypatch):
    from exonym.knowledge.building import links

    def fail(*_arguments):
        raise InputError("the power went out")

    with monkeypatch.context() as patch:
        patch.setattr(links, "_write_names", fail)
        with pytest.raises(InputError, match="the power went out"):
            build_knowledge_base([dumps], tmp_path / "kb")
    part = tmp_path / "kb.building" / "parts" / "00000" / "titles.jsonl.zst"
    before = part.stat().st_mtime_ns
    seen = []
    monkeypatch.setattr(
        "exonym.knowledge.building.reading.open_dump", lambda *_a, **_k: seen.append(1)
    )
    time.sleep(0.01)
    assert before
    kb = build_knowledge_base([dumps], tmp_path / "kb")
    assert not seen
    assert len(kb)


def test_an_unfinished_build_of_other_dumps_is_not_mixed_in(dumps, tmp_path):
    broken = write_wiki(tmp_path / "dewiki.xml", "de", GERMAN)
    broken.write_text(broken.read_text()[:-300])
    with pytest.raises(FormatError):
        build_knowledge_base([broken], tmp_path / "kb")
    with pytest.raises(InputError, match="unfinished build of other dumps"):
        build_knowledge_base([dumps], tmp_path / "kb")
    kb = build_knowledge_base([dumps], tmp_path / "kb", overwrite=True)
    assert kb.languages == ("de", "ja")


def test_keep_going_goes_on_where_a_damaged_dump_stopped_the_build(tmp_path):
    broken = write_wiki(tmp_path / "dewiki.xml", "de", GERMAN)
    broken.write_text(broken.read_text()[:-300])
    with pytest.raises(FormatError, match="keep-going"):
        build_knowledge_base([broken], tmp_path / "kb")
    kb = build_knowledge_base([broken], tmp_path / "kb", keep_going=True)
    assert kb.manifest["files"][0]["skipped"]["truncated"] == 1


def test_a_finished_knowledge_base_is_not_built_over(dumps, tmp_path):
    build_knowledge_base([dumps], tmp_path / "kb")
    with pytest.raises(ExistsError, match="--overwrite"):
        build_knowledge_base([dumps], tmp_path / "kb")


def test_two_processes_do_not_build_in_one_folder(dumps, tmp_path):
    from exonym.knowledge.building.plan import working_folder

    plan = plan_build([dumps], tmp_path / "kb")
    refused = pytest.raises(InputError, match="another process")
    with working_folder(plan, overwrite=False), refused:
        build_knowledge_base([dumps], tmp_path / "kb")


@pytest.mark.parametrize("task_bytes", [300, 700])
def test_the_cuts_do_not_change_the_bytes(dumps, kb, tmp_path, task_bytes):
    again = build_knowledge_base([dumps], tmp_path / "kb", task_bytes=task_bytes)
    plan = plan_build([dumps], tmp_path / "kb", task_bytes=task_bytes)
    assert len(plan.readings) > 3
    assert _digests(again.path) == _digests(kb.path)
