"""A fine-tuned model with something wrong is refused in a line that says what would help."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from safetensors.torch import load_file, save_file

from exonym.foundation.errors import InputError
from exonym.systems.task_kits import kit_of
from exonym.systems.transfer import load_for

TESTS = Path(__file__).parents[1]
TOKENIZER = TESTS / "tokenization" / "golden" / "style2021"
MODEL = TESTS / "tasks" / "golden" / "ner"
WEIGHTS = "model.safetensors"


def with_config(**changes: Any) -> Callable[[Path], None]:
    def change(directory: Path) -> None:
        path = directory / "config.json"
        path.write_text(json.dumps({**json.loads(path.read_text()), **changes}))

    return change


def cut(name: str, size: int) -> Callable[[Path], None]:
    return lambda directory: (directory / name).write_bytes((directory / name).read_bytes()[:size])


def without(name: str) -> Callable[[Path], None]:
    return lambda directory: (directory / name).unlink()


def without_head(directory: Path) -> None:
    tensors = load_file(directory / WEIGHTS)
    kept = {name: tensor for name, tensor in tensors.items() if "classifier" not in name}
    save_file(kept, directory / WEIGHTS, {"format": "pt"})


SEVEN = {"id2label": {str(row): f"L{row}" for row in range(7)}}
BROKEN: list[tuple[str, Callable[[Path], None], str, str]] = [
    ("ner", without_head, "'classifier.bias' is missing", "Train it first: exonym finetune ner"),
    ("qa", with_config(), "no model for qa", "Train it first: exonym finetune qa"),
    ("relation", with_config(), "no model for relation", "Train it first: exonym finetune"),
    ("ner", with_config(**SEVEN), "config.json says", "fetch both again"),
    ("ner", with_config(hidden_size=32), "config.json says", "fetch both again"),
    ("ner", cut(WEIGHTS, 2000), "cannot be read", "damaged or cut short; fetch it again"),
    ("ner", cut(WEIGHTS, 0), "cannot be read", "damaged or cut short; fetch it again"),
    ("ner", without(WEIGHTS), "neither model.safetensors nor", "Copy all files of the model"),
    ("ner", without("config.json"), "no model in it", "Give a checkpoint's directory"),
    ("ner", cut("config.json", 60), "config.json", ""),
    ("ner", without("sentencepiece.bpe.model"), "no sentencepiece", "Copy all files of the model"),
    ("ner", cut("sentencepiece.bpe.model", 999), "SentencePiece", "Fetch the file again"),
    ("ner", with_config(num_attention_heads=3), "not divisible", ""),
    ("ner", with_config(exonym_variant="x"), "must be 'entities' or 'words'", ""),
    ("ner", with_config(exonym_ner={"span_limit": 0}), "span_limit must be", ""),
    ("relation", with_config(exonym_ner={}), "fine-tuned for ner", "exonym finetune relation"),
]


@pytest.mark.parametrize(("task", "damage", "what", "remedy"), BROKEN)
def test_what_is_wrong_with_a_model_is_said_with_its_place_and_what_helps(
    task: str, damage: Callable[[Path], None], what: str, remedy: str, tmp_path: Path
) -> None:
    directory = tmp_path / "model"
    shutil.copytree(TOKENIZER, directory)
    shutil.copytree(MODEL, directory, dirs_exist_ok=True)
    damage(directory)
    with pytest.raises(InputError) as raised:
        load_for(kit_of(task), directory)
    assert what in str(raised.value)
    assert str(raised.value.where).startswith(str(directory))
    assert remedy in (raised.value.remedy or "")
    assert "\n" not in str(raised.value)
