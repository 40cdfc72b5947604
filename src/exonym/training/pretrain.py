"""The pretraining loop: stages of masked words and masked entities over a corpus."""

from __future__ import annotations

import platform
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch

import exonym
from exonym.corpus import Corpus, MaskedBatch, PretrainingStream, mask_batch
from exonym.foundation.errors import ConfigError, ResourceError
from exonym.foundation.files import JSON, atomic_directory, sha256
from exonym.foundation.machine import available_memory, multiplies_bfloat16
from exonym.foundation.progress import Progress
from exonym.foundation.progress import stage as progress_stage
from exonym.foundation.seeds import derive_seed, generator
from exonym.modeling import EncoderConfig, EntityMaskedLM
from exonym.modeling.checkpoint import CONFIG_FILE, read_config
from exonym.objectives import IGNORED, Loss, masked_entity_prediction, masked_language_modeling
from exonym.tokenization import EntityTokenizer, WordTokenizer
from exonym.training.optimizer import make_optimizer
from exonym.training.recipe import Recipe, Stage
from exonym.training.run_folder import Place, RunFolder

_LOG_EVERY = 10
_TARGETS_MULTIPLE = 64
_BYTES_PER_PARAMETER_BYTE = 4  # parameters, gradients, two moments


@dataclass(frozen=True, slots=True)
class PretrainedRun:
    """A finished run.

    Args:
        path: the run folder.
        model: the checkpoint directory in it.
        seconds: time of this call (a resumed run's earlier calls not counted).
        words: pieces seen in this call.
    """

    path: Path
    model: Path
    seconds: float
    words: int


def pretrain(
    corpus: str | Path,
    out: str | Path,
    recipe: Recipe,
    *,
    resume: bool = False,
    overwrite: bool = False,
    on_step: Callable[[Place], None] | None = None,
) -> PretrainedRun:
    """Pretrain a model by a recipe.

    A run that was killed goes on with ``resume=True`` and ends with the same bits as one that
    was not.

    Args:
        corpus: directory made by `build_corpus`.
        out: the run folder.
        recipe: what to do.
        resume: go on with a run folder that exists.
        overwrite: delete a run folder that exists.
        on_step: called after every step, before its checkpoint is written.

    Raises:
        ExistsError: ``out`` exists and neither ``resume`` nor ``overwrite`` is set.
        ConfigError: recipe, corpus and backbone do not fit together.
        ResourceError: the machine has too little memory for this model.
    """
    opened = Corpus.open(corpus)
    tokenizer = opened.tokenizer()
    started = time.monotonic()
    folder = RunFolder(Path(out))
    identity = _identity(opened, recipe)
    folder.require_startable(identity, resume=resume, overwrite=overwrite)
    words = 0
    if not folder.finished or overwrite:
        with _clear_memory_errors():
            # Whatever is refused is refused before the folder is begun.
            model = _initial_model(opened, tokenizer, recipe)
            place = folder.start(identity, overwrite=overwrite)
            folder.forget_metrics_after(place or Place())
            run = _Run(opened, tokenizer, recipe, model, folder, on_step)
            words = run.go(place)
            with atomic_directory(folder.model) as directory:
                model.save_pretrained(directory)
                tokenizer.save_pretrained(directory)
    folder.finish()
    return PretrainedRun(folder.path, folder.model, time.monotonic() - started, words)


def _identity(corpus: Corpus, recipe: Recipe) -> JSON:
    return {
        "recipe": recipe.to_json(),
        "corpus": {"path": str(corpus.path), "sha256": sha256(corpus.path / "manifest.json")},
        "versions": {"exonym": exonym.__version__, "torch": torch.__version__},
        "machine": {
            "processor": platform.machine(),
            "threads": torch.get_num_threads(),
            "precision": _precision(recipe),
        },
    }


def _precision(recipe: Recipe) -> str:
    if recipe.precision != "auto":
        return recipe.precision
    return "bfloat16" if torch.cuda.is_available() or multiplies_bfloat16() else "float32"


def _likenesses(words: WordTokenizer, backbone: Path) -> tuple[int, ...]:
    """The pieces whose embeddings the markers start with, where a backbone has no markers.

    XLM-R has none. The authors of mLUKE started ``<ent>`` and ``<ent2>`` from "@" and "#".
    """
    pieces = [int(ids[-1]) for ids in words.encode_stretches(["@", "#"], [False, False])]
    size = read_config(backbone).get("vocab_size")
    return tuple(pieces) if size == words.mask_id + 1 == len(words) - len(pieces) else ()


