"""Named random streams, errors in one line, progress on standard error."""

from __future__ import annotations

import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exonym.foundation.errors import ConfigError, ExonymError, FormatError, ResourceError
from exonym.foundation.machine import available_memory, peak_memory_mib
from exonym.foundation.progress import stage
from exonym.foundation.seeds import derive_seed, generator


def test_a_stream_does_not_depend_on_what_was_drawn_before() -> None:
    alone = generator(7, "masking", 3).random(5).tolist()
    generator(7, "masking", 2).random(100)
    assert generator(7, "masking", 3).random(5).tolist() == alone


def test_seeds_are_the_same_in_every_process() -> None:
    code = "from exonym.foundation.seeds import derive_seed; print(derive_seed(7, 'a', 'b', 3))"
    seen = {
        subprocess.run(
            [sys.executable, "-c", code],
            env={"PYTHONHASHSEED": str(seed)},
            capture_output=True,
            check=True,
            text=True,
        ).stdout
        for seed in (1, 2)
    }
    assert seen == {f"{derive_seed(7, 'a', 'b', 3)}\n"}


@given(
    st.lists(
        st.tuples(st.integers(0, 5), st.sampled_from(["a", "b", "ab"]), st.integers(0, 5)),
        unique=True,
        max_size=20,
    )
)
def test_every_purpose_has_its_own_seed(purposes: list[tuple[int, str, int]]) -> None:
    seeds = {derive_seed(*purpose) for purpose in purposes}
    assert len(seeds) == len(purposes)
    assert all(0 <= seed < 2**63 for seed in seeds)


def test_the_parts_of_a_purpose_do_not_run_together() -> None:
    assert derive_seed(1, "ab", "c") != derive_seed(1, "a", "bc")


def test_an_error_is_one_line_with_where_what_and_what_to_do() -> None:
    error = FormatError("not JSON", where="file:3", remedy="Run it again")
    assert str(error) == "file:3: not JSON. Run it again"
    assert (error.what, error.where, error.remedy) == ("not JSON", "file:3", "Run it again")
    assert str(ConfigError("too large")) == "too large"
    assert (ConfigError("").exit_status, ResourceError("").exit_status) == (2, 1)
    assert issubclass(ResourceError, ExonymError)


def test_progress_away_from_a_terminal_is_plain_lines_on_standard_error(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("exonym.foundation.progress.PLAIN_LINE_SECONDS", 0.0)
    with stage("reading", total=2000, unit="pages") as progress:
        progress.note("jawiki")
        progress.advance(1500)
    out, err = capsys.readouterr()
    assert out == ""
    assert err.splitlines()[0] == "reading: 1,500/2,000 pages (0 s) jawiki"


def test_progress_ends_when_the_work_fails(capsys: pytest.CaptureFixture[str]) -> None:
    def interrupted() -> None:
        with stage("reading", unit="pages") as progress:
            progress.advance(3)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert "reading: 3 pages" in capsys.readouterr().err


def test_memory_is_measured_in_the_stated_units() -> None:
    free = available_memory()
    assert free is None or free > 2**20
    assert 5 < peak_memory_mib() < 2**20
