"""How new rows of an entity table should start: what is learnt of new entities, what old ones lose.

A model of a small world goes on in a larger one, once for each way to start the new rows; all else
is the same. Prints a table in Markdown (docs/continuing.md has it). Takes some minutes.

    .venv/bin/python tools/new_entity_rows.py --out build/new-rows
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import torch
from torch import Tensor

from exonym.atlas import write_atlas
from exonym.corpus import Corpus, CorpusOptions, build_corpus
from exonym.corpus.data import PretrainingData
from exonym.foundation.errors import ExonymError
from exonym.foundation.seeds import derive_seed
from exonym.knowledge import EntityVocabulary, build_knowledge_base
from exonym.modeling import EntityMaskedLM
from exonym.modeling.extension import load_extended
from exonym.systems import mluke
from exonym.training import Recipe, pretrain
from exonym.training.model import PretrainingModel, tensors

OLD, NEW = (300, ("en", "de", "ja")), (500, ("en", "de", "ja", "sw"))
EVALUATED_STEPS, SPREAD = 8, 0.06


def starts(old: Tensor, made: Tensor, mask_row: int, seed: int) -> dict[str, Tensor]:
    """The ways to start, each with the new rows.

    Args:
        old: (rows, width) the old rows.
        made: (new, width) what `load_extended` makes.
        mask_row: of [MASK].
        seed: of what is drawn.
    """
    source = torch.Generator().manual_seed(derive_seed(seed, "new rows"))
    noise = torch.randn(made.shape, generator=source)
    return {
        "words of the titles": made,
        "like the old rows": old.mean(0) + old.std(0) * noise,
        "around zero": SPREAD * noise,
        "the row of [MASK]": old[mask_row] + 0.01 * noise,
    }


def told(folder: Path, world: tuple[int, Sequence[str]], options: CorpusOptions) -> Corpus:
    entities, languages = world
    if not (folder / "corpus").exists():
        write_atlas(folder / "dumps", entities=entities, languages=languages, overwrite=True)
        build_knowledge_base([folder / "dumps"], folder / "kb", overwrite=True)
        build_corpus(folder / "kb", folder / "corpus", options)
    return Corpus.open(folder / "corpus")


def losses(corpus: Corpus, model: EntityMaskedLM, recipe: Recipe, rows: int) -> tuple[float, float]:
    """The mean loss of old and of new entities, in nats."""
    data = PretrainingData(
        corpus, corpus.tokenizer(), masking=recipe.masking, sampling=recipe.sampling,
        batch_sequences=64, seed=recipe.seed, stage="evaluation",
    )  # fmt: skip
    measured, nats, new = PretrainingModel(model.eval(), bfloat16=False), [], []
    for step in range(EVALUATED_STEPS):
        inputs = tensors(data.share(step).batches[0], ("entities",), torch.device("cpu"))
        with torch.no_grad():
            _, predicted = measured(inputs, {"entities": 1.0})
        targets = inputs["entities_targets"]
        nats.append(predicted["entities"].nats[targets >= 0])
        new.append(targets[targets >= 0] >= rows)
    each, is_new = torch.cat(nats), torch.cat(new)
    return float(each[~is_new].mean()), float(each[is_new].mean())


def compare(out: Path, steps: int, seed: int) -> list[str]:
    options = CorpusOptions(vocabulary_size=4000, max_words=64, max_sentences=1)
    small = ["batch_sequences=96", f"seed={seed}", "stages.backbone.steps=150",
             "stages.entities.steps=50", "stages.all.steps=600"]  # fmt: skip
    recipe = mluke.recipe("mluke-atlas", small)
    first = told(out / "old", OLD, options)
    model = pretrain(first.path, out / "old" / f"run-{seed}", recipe, resume=True).model
    larger = replace(options, tokenizer=model, entities=model, add_entities=10**6)
    corpus = told(out / f"new-{seed}", NEW, larger)
    tokenizer, old = corpus.tokenizer(), EntityVocabulary.from_pretrained(model)
    lines = []
    begun = load_extended(model, tokenizer, seed=seed)
    table = begun.luke.entity_embeddings.entity_embeddings.weight.detach()
    made = table[len(old) :].clone()
    for way, rows in starts(table[: len(old)], made, old.mask_row, seed).items():
        table[len(old) :] = rows
        before = losses(corpus, begun, recipe, len(old))
        folder = out / f"new-{seed}" / way.replace(" ", "-")
        begun.save_pretrained(folder / "start")
        tokenizer.save_pretrained(folder / "start")
        changes = [
            f"stages.all.steps={steps}", "stages.all.learning_rate=1e-3",
            "stages.all.warmup_steps=10", f"model.checkpoint={folder / 'start'}",
        ]  # fmt: skip
        going = mluke.recipe("mluke-atlas", [*small, *changes]).only("all")
        done = pretrain(corpus.path, folder / "run", going, overwrite=True)
        after = losses(corpus, EntityMaskedLM.from_pretrained(done.model), recipe, len(old))
        figures = " | ".join(f"{value:.2f}" for value in (*before, *after))
        lines.append(f"| {way} | {figures} |")
    return lines


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, required=True, help="a folder for worlds and runs")
    parser.add_argument("--steps", type=int, default=120, help="of going on")
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args(arguments)
    try:
        lines = compare(given.out, given.steps, given.seed)
    except ExonymError as error:
        print(f"error: {error}", file=sys.stderr)
        return error.exit_status
    print(
        f"| new rows start from | old, at the start | new, at the start | old, after {given.steps} "
        f"steps | new, after {given.steps} steps |\n| --- | --- | --- | --- | --- |"
    )
    print("\n".join(lines))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