def _initial_model(corpus: Corpus, tokenizer: EntityTokenizer, recipe: Recipe) -> EntityMaskedLM:
    words, entities = len(tokenizer.words), len(tokenizer.entities)
    torch.manual_seed(derive_seed(recipe.seed, "initial weights"))
    shape = recipe.model
    if shape.backbone is not None:
        model = EntityMaskedLM.from_backbone(
            shape.backbone,
            entity_vocab_size=entities,
            entity_emb_size=shape.entity_emb_size,
            entity_position_pooling=shape.entity_position_pooling,
            added_words_like=_likenesses(tokenizer.words, shape.backbone),
        )
    else:
        config = shape.config(words=words, entities=entities)
        _require_memory(
            config.parameter_bytes() * _BYTES_PER_PARAMETER_BYTE,
            "this model",
            "Lower the model's sizes (model.hidden_size, model.num_hidden_layers) or the "
            "vocabularies (exonym corpus build --vocabulary-size, --entity-vocabulary-size)",
        )
        model = EntityMaskedLM(config)
    if shape.entity_position_init == "words":
        model.copy_word_positions()
    config = model.config
    _require_memory(
        _batch_bytes(corpus, recipe, config),
        f"a batch of {recipe.batch_sequences:,} sequences",
        "Lower batch_sequences (--set batch_sequences=…)",
    )
    if config.vocab_size != words:
        raise ConfigError(
            f"the model has {config.vocab_size} pieces, the corpus {words}",
            where=shape.backbone and shape.backbone / CONFIG_FILE,
            remedy="Build the corpus with that model's tokenizer (--tokenizer)",
        )
    first = recipe.stages[0]
    if first.train == "new" and shape.backbone is None:
        raise ConfigError(
            f"stage {first.name!r} trains only what is new, over words that nothing has trained",
            remedy="Set model.backbone to an XLM-R directory, or begin with a stage of words",
        )
    longest = corpus.manifest["options"]["max_words"] + 2
    if longest > config.max_words:
        raise ConfigError(
            f"the corpus has sequences of up to {longest} pieces, the model positions for "
            f"{config.max_words}",
            remedy=f"Set model.max_position_embeddings to at least "
            f"{longest + config.pad_token_id + 1}, or build with a smaller --max-words",
        )
    return model


class _Run:
    """One call's work: the stages that are left."""

    def __init__(
        self,
        corpus: Corpus,
        tokenizer: EntityTokenizer,
        recipe: Recipe,
        model: EntityMaskedLM,
        folder: RunFolder,
        on_step: Callable[[Place], None] | None,
    ) -> None:
        self.device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        self.corpus, self.tokenizer, self.recipe, self.folder = corpus, tokenizer, recipe, folder
        self.model = model.to(self.device)
        self.on_step = on_step
        self.bfloat16 = _precision(recipe) == "bfloat16"
        self.words = 0

    def go(self, place: Place | None) -> int:
        """Do all stages from ``place`` on; returns the pieces seen."""
        state = None if place is None else self.folder.load(place, self.model)
        first = place or Place()
        for index, stage in enumerate(self.recipe.stages):
            if index < first.stage:
                continue
            optimizer = make_optimizer(self.model, self.recipe, stage)
            if state is not None and index == first.stage:
                optimizer.load_state_dict(state)
            start = first.step if index == first.stage else 0
            name = f"{self.recipe.name}: {stage.name}"
            with progress_stage(name, total=stage.steps, unit="steps") as progress:
                progress.advance(start)
                self._stage(index, stage, start, optimizer, progress)
        return self.words

    def _stage(
        self,
        index: int,
        stage: Stage,
        start: int,
        optimizer: torch.optim.AdamW,
        progress: Progress,
    ) -> None:
        recipe = self.recipe
        masking = replace(
            recipe.masking,
            with_entities=recipe.masking.with_entities and "entities" in stage.objectives,
        )
        stream = PretrainingStream(
            self.corpus,
            batch_sequences=recipe.batch_sequences,
            sampling=recipe.sampling,
            seed=derive_seed(recipe.seed, "stream", stage.name),
        )
        self.model.train()
        meter, saved = _Meter(), time.monotonic()
        for step in range(start, stage.steps):
            rng = generator(recipe.seed, "masking", stage.name, step)
            batch = mask_batch(stream.batch(step), self.tokenizer, masking, rng)
            for group in optimizer.param_groups:
                group["lr"] = stage.rate(step)
            # Dropout of a step depends on nothing before it, so a resumed run sees the same.
            torch.manual_seed(derive_seed(recipe.seed, "dropout", stage.name, step))
            losses = self._step(batch, stage, optimizer)
            pieces = int(batch.attention_mask.sum())
            self.words += pieces
            meter.add(losses, pieces)
            done = Place(index, step + 1)
            if (step + 1) % _LOG_EVERY == 0 or step + 1 == stage.steps:
                record = {
                    "stage": stage.name,
                    "stage_index": index,
                    "step": step + 1,
                    "learning_rate": stage.rate(step),
                    **meter.take(),
                }
                self.folder.log(record)
                progress.note(" ".join(f"{k} {record[k]:.3f}" for k in losses))
            progress.advance()
            if self.on_step is not None:
                self.on_step(done)
            due = time.monotonic() - saved >= recipe.checkpoint_seconds
            if (due and (step + 1) % _LOG_EVERY == 0) or step + 1 == stage.steps:
                self.folder.save(done, self.model, optimizer, recipe.keep_checkpoints)
                saved = time.monotonic()

    def _step(
        self, batch: MaskedBatch, stage: Stage, optimizer: torch.optim.AdamW
    ) -> dict[str, Loss]:
        with torch.autocast(self.device.type, dtype=torch.bfloat16, enabled=self.bfloat16):
            losses = self._losses(batch, stage)
        total = sum((loss.mean for loss in losses.values()), torch.zeros((), device=self.device))
        optimizer.zero_grad(set_to_none=True)
        total.backward()  # type: ignore[no-untyped-call]
        if self.recipe.max_gradient_norm is not None:
            trained = [p for group in optimizer.param_groups for p in group["params"]]
            torch.nn.utils.clip_grad_norm_(trained, self.recipe.max_gradient_norm)
        optimizer.step()
        return losses

    def _losses(self, batch: MaskedBatch, stage: Stage) -> dict[str, Loss]:
        inputs = {
            "input_ids": batch.input_ids,
            "attention_mask": batch.attention_mask,
        }
        if batch.entity_ids.shape[1]:
            inputs |= {
                "entity_ids": batch.entity_ids,
                "entity_attention_mask": batch.entity_attention_mask,
                "entity_position_ids": batch.entity_position_ids,
            }
        output = self.model(
            **{name: torch.from_numpy(array).to(self.device) for name, array in inputs.items()}
        )
        losses = {}
        if "words" in stage.objectives:
            losses["words"] = masked_language_modeling(
                self.model, output, *self._targets(batch.word_positions, batch.word_targets)
            )
        if "entities" in stage.objectives:
            losses["entities"] = masked_entity_prediction(
                self.model, output, *self._targets(batch.entity_positions, batch.entity_targets)
            )
        return losses

    def _targets(
        self, positions: npt.NDArray[np.int64], targets: npt.NDArray[np.int32]
    ) -> tuple[torch.Tensor, torch.Tensor]:
        # A matrix product of every new size leaves a compiled kernel behind in memory (oneDNN,
        # in bfloat16), so the number of targets is rounded up.
        missing = -len(positions) % _TARGETS_MULTIPLE
        return (
            torch.from_numpy(np.pad(positions, (0, missing))).to(self.device),
            torch.from_numpy(np.pad(targets, (0, missing), constant_values=IGNORED))
            .long()
            .to(self.device),
        )


