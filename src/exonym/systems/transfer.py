"""Fine-tune on files of one language, and measure on files of others (mLUKE, sections 3 and 4)."""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch

from exonym.analysis.task_scores import Part, Row, score_rows
from exonym.foundation.errors import ConfigError, FormatError, InputError
from exonym.foundation.files import JSON, read_json, write_json
from exonym.foundation.hub import is_hub_id
from exonym.foundation.progress import stage
from exonym.modeling.checkpoint import find_checkpoint, read_config, read_shape
from exonym.modeling.config import Variant
from exonym.modeling.loading import MissingHeadError
from exonym.systems.task_kits import TASKS, Kit
from exonym.tasks.card import CardFacts, DataFile, model_card
from exonym.tasks.recipes import GRIDS, SEEDS
from exonym.tasks.tuned import Tuned
from exonym.tasks.tuning import Grid, Keep, tune

_RUNS = ("exonym-run", "exonym-tuning")


@dataclass(frozen=True)
class TaskFile:
    """A file of a task.

    Args:
        path: where it is.
        language: of texts that do not say theirs; None takes it from the file's name.
        encoding: of the file; None finds it out.
    """

    path: Path
    language: str | None = None
    encoding: str | None = None

    @property
    def name(self) -> str:
        """For tables: with its folder, since many benchmarks call all their files the same."""
        folder = self.path.parent.name
        return f"{folder}/{self.path.name}" if folder else self.path.name


@dataclass(frozen=True)
class TunedTask:
    """A tuned model of a task.

    Args:
        tuned: the choice, and all runs.
        counts: of what of the training data was counted when inputs were made, such as what could
            not be learned, by reason.
    """

    tuned: Tuned
    counts: Mapping[str, int]


def find_model(dir_or_id: str | Path) -> str | Path:
    """The checkpoint in a folder of `pretrain` or `tune`; anything else as it is.

    Raises:
        InputError: the folder's run has not come to an end, or there is neither folder nor name.
    """
    path = Path(dir_or_id)
    if (path / "config.json").is_file() or is_hub_id(dir_or_id):
        return dir_or_id
    if (path / "model" / "config.json").is_file():
        return path / "model"
    if not path.exists():
        raise InputError(
            "no such model",
            where=dir_or_id,
            remedy="Give a checkpoint's directory, a run folder, or a name on the hub",
        )
    if _is_run(path / "manifest.json"):
        raise InputError(
            "has no model yet: its run has not come to its end",
            where=path,
            remedy="Run the command that made it again, for a pretraining with --resume",
        )
    raise InputError(
        "no model in it (no config.json)",
        where=path,
        remedy="Give a checkpoint's directory, such as RUN/model",
    )


def _is_run(manifest: Path) -> bool:
    """Whether a folder is that of `pretrain` or `tune`, by its manifest."""
    found = read_json(manifest) if manifest.is_file() else None
    return isinstance(found, dict) and found.get("format") in _RUNS


def load_for(kit: Kit, dir_or_id: str | Path, linker: Any = None) -> Any:
    """A fine-tuned model of a task, from wherever `find_model` finds it.

    Raises:
        InputError: there is none, or it was fine-tuned for another task.
        FormatError: the checkpoint is damaged, or has no head for this task.
    """
    found = find_model(dir_or_id)
    config = read_shape(find_checkpoint(found))
    trained = [task for task in TASKS if f"exonym_{task}" in config.other]
    if trained and kit.name not in trained:
        raise InputError(
            f"was fine-tuned for {trained[0]}, not for {kit.name}",
            where=found,
            remedy=f"Give what `exonym finetune {kit.name}` made",
        )
    try:
        return kit.load(found, linker)
    except (ConfigError, FormatError) as error:
        if not trained and _lacks_head(kit, find_checkpoint(found), error):
            remedy = f"Train it first: exonym finetune {kit.name} --model {dir_or_id} ..."
            what = f"no model for {kit.name} ({error.what})"
            raise FormatError(what, where=found, remedy=remedy) from error
        raise type(error)(error.what, where=error.where or found, remedy=error.remedy) from error


def _lacks_head(kit: Kit, checkpoint: Path, error: InputError) -> bool:
    """Whether a checkpoint has no head, or one of another task, and is not just damaged."""
    named = read_config(checkpoint).get("architectures")
    own = not isinstance(named, list) or not named or kit.architecture in named
    return not own or isinstance(error, MissingHeadError)


def read_files(kit: Kit, files: Sequence[TaskFile]) -> list[Any]:
    """The data sets of files.

    Raises:
        InputError: there is no file, or something is wrong with one.
    """
    if not files:
        raise InputError("no file is given")
    return [kit.read(file.path, file.language, file.encoding) for file in files]


