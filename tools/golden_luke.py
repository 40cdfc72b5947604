"""Write tests/modeling/golden, and check our checkpoints, with transformers as the oracle.

transformers 4.57.6 is the last version that computes LUKE as the released weights were trained.
It is no dependency of Exonym, so this runs in an environment of its own:

    python -m venv /tmp/golden
    /tmp/golden/bin/pip install transformers==4.57.6 torch orjson zstandard
    PYTHONPATH=src /tmp/golden/bin/python tools/golden_luke.py tests/modeling/golden

It writes two tiny random checkpoints (LUKE without entity-aware attention, XLM-R) with what the
oracle computes on fixed inputs. Then it lets the oracle read a directory that `save_pretrained`
wrote and prints the largest differences; it ends with status 1 if a tensor is missing or a number
differs.
"""

from __future__ import annotations

import argparse
import importlib
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from exonym.foundation.files import write_json
from exonym.modeling import EncoderConfig, EntityMaskedLM

ORACLE_VERSION = "4.57.6"
TOLERANCE = 1e-5
SHAPE = {
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
ENTITIES = {"entity_vocab_size": 30, "entity_emb_size": 16}
OUTPUTS = ("last_hidden_state", "entity_last_hidden_state", "word_logits", "entity_logits")


def inputs() -> dict[str, Tensor]:
    """A batch with padded words, a padded entity, overlapping mentions, a long mention."""
    return {
        "input_ids": torch.tensor(
            [
                [0, 11, 12, 59, 14, 15, 16, 17, 18, 19, 20, 2],
                [0, 21, 22, 23, 24, 2, 1, 1, 1, 1, 1, 1],
                [0, 31, 59, 33, 34, 35, 36, 37, 38, 2, 1, 1],
            ]
        ),
        "attention_mask": torch.tensor([[1] * 12, [1] * 6 + [0] * 6, [1] * 10 + [0] * 2]),
        "entity_ids": torch.tensor([[5, 2, 29], [7, 0, 0], [2, 2, 0]]),
        "entity_attention_mask": torch.tensor([[1, 1, 1], [1, 0, 0], [1, 1, 0]]),
        "entity_position_ids": torch.tensor(
            [
                [[1, -1, -1, -1], [3, 4, 5, 6], [5, 6, -1, -1]],
                [[2, 3, 4, -1], [-1] * 4, [-1] * 4],
                [[8, -1, -1, -1], [1, 2, 3, 4], [-1] * 4],
            ]
        ),
    }


def shaken(model: Any, seed: int) -> Any:
    """The model in eval mode with every parameter random, so that none hides behind a 0 or a 1."""
    noise = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(torch.randn(parameter.shape, generator=noise) * 0.1)
    return model.eval()


@torch.no_grad()
def oracle_outputs(model: Any, batch: dict[str, Tensor]) -> dict[str, Tensor]:
    """What the oracle's LukeForMaskedLM computes."""
    hidden = model.luke(**batch, return_dict=True)
    logits = model(**batch, return_dict=True)
    values = (
        hidden.last_hidden_state,
        hidden.entity_last_hidden_state,
        logits.logits,
        logits.entity_logits,
    )
    return dict(zip(OUTPUTS, values, strict=True))


@torch.no_grad()
def our_outputs(model: EntityMaskedLM, batch: dict[str, Tensor]) -> dict[str, Tensor]:
    """What `EntityMaskedLM` computes."""
    output = model.eval()(**batch)
    entities = output.entity_last_hidden_state
    if entities is None:
        raise ValueError("the batch has no entities")
    logits = (model.word_logits(output.last_hidden_state), model.entity_logits(entities))
    values = (output.last_hidden_state, entities, *logits)
    return dict(zip(OUTPUTS, values, strict=True))


def write_expected(directory: Path, arrays: dict[str, Tensor]) -> None:
    """``expected.npz``: the inputs and what comes out."""
    np.savez_compressed(
        directory / "expected.npz",
        **{name: tensor.numpy() for name, tensor in arrays.items()},  # type: ignore[arg-type]
    )


def write_luke(transformers: Any, directory: Path) -> None:
    """A random LUKE checkpoint, what it computes, and the names of the oracle's tensors."""
    config = transformers.LukeConfig(**SHAPE, **ENTITIES, use_entity_aware_attention=False)
    torch.manual_seed(1)
    model = shaken(transformers.LukeForMaskedLM(config), 2)
    model.save_pretrained(directory)
    batch = inputs()
    write_expected(directory, batch | oracle_outputs(model, batch))
    names = {
        "transformers": transformers.__version__,
        "all_tensors": sorted(model.state_dict()),
        "tied_tensors": sorted(model._tied_weights_keys),
    }
    write_json(directory / "names.json", names)


@torch.no_grad()
def write_xlmr(transformers: Any, directory: Path) -> None:
    """A random XLM-R checkpoint and what it computes on the same words."""
    torch.manual_seed(3)
    model = shaken(transformers.XLMRobertaForMaskedLM(transformers.XLMRobertaConfig(**SHAPE)), 4)
    model.save_pretrained(directory)
    words = {name: inputs()[name] for name in ("input_ids", "attention_mask")}
    hidden = model.roberta(**words, return_dict=True).last_hidden_state
    logits = model(**words, return_dict=True).logits
    write_expected(directory, words | {"last_hidden_state": hidden, "word_logits": logits})


def largest_differences(one: dict[str, Tensor], other: dict[str, Tensor]) -> dict[str, float]:
    """Per output, the largest absolute difference on places that are not padding."""
    batch = inputs()
    words, entities = batch["attention_mask"].bool(), batch["entity_attention_mask"].bool()
    differences = {}
    for name in OUTPUTS:
        mask = entities if "entity" in name else words
        differences[name] = float((one[name][mask] - other[name][mask]).abs().max())
    return differences


def check_ours(transformers: Any, entity_emb_size: int) -> dict[str, float]:
    """Let the oracle read what `save_pretrained` wrote.

    Raises:
        ValueError: a tensor is missing in the file or unknown to the oracle.
    """
    shape = {name: SHAPE[name] for name in SHAPE if name not in ("bos_token_id", "eos_token_id")}
    entities = {**ENTITIES, "entity_emb_size": entity_emb_size}
    torch.manual_seed(5)
    ours = shaken(EntityMaskedLM(EncoderConfig(**shape, **entities)), 6)  # type: ignore[arg-type]
    with tempfile.TemporaryDirectory() as directory:
        ours.save_pretrained(Path(directory))
        theirs, report = transformers.LukeForMaskedLM.from_pretrained(
            directory, output_loading_info=True
        )
    for kind in ("missing_keys", "unexpected_keys", "mismatched_keys", "error_msgs"):
        if report[kind]:
            raise ValueError(f"{kind}: {sorted(report[kind])}")
    batch = inputs()
    return largest_differences(our_outputs(ours, batch), oracle_outputs(theirs.eval(), batch))


def main() -> int:
    """Write the files and check both directions."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("out", type=Path, help="folder to write, tests/modeling/golden")
    out: Path = parser.parse_args().out
    transformers = importlib.import_module("transformers")
    if transformers.__version__ != ORACLE_VERSION:
        print(
            f"expected transformers {ORACLE_VERSION}, found {transformers.__version__}",
            file=sys.stderr,
        )
        return 2
    transformers.logging.set_verbosity_error()
    write_luke(transformers, out / "luke")
    write_xlmr(transformers, out / "xlmr")
    oracle = transformers.LukeForMaskedLM.from_pretrained(out / "luke").eval()
    batch = inputs()
    checks = {
        "theirs read by us": largest_differences(
            our_outputs(EntityMaskedLM.from_pretrained(out / "luke"), batch),
            oracle_outputs(oracle, batch),
        ),
        "ours read by them": check_ours(transformers, ENTITIES["entity_emb_size"]),
        "ours, table as wide as the encoder": check_ours(transformers, SHAPE["hidden_size"]),  # type: ignore[arg-type]
    }
    for direction, differences in checks.items():
        for name, difference in differences.items():
            print(f"{direction}: {name} differs by at most {difference:.1e}")
    return int(any(d > TOLERANCE for found in checks.values() for d in found.values()))


if __name__ == "__main__":
    sys.exit(main())
