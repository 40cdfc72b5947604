"""Write tests/modeling/golden, and check checkpoints both ways, with transformers as the oracle.

transformers 4.57.6 is the last version that computes LUKE as the released weights were trained.
It is no dependency of Exonym, so this runs in an environment of its own:

    python -m venv build/golden
    build/golden/bin/pip install transformers==4.57.6 torch orjson zstandard
    PYTHONPATH=src build/golden/bin/python tools/golden_luke.py tests/modeling/golden

It writes tiny random checkpoints in the layouts of the released ones, each with what the oracle
computes on one batch. Then, for those and for `--random` more of random shapes and forms (shards,
.bin, half precision, each head), it compares what Exonym computes from the oracle's directory (at
most 1e-5 off) and what the oracle computes from the directory that Exonym writes (at most 1e-6 off,
no tensor missing or unknown). It prints the largest differences and ends with status 1 if one is
too large.
"""

from __future__ import annotations

import argparse
import importlib
import random
import shutil
import sys
import tempfile
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor

from exonym.foundation.files import write_json
from exonym.modeling import EncoderConfig, EntityEncoder, EntityMaskedLM, Pretrained, load_model

ORACLE_VERSION = "4.57.6"
COMPUTED, WRITTEN = 1e-5, 1e-6  # largest allowed differences: other arithmetic; other file
WORDS = {
    "vocab_size": 60,
    "hidden_size": 24,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "intermediate_size": 40,
    "max_position_embeddings": 20,
    "type_vocab_size": 1,
    "pad_token_id": 1,
    "bos_token_id": 0,
    "eos_token_id": 2,
    "layer_norm_eps": 1e-5,
}
# Fields of released files that shape nothing.
RELEASED = {"bert_model_name": "xlm-roberta-base", "cls_entity_prediction": False}
BASE = {"entity_vocab_size": 30, "entity_emb_size": 16, "use_entity_aware_attention": False}
SMALL = {**BASE, **RELEASED, "hidden_size": 16, "intermediate_size": 24, "entity_emb_size": 8}
LOGITS = ("logits", "start_logits", "end_logits")
_NAMES = ("NIL", "LOC", "PER", "ORG")
LABELS = {
    "id2label": dict(enumerate(_NAMES)),
    "label2id": {name: row for row, name in enumerate(_NAMES)},
}


class Variant(NamedTuple):
    """A checkpoint to make: its folder, the oracle's class, changes of the shape."""

    name: str
    architecture: str
    seed: int
    changes: dict[str, Any]


VARIANTS = (
    Variant("luke", "LukeForMaskedLM", 1, BASE),
    Variant("lite", "LukeForMaskedLM", 11, {**SMALL, "entity_vocab_size": 5}),
    # The released files hold these queries, whatever their configuration says.
    Variant("aware", "LukeForMaskedLM", 21, {**SMALL, "use_entity_aware_attention": True}),
    Variant(
        "large",
        "LukeForMaskedLM",
        31,
        {**SMALL, "hidden_size": 32, "num_attention_heads": 8, "num_hidden_layers": 3},
    ),
    Variant("wide-table", "LukeModel", 41, {**SMALL, "entity_emb_size": 16}),
    Variant("entity", "LukeForEntityClassification", 51, {**SMALL, **LABELS}),
    Variant("pair", "LukeForEntityPairClassification", 61, {**SMALL, **LABELS}),
    Variant("span", "LukeForEntitySpanClassification", 71, {**SMALL, **LABELS}),
    Variant(
        "sequence",
        "LukeForSequenceClassification",
        81,
        {**SMALL, "num_labels": 3, "problem_type": "multi_label_classification"},
    ),
    Variant(
        "token",
        "LukeForTokenClassification",
        91,
        {**SMALL, "num_labels": 5, "classifier_dropout": 0.3},
    ),
    Variant("answer", "LukeForQuestionAnswering", 101, SMALL),
)