def tune_task(
    kit: Kit,
    base: str | Path,
    training: Sequence[TaskFile],
    validation: Sequence[TaskFile],
    folder: Path,
    *,
    grid: Grid | None = None,
    seeds: Sequence[int] = SEEDS,
    variant: Variant = "entities",
    settings: Mapping[str, object] | None = None,
    notes: Mapping[str, object] | None = None,
    search_seeds: int = 1,
    keep: Keep = "seeds",
    overwrite: bool = False,
    progress: bool = True,
) -> TunedTask:
    """Fine-tune a model over a grid and several seeds, chosen on the validation files alone.

    Args:
        kit: of the task.
        base: a pretrained checkpoint, a folder of `pretrain`, or a name on the hub.
        training: files to learn from.
        validation: files to choose by; none only where there is one setting, whose last epoch is
            then kept.
        folder: see `tasks.tuning`; the same call goes on where a killed one was.
        grid: settings of training; None: `tasks.recipes.GRIDS`.
        seeds: of the runs.
        variant: ``"entities"``, or ``"words"``: the twin whose input has words alone.
        settings: of the task's input, that are not the defaults.
        notes: what else decides the result, for the model card.
        search_seeds: see `tasks.tuning.tune`.
        keep: see `tasks.tuning.tune`.
        overwrite: delete what is in the folder.
        progress: show each run on standard error.

    Raises:
        InputError: a file or model is not there or cannot be used.
        ConfigError: an impossible setting.
        ExistsError: the folder has something else in it.
    """
    base, grid = find_model(base), GRIDS[kit.name] if grid is None else grid
    if not validation and len(grid.settings()) > 1:
        raise ConfigError(
            f"{len(grid.settings())} settings, and no validation file to choose among them by",
            remedy="Give --validation FILE, or one setting: --grid released",
        )
    config = read_shape(find_checkpoint(base))
    chosen = kit.settings(config, variant, settings or {})
    train = read_files(kit, training)
    valid = read_files(kit, validation) if validation else []
    data = [
        _data_file(kit, file, one, role)
        for role, files, read in (
            ("training", training, train),
            ("validation", validation, valid),
        )
        for file, one in zip(files, read, strict=True)
    ]
    joined, judged = kit.joined(train), kit.joined(valid) if valid else None
    if judged is not None:
        judged = kit.require_gold(validation[0].path, judged)
    kept = folder / "left_out.json"

    def make_learner(seed: int) -> Any:
        learner = kit.learner(base, joined, judged, chosen, seed)
        write_json(kept, {reason: count for reason, count in learner.counts.items() if count})
        return learner

    shown = {**chosen.to_json(), **(notes or {})}
    facts = CardFacts(kit.name, base, tuple(data), variant, joined.labels, shown)
    with _nothing_left_of_wrong_input(folder):
        tuned = tune(
            make_learner,
            grid,
            seeds,
            folder,
            identity=facts.identity(),
            search_seeds=search_seeds,
            keep=keep,
            card=lambda outcome: model_card(
                replace(facts, notes=_left_out(read_json(kept))), outcome
            ),
            overwrite=overwrite,
            progress=progress,
        )
    return TunedTask(tuned, read_json(kept))


@contextlib.contextmanager
def _nothing_left_of_wrong_input(folder: Path) -> Iterator[None]:
    """Remove a folder that is new where no run could be begun with what was given."""
    existed = folder.exists()
    try:
        yield
    except InputError:
        if not existed and not (folder / "runs").exists():
            shutil.rmtree(folder, ignore_errors=True)
        raise


def _data_file(kit: Kit, file: TaskFile, data: Any, role: str) -> DataFile:
    languages = (code for example in data.examples for code in kit.languages(example))
    return DataFile.of(file.path, role=role, examples=len(data.examples), languages=languages)


def _left_out(counts: Mapping[str, int]) -> tuple[str, ...]:
    if not counts:
        return ()
    lines = (f"- {reason}: {count:,}" for reason, count in counts.items())
    return "## Counts of the training data", "\n".join(lines)


@dataclass(frozen=True)
class Measured:
    """Scores of a model, and of another one on the same files.

    Args:
        task: its name.
        rows: a row for each file and language, and the mean.
        parts: what the rows were made from.
        notes: what a reader of the table must know.
    """

    task: str
    rows: tuple[Row, ...]
    parts: tuple[Part, ...]
    notes: tuple[str, ...] = ()

    def to_json(self) -> JSON:
        """Rows and notes as plain values; of named entities the counts of each type, too."""
        types = [
            {
                "file": part.file,
                "language": part.language,
                "type": label,
                "f1": counts.f1,
                "precision": counts.precision,
                "recall": counts.recall,
                **counts._asdict(),
            }
            for part in self.parts
            for label, counts in part.types.items()
        ]
        value: JSON = {"task": self.task, "rows": [row.to_json() for row in self.rows]}
        return {**value, **({"types": types} if types else {}), "notes": list(self.notes)}


