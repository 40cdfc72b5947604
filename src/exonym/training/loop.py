"""The loop: stages and steps, what is logged, measured and kept."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from exonym.foundation.files import JSON
from exonym.foundation.prefetch import prefetch
from exonym.modeling import EntityMaskedLM
from exonym.training.checkpoints import Checkpoints, Place
from exonym.training.optimizer import describe, plan_training
from exonym.training.run_folder import RunFolder
from exonym.training.stage_run import Setting, StageRun, peak_memory_mib
from exonym.training.watching import Tracker, View, live


@dataclass(slots=True)
class _Since:
    """What happened since the last line of the log."""

    started: float
    waited: float = 0.0
    pieces: int = 0
    entities: int = 0


class Loop:
    """All stages of a run, from a place on.

    Args:
        setting: what they share.
        folder: where the log goes.
        checkpoints: where the model is kept.
        trackers: are told every line of the log.
        on_step: called after every step, before its checkpoint is written.
    """

    def __init__(
        self,
        setting: Setting,
        folder: RunFolder,
        checkpoints: Checkpoints,
        *,
        trackers: tuple[Tracker, ...] = (),
        on_step: Callable[[Place], None] | None = None,
    ) -> None:
        self._setting, self._folder, self._checkpoints = setting, folder, checkpoints
        self._trackers, self._on_step = trackers, on_step
        self._pieces = 0
        self._saved = time.monotonic()

    def go(self, model: EntityMaskedLM, place: Place | None) -> int:
        """Do what is left after ``place``; returns the pieces seen.

        Args:
            model: the weights at ``place``.
            place: of the checkpoint they come from; None at the very start.
        """
        first = place or Place()
        stages = self._setting.recipe.stages
        for index in range(first.stage, len(stages)):
            start = first.step if index == first.stage else 0
            if start == stages[index].steps:
                continue
            run = StageRun(self._setting, index, model)
            if start:
                self._checkpoints.load_optimizer(first, run.module, run.optimizer)
            self._say(model, index)
            self._stage(run, start)
            if self._setting.engine.sharded and index + 1 < len(stages):
                model = EntityMaskedLM(model.config)
                model.load_pretrained(self._checkpoints.model(Place(index, stages[index].steps)))
        return self._pieces

    def _say(self, model: EntityMaskedLM, index: int) -> None:
        if not self._setting.engine.is_main:
            return
        stage = self._setting.recipe.stages[index]
        sizes = {name: p.numel() for name, p in model.named_parameters()}
        trained = plan_training(list(sizes), stage)
        print(f"stage {stage.name}: {describe(trained, sizes)}", file=sys.stderr)

    def _stage(self, run: StageRun, start: int) -> None:
        recipe, stage, engine = self._setting.recipe, run.stage, self._setting.engine
        title = f"{recipe.name}: {stage.name}"
        since = _Since(time.monotonic())
        with (
            live(title, stage.steps, done=start, silent=not engine.is_main) as view,
            prefetch(run.share, range(start, stage.steps)) as shares,
        ):
            for step in range(start, stage.steps):
                share = next(shares)
                done = Place(run.index, step + 1)
                last = done.step == stage.steps
                logs = done.step % recipe.log_steps == 0 or last
                saves = self._saves(done, logs=logs, last=last)
                norm = run.step(step, share, self._folder.stopped, norm=logs or saves)
                self._pieces += share.pieces
                since.pieces += share.pieces
                since.entities += share.entity_targets
                if logs:
                    self._log(run, done, norm, since, shares.waited, view)
                    since = _Since(time.monotonic(), shares.waited)
                view.advance(1)
                if self._on_step is not None:
                    self._on_step(done)
                held_out = None
                if self._measures(done, last=last):
                    held_out = self._measure(run, done, view)
                if saves:
                    self._checkpoints.save(
                        done, run.module, run.optimizer, engine, held_out=held_out
                    )
                    self._saved = time.monotonic()
                    view.saved(done.step)

    def _saves(self, done: Place, *, logs: bool, last: bool) -> bool:
        recipe = self._setting.recipe
        every = recipe.keep_every is not None and done.step % recipe.keep_every == 0
        best = recipe.keep_best and self._measures(done, last=last)
        if last or every or best:
            return True
        # By the clock only at logged steps, and by the main process's.
        due = logs and time.monotonic() - self._saved >= recipe.checkpoint_seconds
        return self._setting.engine.from_main(due) if logs else False

    def _measures(self, done: Place, *, last: bool) -> bool:
        every = self._setting.recipe.evaluate_steps
        return last if every is None else every > 0 and (last or done.step % every == 0)

    def _measure(self, run: StageRun, done: Place, view: View) -> float | None:
        """Log the held-out losses; returns their sum over the objectives."""
        started = time.monotonic()
        losses = run.measure()
        if not losses["languages"]:
            return None  # nothing is held out
        record = self._record("held_out", run, done)
        record |= {**losses, "seconds": time.monotonic() - started}
        self._tell(record, view)
        return float(sum(losses[name] for name in run.objectives if name in losses))

    def _log(
        self,
        run: StageRun,
        done: Place,
        norm: float | None,
        since: _Since,
        waited: float,
        view: View,
    ) -> None:
        losses = run.meter.take(run.summed(run.meter))
        elapsed = max(time.monotonic() - since.started, 1e-9)
        self._tell(
            {
                **self._record("train", run, done),
                "learning_rate": run.stage.rate(done.step - 1),
                **losses,
                "gradient_norm": norm,
                "seconds": elapsed,
                "data_seconds": waited - since.waited,
                "words_per_second": since.pieces / elapsed,
                "entities_per_second": since.entities / elapsed,
                "memory_mib": peak_memory_mib(self._setting.engine.device),
            },
            view,
        )

    def _record(self, kind: str, run: StageRun, done: Place) -> dict[str, Any]:
        return {
            "kind": kind,
            "stage": run.stage.name,
            "stage_index": done.stage,
            "step": done.step,
        }

    def _tell(self, record: JSON, view: View) -> None:
        if not self._setting.engine.is_main:
            return
        self._folder.log(record)
        view.show(record)
        for tracker in self._trackers:
            tracker.log(record)
