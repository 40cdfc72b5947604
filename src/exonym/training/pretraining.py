"""`pretrain`: a recipe, a corpus and a folder, to a model."""

from __future__ import annotations

import contextlib
import platform
import shutil
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch

import exonym
from exonym.corpus import Corpus
from exonym.foundation.files import JSON, atomic_directory, sha256
from exonym.foundation.machine import multiplies_bfloat16
from exonym.training.checkpoints import Checkpoints, Keeping, Place
from exonym.training.engine import Engine
from exonym.training.initial import initial_model
from exonym.training.loop import Loop
from exonym.training.optimizer import plan_training
from exonym.training.recipe import Recipe
from exonym.training.run_folder import RunFolder
from exonym.training.stage_run import Setting
from exonym.training.trouble import clear_memory_errors
from exonym.training.watching import Tracker, open_tracker, tracker_class

LESS_AT_ONCE = (
    "Lower sequences_at_once (--set sequences_at_once=…): it changes nothing but the memory a step "
    "needs. --estimate says how much that is"
)


@dataclass(frozen=True, slots=True)
class PretrainedRun:
    """A finished run.

    Args:
        path: the run folder.
        model: the checkpoint directory in it.
        seconds: time of this call (a resumed run's earlier calls not counted).
        words: pieces seen in this call, by all processes.
        is_main: whether this process speaks for all of them.
    """

    path: Path
    model: Path
    seconds: float
    words: int
    is_main: bool = True


def pretrain(
    corpus: str | Path,
    out: str | Path,
    recipe: Recipe,
    *,
    resume: bool = False,
    overwrite: bool = False,
    shard: bool = False,
    trackers: Sequence[str] = (),
    on_step: Callable[[Place], None] | None = None,
) -> PretrainedRun:
    """Pretrain a model by a recipe.

    A run that was killed goes on with ``resume=True`` and ends with the same bits as one that
    was not. Where several processes do a run (``torchrun``, ``accelerate launch``), each calls
    this; they need the same files.

    Args:
        corpus: directory made by `build_corpus`.
        out: the run folder.
        recipe: what to do.
        resume: go on with a run folder that exists.
        overwrite: delete a run folder that exists.
        shard: with several processes, let each hold a part of every tensor instead of the whole
            model (FSDP2).
        trackers: names of experiment trackers to tell the metrics to, such as "tensorboard".
        on_step: called after every step, before its checkpoint is written.

    Raises:
        ExistsError: ``out`` exists and neither ``resume`` nor ``overwrite`` is set.
        ConfigError: recipe, corpus and backbone do not fit together, or a tracker is not there.
        ResourceError: too little memory or disk, or another process of the run ended.
        NotANumberError: a loss was infinite or not a number.
    """
    opened = Corpus.open(corpus)
    tokenizer = opened.tokenizer()
    started = time.monotonic()
    folder = RunFolder(Path(out))
    identity = _identity(opened, recipe)
    with clear_memory_errors(LESS_AT_ONCE), Engine(shard=shard) as engine:
        folder.require_startable(identity, resume=resume, overwrite=overwrite)
        engine.wait()  # nobody begins to write before all have looked
        words = 0
        if not folder.finished or overwrite:
            setting = Setting(opened, tokenizer, recipe, engine, is_bfloat16(recipe))
            words = _train(setting, folder, identity, overwrite, trackers, on_step)
        elapsed = time.monotonic() - started
        return PretrainedRun(folder.path, folder.model, elapsed, words, engine.is_main)


def _train(
    setting: Setting,
    folder: RunFolder,
    identity: JSON,
    overwrite: bool,
    trackers: Sequence[str],
    on_step: Callable[[Place], None] | None,
) -> int:
    recipe, engine = setting.recipe, setting.engine
    # Whatever is refused is refused before the folder is begun.
    model = initial_model(setting.corpus, setting.tokenizer, recipe)
    names = [name for name, _ in model.named_parameters()]
    for stage in recipe.stages:
        plan_training(names, stage)
    for name in trackers:
        tracker_class(name)
    if engine.is_main:
        _begin(folder, identity, _machine(setting), overwrite)
    checkpoints = Checkpoints(
        folder.checkpoints,
        setting.tokenizer,
        Keeping(recipe.keep_checkpoints, recipe.keep_every, recipe.keep_best),
        last_stage=len(recipe.stages) - 1,
    )
    place = engine.from_main(checkpoints.newest() if engine.is_main else None)
    if engine.is_main:
        folder.forget_metrics_after(place or Place())
    engine.wait()
    if place is not None:
        model.load_pretrained(checkpoints.model(place))
    with contextlib.ExitStack() as stack:
        opened = _open_trackers(trackers if engine.is_main else (), recipe, folder, place)
        for tracker in opened:
            stack.callback(tracker.close)
        loop = Loop(setting, folder, checkpoints, trackers=opened, on_step=on_step)
        words = loop.go(model, place)
    if engine.is_main:
        last = Place(len(recipe.stages) - 1, recipe.stages[-1].steps)
        with atomic_directory(folder.model) as directory:
            shutil.copytree(checkpoints.model(last), directory, dirs_exist_ok=True)
        checkpoints.finish()
    engine.wait()
    return words


def _open_trackers(
    names: Sequence[str], recipe: Recipe, folder: RunFolder, place: Place | None
) -> tuple[Tracker, ...]:
    done = place or Place()
    steps = sum(stage.steps for stage in recipe.stages[: done.stage]) + done.step
    return tuple(
        open_tracker(name, folder.path, recipe.name, recipe.to_json(), done=steps) for name in names
    )


def _begin(folder: RunFolder, identity: JSON, machine: JSON, overwrite: bool) -> None:
    if folder.path.is_dir() and any(folder.path.iterdir()) and not overwrite:
        other = folder.other_machine(machine)
        if other is not None:
            print(
                f"{folder.path}: goes on elsewhere ({other}): the same examples, but sums in "
                "another order, so the last bits differ",
                file=sys.stderr,
            )
    folder.start(identity, machine, overwrite=overwrite)


def _identity(corpus: Corpus, recipe: Recipe) -> JSON:
    """What decides a run; a resumed one must have the same."""
    return {
        "recipe": recipe.to_json(),
        "corpus": {"path": str(corpus.path), "sha256": sha256(corpus.path / "manifest.json")},
    }


def _machine(setting: Setting) -> JSON:
    """Where a run happens; what of it the last bits depend on."""
    return {
        "exonym": exonym.__version__,
        "torch": torch.__version__,
        "processor": platform.machine(),
        "device": setting.engine.device.type,
        "processes": setting.engine.world,
        "sharded": setting.engine.sharded,
        "threads": torch.get_num_threads(),
        "sequences_at_once": setting.recipe.sequences_at_once,
        "precision": "bfloat16" if setting.bfloat16 else "float32",
    }


def is_bfloat16(recipe: Recipe) -> bool:
    """Whether a recipe's products are taken in bfloat16 on this machine."""
    if recipe.precision != "auto":
        return recipe.precision == "bfloat16"
    return torch.cuda.is_available() or multiplies_bfloat16()
