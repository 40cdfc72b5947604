"""What a run will take: memory, time and disk, from its shape and from a few steps as a probe."""

from __future__ import annotations

import statistics
import tempfile
import time
from dataclasses import asdict, dataclass
from pathlib import Path

from exonym.corpus import Corpus
from exonym.foundation.files import JSON
from exonym.modeling import EntityMaskedLM
from exonym.training.engine import Engine
from exonym.training.initial import initial_model
from exonym.training.optimizer import plan_training
from exonym.training.pretraining import LESS_AT_ONCE, is_bfloat16
from exonym.training.recipe import Recipe
from exonym.training.stage_run import Setting, StageRun, peak_memory_mib
from exonym.training.trouble import clear_memory_errors

PROBE_STEPS = 10
_FLOAT = 4  # bytes
_MIB = 2**20


@dataclass(frozen=True, slots=True)
class StageEstimate:
    """What one stage will take.

    Args:
        name: of the stage.
        steps: to do.
        trained: numbers in the parameters that train.
        seconds_per_step: median of the probe's steps, the first left out where there are others.
        seconds: of all steps, without measuring and saving.
        state_mib: weights, gradients and the optimiser's two moments, in each process.
        peak_mib: most memory of this process in the probe, everything included.
    """

    name: str
    steps: int
    trained: int
    seconds_per_step: float
    seconds: float
    state_mib: float
    peak_mib: float


@dataclass(frozen=True, slots=True)
class Estimate:
    """What a run will take.

    Args:
        processes: that share the work.
        device: kind of device of each.
        parameters: numbers in the model.
        stages: in order.
        checkpoint_mib: a checkpoint on disk, at its largest.
        disk_mib: most that the run folder holds at a time.
        is_main: whether this process speaks for all of them.
    """

    processes: int
    device: str
    parameters: int
    stages: tuple[StageEstimate, ...]
    checkpoint_mib: float
    disk_mib: float
    is_main: bool

    @property
    def seconds(self) -> float:
        """Of all stages."""
        return sum(stage.seconds for stage in self.stages)

    def to_json(self) -> JSON:
        """Plain values."""
        return {**asdict(self), "seconds": self.seconds}


def estimate(
    corpus: str | Path, recipe: Recipe, *, shard: bool = False, probe_steps: int = PROBE_STEPS
) -> Estimate:
    """Do a few steps of every stage, write nothing, and reckon up the whole run.

    Args:
        corpus: directory made by `build_corpus`.
        recipe: what would be done.
        shard: as in `pretrain`.
        probe_steps: of each stage.

    Raises:
        ConfigError: recipe, corpus and backbone do not fit together.
        ResourceError: too little memory.
    """
    opened = Corpus.open(corpus)
    tokenizer = opened.tokenizer()
    with clear_memory_errors(LESS_AT_ONCE), Engine(shard=shard) as engine:
        setting = Setting(opened, tokenizer, recipe, engine, is_bfloat16(recipe))
        stages, most_trained = [], 0
        for index in range(len(recipe.stages)):
            model = initial_model(opened, tokenizer, recipe)
            sizes = {name: parameter.numel() for name, parameter in model.named_parameters()}
            plan = plan_training(list(sizes), recipe.stages[index])
            trained = sum(sizes[one.name] for one in plan)
            most_trained = max(most_trained, trained)
            stages.append(_probe(setting, index, model, sum(sizes.values()), trained, probe_steps))
        with tempfile.TemporaryDirectory() as directory:
            tokenizer.save_pretrained(Path(directory))
            beside = sum(path.stat().st_size for path in Path(directory).rglob("*"))
        weights = _FLOAT * sum(sizes.values()) + beside
        checkpoint = weights + 2 * _FLOAT * most_trained
        # While one is written, those that it replaces are still there; and at the end the model.
        kept = recipe.keep_checkpoints + 1 + int(recipe.keep_best)
        if recipe.keep_every is not None:
            kept += sum(stage.steps // recipe.keep_every for stage in recipe.stages)
        return Estimate(
            processes=engine.world,
            device=engine.device.type,
            parameters=sum(sizes.values()),
            stages=tuple(stages),
            checkpoint_mib=checkpoint / _MIB,
            disk_mib=(kept * checkpoint + weights) / _MIB,
            is_main=engine.is_main,
        )


def _probe(
    setting: Setting, index: int, model: EntityMaskedLM, parameters: int, trained: int, steps: int
) -> StageEstimate:
    run = StageRun(setting, index, model)
    stage, engine = run.stage, setting.engine
    seconds = []
    for step in range(min(steps, stage.steps)):
        started = time.perf_counter()
        run.step(step, run.share(step), None, norm=False)
        seconds.append(time.perf_counter() - started)
    per_step = statistics.median(seconds[1:] or seconds)
    parts = engine.world if engine.sharded else 1
    return StageEstimate(
        name=stage.name,
        steps=stage.steps,
        trained=trained,
        seconds_per_step=per_step,
        seconds=per_step * stage.steps,
        state_mib=_FLOAT * (parameters + 3 * trained) / parts / _MIB,
        peak_mib=peak_memory_mib(engine.device),
    )
