"""What the scripts that compare with transformers share: its process, and a tiny shape."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any

TOKENIZER = Path(__file__).parents[1] / "tests" / "tokenization" / "golden" / "style2021"
"""The golden tokenizer, as the repositories of 2021 hold it."""


class Oracle:
    """A process of the other environment that answers requests, a JSON line each.

    Args:
        python: of that environment.
        script: beside this file.
    """

    def __init__(self, python: str, script: str) -> None:
        self._process = subprocess.Popen(
            [python, str(Path(__file__).parent / script)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def ask(self, **request: Any) -> Any:
        """The answer to one request."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        print(json.dumps(request), file=self._process.stdin, flush=True)
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError("the oracle ended; its error stands above")
        return json.loads(line)


def tiny_config(labels: Sequence[str]) -> dict[str, Any]:
    """The shape of the golden heads, as transformers takes it, for `TOKENIZER`.

    Args:
        labels: of the classifier.
    """
    return {
        "id2label": dict(enumerate(labels)),
        "label2id": {name: row for row, name in enumerate(labels)},
        "entity_vocab_size": 7,
        "hidden_size": 16,
        "entity_emb_size": 8,
        "num_hidden_layers": 2,
        "num_attention_heads": 4,
        "intermediate_size": 24,
        "max_position_embeddings": 130,
        "type_vocab_size": 1,
        "pad_token_id": 1,
        "bos_token_id": 0,
        "eos_token_id": 2,
        "layer_norm_eps": 1e-5,
        "use_entity_aware_attention": False,
        "bert_model_name": "xlm-roberta-base",
        "cls_entity_prediction": False,
    }