def inputs(entity_rows: int, words: int = 60) -> dict[str, Tensor]:
    """A batch with padded words and entities, overlapping and long mentions, a text without any."""
    entity_ids = torch.tensor([[5, 2, 29], [7, 0, 0], [2, 2, 0], [0, 0, 0]]) % entity_rows
    return {
        "input_ids": torch.tensor(
            [
                [0, 11, 12, 59, 14, 15, 16, 17, 18, 19, 20, 2],
                [0, 21, 22, 23, 24, 2, 1, 1, 1, 1, 1, 1],
                [0, 31, 59, 33, 34, 35, 36, 37, 38, 2, 1, 1],
                [0, 41, 42, 43, 44, 45, 46, 2, 1, 1, 1, 1],
            ]
        ).clamp(max=words - 1),
        "attention_mask": torch.arange(12) < torch.tensor([12, 6, 10, 8])[:, None],
        "entity_ids": entity_ids,
        "entity_attention_mask": torch.arange(3) < torch.tensor([3, 1, 2, 0])[:, None],
        "entity_position_ids": torch.tensor(
            [
                [[1, -1, -1, -1, -1, -1], [3, 4, 5, 6, 7, 8], [5, 6, -1, -1, -1, -1]],
                [[2, 3, 4, -1, -1, -1], [-1] * 6, [-1] * 6],
                [[8, -1, -1, -1, -1, -1], [1, 2, 3, 4, -1, -1], [-1] * 6],
                [[-1] * 6] * 3,
            ]
        ),
    }


def spans(batch: dict[str, Tensor]) -> dict[str, Tensor]:
    """First and last pieces of the mentions, as the oracle's tokenizer gives them."""
    positions = batch["entity_position_ids"]
    return {
        "entity_start_positions": positions[..., 0].clamp(min=0),
        "entity_end_positions": positions.amax(dim=-1).clamp(min=0),
    }


def asked(architecture: str, batch: dict[str, Tensor]) -> dict[str, Tensor]:
    """The batch as a class takes it; the oracle wants masks as integers."""
    whole = batch | (spans(batch) if "Span" in architecture else {})
    return {n: t.long() if t.dtype == torch.bool else t for n, t in whole.items()}


def words_only(batch: dict[str, Tensor]) -> dict[str, Tensor]:
    """The batch without its entities."""
    return {name: batch[name] for name in ("input_ids", "attention_mask")}


def shaken(model: Any, seed: int) -> Any:
    """The model in eval mode with every parameter random, so that none hides behind a 0 or a 1."""
    noise = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(torch.randn(parameter.shape, generator=noise) * 0.1)
    return model.eval()


@torch.no_grad()
def oracle_outputs(model: Any, batch: dict[str, Tensor]) -> dict[str, Tensor]:
    """What the oracle computes, named as in `our_outputs`."""
    architecture = type(model).__name__
    encoder = model if architecture == "LukeModel" else model.luke
    words = asked("", words_only(batch))
    hidden, alone = encoder(**asked("", batch)), encoder(**words)
    result = {
        "last_hidden_state": hidden.last_hidden_state,
        "entity_last_hidden_state": hidden.entity_last_hidden_state,
        "words_only": alone.last_hidden_state,
    }
    if architecture == "LukeModel":
        return result | {"pooler_output": hidden.pooler_output}
    output = model(**asked(architecture, batch))
    if architecture == "LukeForMaskedLM":
        return result | {"word_logits": output.logits, "entity_logits": output.entity_logits}
    return result | {name: output[name] for name in LOGITS if name in output}


@torch.no_grad()
def our_outputs(model: Pretrained, batch: dict[str, Tensor]) -> dict[str, Tensor]:
    """What Exonym computes."""
    output: Any = model(**asked(model.architecture, batch))
    encoder = model if isinstance(model, EntityEncoder) else model.luke
    result = {
        "last_hidden_state": output.last_hidden_state,
        "entity_last_hidden_state": output.entity_last_hidden_state,
        "words_only": encoder(**words_only(batch)).last_hidden_state,  # type: ignore[operator]
    }
    if isinstance(model, EntityEncoder):
        return result | {"pooler_output": output.pooler_output}
    if isinstance(model, EntityMaskedLM):
        words = model.word_logits(output.last_hidden_state)
        entities = model.entity_logits(output.entity_last_hidden_state)
        return result | {"word_logits": words, "entity_logits": entities}
    return result | {name: getattr(output, name) for name in LOGITS if hasattr(output, name)}


def counts(name: str, architecture: str, batch: dict[str, Tensor]) -> Tensor:
    """Which places of an output are not padding."""
    words, entities = batch["attention_mask"].bool(), batch["entity_attention_mask"].bool()
    if name == "logits":
        # Text classifiers need no entity, those of entities the first one or two.
        of_texts = {"LukeForEntityClassification": 0, "LukeForEntityPairClassification": 1}
        if architecture in of_texts:
            return entities[:, of_texts[architecture]]
        if architecture == "LukeForSequenceClassification":
            return words[:, 0]
        return entities if "Span" in architecture else words
    if name == "pooler_output":
        return words[:, 0]
    return entities if "entity" in name else words


