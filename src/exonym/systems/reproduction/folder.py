"""The folder of a reproduction: what is where, and which steps are done.

atlas/ kb/ corpus/                   the world, as the quickstart makes it
benchmarks/                          the tasks' files
questions/                           its questions, with the entities that the linker found
seed-N/backbone, mluke, words-only   pretrained models; random/: mLUKE with a random table
tuned/TASK/ROW-N/                    fine-tuned models
measured/TABLE-ROW-N.json            what was measured, item by item
summary.json report.html report.md   the outcome
"""

from __future__ import annotations

from pathlib import Path

from exonym.foundation.errors import InputError
from exonym.foundation.files import remove_partials, write_manifest
from exonym.systems.reproduction.plan import ReproductionOptions
from exonym.systems.steps import OVERWRITE, StepFolder, manifest_to_go_on

FORMAT, VERSION = "exonym-reproduction", 1
SUMMARY = "summary.json"


def open_folder(path: Path, options: ReproductionOptions, *, overwrite: bool) -> StepFolder:
    """Make the folder, or open the one of a call that was stopped or is to have more seeds.

    Raises:
        InputError: it is a file, or holds something else or a reproduction of other options.
        VersionError: another version of Exonym made it.
    """
    manifest = manifest_to_go_on(path, format=FORMAT, version=VERSION, overwrite=overwrite)
    now = options.identity()
    if manifest is None:
        path.mkdir(parents=True, exist_ok=True)
        write_manifest(path, format=FORMAT, version=VERSION, options=now)
        return StepFolder(path)
    before = manifest.get("options", {})
    other = sorted(name for name in now if before.get(name) != now[name])
    if before != now:
        raise InputError(
            f"holds a reproduction of other options ({', '.join(other)})",
            where=path,
            remedy=OVERWRITE,
        )
    remove_partials(path)
    return StepFolder(path)


def seed_folder(path: Path, seed: int) -> Path:
    """Where the pretrained models of a seed are."""
    return path / f"seed-{seed}"


def pretrained(path: Path, seed: int, run: str) -> Path:
    """A pretrained model, as `systems.transfer.find_model` takes it."""
    return seed_folder(path, seed) / run


def measured_file(path: Path, table: str, row: str, seed: int) -> Path:
    """What was measured of a row with one seed."""
    return path / "measured" / f"{table}-{row}-{seed}.json"