class _Meter:
    """Sums of losses since the last logged step."""

    def __init__(self) -> None:
        self._losses: dict[str, list[tuple[float, int, int]]] = {}
        self._pieces, self._start = 0, time.monotonic()

    def add(self, losses: dict[str, Loss], pieces: int) -> None:
        for name, loss in losses.items():
            self._losses.setdefault(name, []).append(
                (float(loss.mean.detach()), loss.correct, loss.targets)
            )
        self._pieces += pieces

    def take(self) -> JSON:
        """Mean loss and accuracy per objective, and the speed; starts anew."""
        record: JSON = {}
        for name, parts in self._losses.items():
            targets = max(sum(part[2] for part in parts), 1)
            record[name] = sum(mean * count for mean, _, count in parts) / targets
            record[f"{name}_accuracy"] = sum(part[1] for part in parts) / targets
        elapsed = max(time.monotonic() - self._start, 1e-9)
        record["words_per_second"] = self._pieces / elapsed
        self.__init__()  # type: ignore[misc]
        return record


class _clear_memory_errors:  # noqa: N801 - used like a function
    """Turns running out of memory into one line that says what to do."""

    def __enter__(self) -> None:
        return None

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: object
    ) -> None:
        text = str(error)
        if isinstance(error, (MemoryError, torch.OutOfMemoryError)) or (
            isinstance(error, RuntimeError)
            and ("not enough memory" in text or "can't allocate memory" in text)
        ):
            raise ResourceError(
                "the machine ran out of memory",
                remedy="Lower batch_sequences (--set batch_sequences=…) or the model's size",
            ) from error


def _batch_bytes(corpus: Corpus, recipe: Recipe, config: EncoderConfig) -> float:
    """A lower bound of what one step holds: states of every layer and the word logits."""
    totals = corpus.manifest["totals"]
    pieces: float = recipe.batch_sequences * totals["words"] / max(totals["sequences"], 1)
    states = 4 * config.hidden_size * config.num_hidden_layers * pieces
    return states + 4 * config.vocab_size * recipe.masking.word_rate * pieces


def _require_memory(needed: float, what: str, remedy: str) -> None:
    free = available_memory()
    if free is not None and needed > free:
        raise ResourceError(
            f"{what} needs at least {needed / 2**30:.1f} GiB to train, "
            f"{free / 2**30:.1f} GiB are free",
            remedy=remedy,
        )