def largest_difference(
    one: dict[str, Tensor], other: dict[str, Tensor], architecture: str, batch: dict[str, Tensor]
) -> float:
    """The largest absolute difference on places that are not padding.

    Raises:
        ValueError: they are not the same outputs.
    """
    if one.keys() != other.keys():
        raise ValueError(f"outputs differ: {sorted(one)} and {sorted(other)}")
    differences = [0.0]
    for name, ours in one.items():
        mask = counts(name, architecture, batch)
        if mask.any():
            differences.append(float((ours[mask] - other[name][mask]).abs().max()))
    return max(differences)


def make(transformers: Any, variant: Variant, directory: Path) -> Any:
    """A random checkpoint of the oracle's; returns the model."""
    config = transformers.LukeConfig(**{**WORDS, **variant.changes})
    torch.manual_seed(variant.seed)
    model = shaken(getattr(transformers, variant.architecture)(config), variant.seed + 1)
    model.save_pretrained(directory)
    return model


def check(transformers: Any, directory: Path, architecture: str) -> tuple[float, float]:
    """How far Exonym is from the oracle on a directory, and the oracle on what Exonym wrote of it.

    Raises:
        ValueError: a tensor is missing in Exonym's directory, or unknown to the oracle.
    """
    model_class = getattr(transformers, architecture)
    theirs = model_class.from_pretrained(directory, dtype=torch.float32).eval()
    batch = inputs(theirs.config.entity_vocab_size, theirs.config.vocab_size)
    wanted = oracle_outputs(theirs, batch)
    ours = load_model(directory)
    computed = largest_difference(our_outputs(ours, batch), wanted, architecture, batch)
    with tempfile.TemporaryDirectory() as folder:
        ours.save_pretrained(Path(folder))
        again = read_strictly(model_class, folder, ours)
    if again.config.id2label != theirs.config.id2label:
        raise ValueError(f"labels: {again.config.id2label}, were {theirs.config.id2label}")
    written = largest_difference(oracle_outputs(again, batch), wanted, architecture, batch)
    return computed, written


def read_strictly(model_class: Any, folder: str, ours: Pretrained) -> Any:
    """Let the oracle read Exonym's directory.

    Raises:
        ValueError: a tensor is missing, or unknown for another reason than that Exonym kept it.
    """
    model, report = model_class.from_pretrained(folder, output_loading_info=True)
    encoder: Any = ours if isinstance(ours, EntityEncoder) else ours.luke
    kept = {ours.prefix + name for name in encoder.kept_tensors}
    report["unexpected_keys"] = set(report["unexpected_keys"]) - kept
    for kind in ("missing_keys", "unexpected_keys", "mismatched_keys", "error_msgs"):
        if report[kind]:
            raise ValueError(f"{kind}: {sorted(report[kind])}")
    return model.eval()


def write_golden(transformers: Any, out: Path) -> None:
    """The committed files: checkpoints, what they compute, the names of LUKE's tensors."""
    for variant in VARIANTS:
        directory = out / variant.name
        shutil.rmtree(directory, ignore_errors=True)
        model = make(transformers, variant, directory)
        batch = inputs(model.config.entity_vocab_size)
        write_arrays(directory / "expected.npz", batch | oracle_outputs(model, batch))
        if variant.name == "luke":
            names = {
                "transformers": transformers.__version__,
                "all_tensors": sorted(model.state_dict()),
                "tied_tensors": sorted(model._tied_weights_keys),
            }
            write_json(directory / "names.json", names)
        if variant.name == "aware":  # as if its config.json switched the queries off
            plain = type(model).from_pretrained(directory, use_entity_aware_attention=False)
            outputs = oracle_outputs(plain.eval(), batch)
            write_arrays(directory / "expected-plain.npz", batch | outputs)
    write_xlmr(transformers, out / "xlmr")


@torch.no_grad()
def write_xlmr(transformers: Any, directory: Path) -> None:
    """A random XLM-R checkpoint and what it computes on the same words."""
    torch.manual_seed(3)
    model = shaken(transformers.XLMRobertaForMaskedLM(transformers.XLMRobertaConfig(**WORDS)), 4)
    model.save_pretrained(directory)
    words = words_only(inputs(30))
    hidden = model.roberta(**asked("", words)).last_hidden_state
    logits = model(**asked("", words)).logits
    arrays = words | {"last_hidden_state": hidden, "word_logits": logits}
    write_arrays(directory / "expected.npz", arrays)