def measure(
    kit: Kit,
    model: Any,
    files: Sequence[TaskFile],
    *,
    other: Any = None,
    languages: Collection[str] | None = None,
    batch_size: int = 32,
    seed: int = 0,
    draws: int = 2000,
    progress: bool = True,
) -> Measured:
    """Score a model on files, and compare it with another one on the same items.

    Args:
        kit: of the task.
        model: as ``kit.load`` returns it.
        files: labelled.
        other: a second model; each row then has the first one's scores less the second one's.
        languages: only these; None: all.
        batch_size: most inputs that go through a model together.
        seed: of the intervals' draws.
        draws: bootstrap samples.
        progress: show how far it is, on standard error.

    Raises:
        InputError: a file cannot be used, or has nothing to measure by.
    """
    read = []
    for file, data in zip(files, read_files(kit, files), strict=True):
        own = data if languages is None else kit.only(data, languages)
        if own.examples:
            read.append((file, kit.require_gold(file.path, own)))
    if not read:
        raise InputError(f"no file has texts in {', '.join(languages or ())}", where="--languages")
    models = [model] if other is None else [model, other]
    known = sorted({label for one in models for label in kit.labels(one)})
    names = _different_names([file for file, _ in read])
    found: list[list[Part]] = [[] for _ in models]
    for (_, data), name in zip(read, names, strict=True):
        for parts, one in zip(found, models, strict=True):
            predicted = _predicted(kit, one, data.examples, name, batch_size, progress)
            parts += kit.parts(name, data.examples, predicted, known)
    rows = score_rows(found[0], found[1] if other is not None else (), seed=seed, draws=draws)
    return Measured(kit.name, tuple(rows), tuple(found[0]), tuple(_notes(kit, models, read)))


def _predicted(
    kit: Kit, model: Any, examples: Sequence[Any], name: str, batch_size: int, progress: bool
) -> list[Any]:
    found = []
    predictions = kit.predict(model, examples, batch_size)
    if not progress:
        return list(predictions)
    with stage(f"Predicting {name}", total=len(examples), unit="examples") as bar:
        for one in predictions:
            found.append(one)
            bar.advance()
    return found


def _different_names(files: Sequence[TaskFile]) -> list[str]:
    """Short names, or whole paths where short ones are not enough to tell files apart."""
    names = [file.name for file in files]
    return names if len(set(names)) == len(names) else [str(file.path) for file in files]


def _notes(kit: Kit, models: Sequence[Any], read: Sequence[tuple[TaskFile, Any]]) -> list[str]:
    """What is odd in files, and labels that only the model or only a file has.

    Each prediction or gold of such a label is wrong.
    """
    notes = []
    for file, data in read:
        if odd := sum(not problem.fatal for problem in data.problems):
            command = f"exonym data check {kit.name} {file.path}"
            notes.append(f"{file.name}: {odd:,} odd, but usable: {command} names them")
    if kit.name == "qa":
        return notes
    known = {label for one in models for label in kit.labels(one)}
    for file, data in read:
        gold = set(data.labels)
        for here, there, what in (
            (gold, known, "the model cannot predict"),
            (known, gold, "the model may predict, and this file has not"),
        ):
            only = sorted(here - there)
            if only and (kit.name == "ner" or here is gold):
                notes.append(f"{file.name}: {what} {', '.join(only)}")
    return notes


def on_device(model: Any, device: str | None = None, *, bfloat16: bool = False) -> Any:
    """A loaded model of a task, moved to where it is to compute.

    Args:
        model: of any task.
        device: such as ``"cpu"`` or ``"cuda"``; None: a GPU where there is one.
        bfloat16: hold the parameters in bfloat16.

    Raises:
        ConfigError: there is no such device.
    """
    moved(model.model.model, device, bfloat16=bfloat16)
    return model


def moved(module: torch.nn.Module, device: str | None = None, *, bfloat16: bool = False) -> None:
    """Move a module in place; the arguments are those of `on_device`.

    Raises:
        ConfigError: there is no such device.
    """
    where = device or ("cuda" if torch.cuda.is_available() else "cpu")
    try:
        module.to(torch.device(where), torch.bfloat16 if bfloat16 else None)
    except (RuntimeError, AssertionError) as error:
        message = str(error).splitlines()[0]
        raise ConfigError(f"no device {where!r} here ({message})", where="--device") from error