def write_arrays(path: Path, arrays: dict[str, Tensor]) -> None:
    """The inputs and what comes out, as ``.npz``."""
    np.savez_compressed(path, **{name: tensor.numpy() for name, tensor in arrays.items()})  # type: ignore[arg-type]


def random_variant(number: int) -> tuple[Variant, dict[str, Any], torch.dtype]:
    """A shape and a form on disk that no other number has."""
    draw = random.Random(number)
    heads = draw.choice([1, 2, 4, 8])
    hidden = heads * draw.choice([4, 8, 12])
    changes = {
        "vocab_size": draw.randint(50, 90),
        "hidden_size": hidden,
        "num_attention_heads": heads,
        "num_hidden_layers": draw.randint(1, 4),
        "intermediate_size": draw.randint(5, 60),
        "entity_vocab_size": draw.choice([3, 4, 5, 40]),
        "entity_emb_size": draw.choice([hidden, 4, 9]),
        "type_vocab_size": draw.choice([1, 2]),
        "max_position_embeddings": draw.choice([20, 33]),
        "layer_norm_eps": draw.choice([1e-5, 1e-12]),
        "use_entity_aware_attention": draw.random() < 0.5,
        **({"num_labels": draw.randint(2, 7)} if draw.random() < 0.7 else {}),
    }
    architecture = VARIANTS[number % len(VARIANTS)].architecture
    if "Answering" in architecture:
        changes.pop("num_labels", None)
    saving: dict[str, Any] = {"safe_serialization": draw.random() < 0.5}
    if draw.random() < 0.5:
        saving["max_shard_size"] = "8KB"
    dtype = draw.choice([torch.float32, torch.float32, torch.float16, torch.bfloat16])
    return Variant(f"random {number}", architecture, 1000 + number, changes), saving, dtype


def check_random(transformers: Any, number: int) -> tuple[str, tuple[float, float]]:
    """Make a random checkpoint and compare both ways; returns the class and the differences."""
    variant, saving, dtype = random_variant(number)
    with tempfile.TemporaryDirectory() as folder:
        whole, form = Path(folder) / "whole", Path(folder) / "form"
        make(transformers, variant, whole).to(dtype).save_pretrained(form, **saving)
        return variant.architecture, check(transformers, form, variant.architecture)


def check_new(transformers: Any) -> tuple[float, float]:
    """A model that Exonym made, read by the oracle."""
    shape: dict[str, Any] = {n: WORDS[n] for n in WORDS if not n.endswith("os_token_id")}
    torch.manual_seed(5)
    ours = shaken(EntityMaskedLM(EncoderConfig(**shape, entity_vocab_size=30)), 6)
    with tempfile.TemporaryDirectory() as folder:
        ours.save_pretrained(Path(folder))
        theirs = read_strictly(transformers.LukeForMaskedLM, folder, ours)
    batch = inputs(30)
    wanted = oracle_outputs(theirs, batch)
    return largest_difference(our_outputs(ours, batch), wanted, ours.architecture, batch), 0.0


def main() -> int:
    """Write the files and check both directions."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("out", type=Path, nargs="?", help="folder to write, tests/modeling/golden")
    parser.add_argument("--random", type=int, default=44, help="random checkpoints to compare")
    arguments = parser.parse_args()
    transformers = importlib.import_module("transformers")
    if transformers.__version__ != ORACLE_VERSION:
        seen = transformers.__version__
        print(f"expected transformers {ORACLE_VERSION}, found {seen}", file=sys.stderr)
        return 2
    transformers.logging.set_verbosity_error()
    transformers.logging.disable_progress_bar()
    found: dict[str, list[tuple[float, float]]] = {}
    if arguments.out is not None:
        write_golden(transformers, arguments.out)
        for variant in VARIANTS:
            directory = arguments.out / variant.name
            found[variant.name] = [check(transformers, directory, variant.architecture)]
    found["new, by Exonym"] = [check_new(transformers)]
    for number in range(arguments.random):
        architecture, differences = check_random(transformers, number)
        found.setdefault(f"random {architecture}", []).append(differences)
    for name, pairs in found.items():
        computed, written = (max(pair[side] for pair in pairs) for side in (0, 1))
        print(
            f"{name} ({len(pairs)}): theirs read by us differs by at most {computed:.1e}, "
            f"ours read by them by {written:.1e}"
        )
    every = [pair for pairs in found.values() for pair in pairs]
    return int(any(computed > COMPUTED or written > WRITTEN for computed, written in every))


if __name__ == "__main__":
    sys.exit(main())
