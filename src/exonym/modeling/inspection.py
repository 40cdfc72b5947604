"""What is inside a checkpoint directory, in plain words and without loading its tensors."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from torch import Tensor

from exonym.foundation.errors import ExonymError
from exonym.foundation.files import JSON, read_json
from exonym.foundation.hub import WEIGHTS
from exonym.knowledge import EntityVocabulary
from exonym.modeling.checkpoint import (
    CONFIG_FILE,
    PREFIX,
    read_config,
    read_shape,
    read_weights,
    weight_files,
)
from exonym.modeling.config import EncoderConfig
from exonym.modeling.loading import EXTRA_QUERIES, renamed
from exonym.tokenization import WordTokenizer
from exonym.tokenization.added import (
    ADDED_TOKENS_FILE,
    SPECIAL_TOKENS_FILE,
    TOKENIZER_CONFIG_FILE,
    TOKENIZER_FILE,
)
from exonym.tokenization.tokenizer import ENTITY_DIRECTORY, ENTITY_FILE
from exonym.tokenization.words import SENTENCEPIECE_FILE, TOKENIZER_FILES

FILES = (CONFIG_FILE, *WEIGHTS, *TOKENIZER_FILES, ENTITY_FILE, f"{ENTITY_DIRECTORY}/*")
"""Patterns of everything that belongs to a checkpoint."""

HEADS = {
    "LukeModel": "none, the encoder alone",
    "LukeForMaskedLM": "masked words and masked entities",
    "LukeForEntityClassification": "labels for one entity",
    "LukeForEntityPairClassification": "labels for a pair of entities",
    "LukeForEntitySpanClassification": "labels for spans of words",
    "LukeForSequenceClassification": "labels for a text",
    "LukeForTokenClassification": "labels for word pieces",
    "LukeForQuestionAnswering": "the answer's place in a text",
}
DECODERS = ("lm_head.decoder.", "entity_predictions.decoder.")
TRANSFORMERS_5 = "transformers 5"

_SIZES = {(768, 12, 12): "base", (1024, 24, 16): "large"}  # width, layers, heads
_MOST_LITE = 8  # rows of a vocabulary of special entities only
_PARTS = {
    "luke.embeddings.word_embeddings.": "word table",
    "luke.entity_embeddings.entity_embeddings.": "entity table",
    "luke.embeddings.": "other embeddings",
    "luke.entity_embeddings.": "other embeddings",
    "luke.encoder.": "layers",
    "luke.pooler.": "pooler",
    **dict.fromkeys(DECODERS, "stored decoders"),
}


@dataclass(frozen=True, slots=True)
class Contents:
    """What a checkpoint directory holds.

    Args:
        directory: where.
        architecture: the class that ``config.json`` names, or None.
        config: its shape.
        written_by: the version of transformers that ``config.json`` names, or None.
        files: the files of weights, with their bytes.
        parameters: how many numbers each part has; decoders that are stored although they are
            their tables, and queries that the configuration switches off, stand apart.
        dtypes: how many of them are of each dtype.
        tokenizer: what `describe_words` says.
        entities: what `describe_entities` says.
    """

    directory: Path
    architecture: str | None
    config: EncoderConfig
    written_by: str | None
    files: Mapping[str, int]
    parameters: Mapping[str, int]
    dtypes: Mapping[str, int]
    tokenizer: JSON
    entities: JSON

    @property
    def size(self) -> str | None:
        """``"base"``, ``"large"``, or None for another size."""
        shape = self.config
        return _SIZES.get((shape.hidden_size, shape.num_hidden_layers, shape.num_attention_heads))

    @property
    def head(self) -> str:
        """What the model's head is for."""
        return HEADS.get(str(self.architecture), f"unknown ({self.architecture})")

    @property
    def has_labels(self) -> bool:
        """Whether the head is a classifier with labels of its own."""
        return self.head.startswith("labels")

    def to_json(self) -> JSON:
        """The same as plain values."""
        config = self.config
        return {
            "directory": str(self.directory),
            "architecture": self.architecture,
            "head": self.head,
            "labels": list(config.labels) if self.has_labels else None,
            "size": self.size,
            "shape": {
                name: getattr(config, name)
                for name in (
                    "num_hidden_layers",
                    "hidden_size",
                    "num_attention_heads",
                    "intermediate_size",
                    "max_words",
                    "vocab_size",
                    "entity_vocab_size",
                    "entity_emb_size",
                )
            },
            "entity_aware_attention": config.use_entity_aware_attention,
            "written_by_transformers": self.written_by,
            "files": dict(self.files),
            "parameters": dict(self.parameters),
            "dtypes": dict(self.dtypes),
            "tokenizer": self.tokenizer,
            "entities": self.entities,
        }

    def sections(self) -> list[tuple[str, list[tuple[str, str]]]]:
        """Titles, each with lines of a name and a text."""
        config, count = self.config, sum(self.parameters.values())
        shape = (
            f"{config.num_hidden_layers} layers, {config.hidden_size} wide, "
            f"{config.num_attention_heads} heads, {config.intermediate_size} within"
        )
        model = [
            ("head", f"{self.head} ({self.architecture})"),
            ("size", f"{self.size}: {shape}" if self.size else shape),
            ("text", f"at most {config.max_words} pieces, <s> and </s> included"),
            ("attention", self._attention()),
        ]
        if self.has_labels:
            model.append(("labels", f"{config.num_labels}: {_some(config.labels)}"))
        model.append(("parameters", f"{count:,}"))
        model += [(f"  {part}", f"{number:,}") for part, number in self.parameters.items()]
        return [
            (str(self.directory), model),
            ("weights", self._weights()),
            ("words", _word_lines(self.tokenizer, config)),
            ("entities", _entity_lines(self.entities, config)),
        ]

    def _attention(self) -> str:
        if self.config.use_entity_aware_attention:
            return "entity-aware: own queries between words and entities"
        unused = self.parameters.get("unused queries")
        kept = "; queries of entity-aware attention are in the files, unused" if unused else ""
        return f"plain: one query for words and entities{kept}"

    def _weights(self) -> list[tuple[str, str]]:
        dtypes = ", ".join(
            f"{name} ({number / sum(self.dtypes.values()):.0%})" if len(self.dtypes) > 1 else name
            for name, number in self.dtypes.items()
        )
        kind = "safetensors" if all(n.endswith(".safetensors") for n in self.files) else "pickle"
        shards = f", {len(self.files)} shards" if len(self.files) > 1 else ""
        lines = [("format", kind + shards), ("dtype", dtypes)]
        lines += [(name, f"{size / 1e6:,.1f} MB") for name, size in self.files.items()]
        if self.written_by:
            lines.append(("written by", f"transformers {self.written_by}"))
        stored = "stored; equal or not, `exonym checkpoint check` says"
        if self.architecture == "LukeForMaskedLM":
            tied = "stored decoders" not in self.parameters
            lines.append(("decoders", "tied to their tables, not stored" if tied else stored))
        return lines


def describe(directory: Path) -> Contents:
    """Look into a checkpoint directory. Reads the headers of its weights only.

    Raises:
        InputError: there is no checkpoint.
        FormatError: its configuration or its weights cannot be read.
    """
    content, config = read_config(directory), read_shape(directory)
    named = content.get("architectures")
    tensors = read_weights(directory)
    parameters, dtypes = _counts(tensors, config)
    return Contents(
        directory=directory,
        architecture=str(named[0]) if isinstance(named, list) and named else None,
        config=config,
        written_by=_text(content.get("transformers_version")),
        files={path.name: path.stat().st_size for path in weight_files(directory)},
        parameters=parameters,
        dtypes=dtypes,
        tokenizer=describe_words(directory),
        entities=describe_entities(directory),
    )


def _counts(
    tensors: Mapping[str, Tensor], config: EncoderConfig
) -> tuple[dict[str, int], dict[str, int]]:
    """Numbers by part of the model, and by dtype."""
    parts = dict.fromkeys(dict.fromkeys(_PARTS.values()), 0)
    parts |= {"unused queries": 0, "head's own": 0}
    dtypes: dict[str, int] = {}
    for name, tensor in renamed(tensors, PREFIX).items():
        query = any(f".{query}." in name for query in EXTRA_QUERIES)
        if query and not config.use_entity_aware_attention:
            part = "unused queries"
        else:
            part = next(
                (part for start, part in _PARTS.items() if name.startswith(start)), "head's own"
            )
        parts[part] += tensor.numel()
        dtype = str(tensor.dtype).removeprefix("torch.")
        dtypes[dtype] = dtypes.get(dtype, 0) + tensor.numel()
    return {part: number for part, number in parts.items() if number}, dtypes


def describe_words(directory: Path) -> JSON:
    """The word side of a directory's tokenizer: ``files``, ``style``, and ids or an ``error``."""
    files = [name for name in TOKENIZER_FILES if (directory / name).is_file()]
    if not files:
        return {"files": files, "error": "no tokenizer here"}
    style = tokenizer_style(directory)
    try:
        words = WordTokenizer.from_directory(directory)
    except ExonymError as error:
        return {"files": files, "style": style, "error": str(error)}
    return {
        "files": files,
        "style": style,
        "ids": len(words),
        "mask": words.mask_id,
        "added": {
            token: identifier
            for token, identifier in words.added.ids.items()
            if identifier > words.mask_id
        },
        "markers": list(words.added.markers),
    }


def tokenizer_style(directory: Path) -> str:
    """How a directory lists its added tokens: ``"2021"``, ``"4.57"`` or `TRANSFORMERS_5`."""
    config = _read_object(directory / TOKENIZER_CONFIG_FILE)
    if "added_tokens_decoder" in config:
        return "4.57"
    if "backend" in config or isinstance(config.get("extra_special_tokens"), list):
        return TRANSFORMERS_5
    return "2021"


def _read_object(path: Path) -> dict[str, Any]:
    try:
        value = read_json(path)
    except ExonymError:  # missing, or damaged, which its reader says
        return {}
    return value if isinstance(value, dict) else {}


def describe_entities(directory: Path) -> JSON:
    """The entity vocabulary of a directory: rows, languages, special rows; or an ``error``."""
    files = [name for name in (ENTITY_DIRECTORY, ENTITY_FILE) if (directory / name).exists()]
    if not files:
        return {"files": files, "error": "no entity vocabulary here"}
    try:
        vocabulary = EntityVocabulary.from_pretrained(directory)
    except ExonymError as error:
        return {"files": files, "error": str(error)}
    return {
        "files": files,
        "rows": len(vocabulary),
        "lite": len(vocabulary) <= _MOST_LITE and not vocabulary.languages,
        "languages": list(vocabulary.languages),
        "special_rows": dict(
            zip(("[PAD]", "[UNK]", "[MASK]", "[MASK2]"), vocabulary.special_rows, strict=True)
        ),
    }


def _word_lines(tokenizer: JSON, config: EncoderConfig) -> list[tuple[str, str]]:
    rows = ("table", f"{config.vocab_size:,} rows, {config.hidden_size} wide")
    if not tokenizer["files"]:
        return [rows, ("tokenizer", tokenizer["error"])]
    kinds = [name for name in (SENTENCEPIECE_FILE, TOKENIZER_FILE) if name in tokenizer["files"]]
    style = {
        "2021": f"of 2021 ({SPECIAL_TOKENS_FILE}, {ADDED_TOKENS_FILE})",
        "4.57": "of transformers 4.34 to 4.57 (added_tokens_decoder)",
    }.get(tokenizer["style"], f"of {tokenizer['style']}")
    lines = [rows, ("tokenizer", ", ".join(kinds) or "none"), ("style", style)]
    if "error" in tokenizer:
        return [*lines, ("cannot be read", tokenizer["error"])]
    added = ", ".join(f"{token} {identifier}" for token, identifier in tokenizer["added"].items())
    return [*lines, ("ids", f"{tokenizer['ids']:,}; <mask> {tokenizer['mask']}, {added}")]


def _entity_lines(entities: JSON, config: EncoderConfig) -> list[tuple[str, str]]:
    rows = ("table", f"{config.entity_vocab_size:,} rows, {config.entity_emb_size} wide")
    if "error" in entities:
        return [rows, ("vocabulary", entities["error"])]
    kind = "lite (special entities only)" if entities["lite"] else "full"
    special = ", ".join(f"{name} {row}" for name, row in entities["special_rows"].items())
    lines = [
        rows,
        ("vocabulary", f"{kind}, {entities['rows']:,} rows ({', '.join(entities['files'])})"),
        ("special rows", special),
    ]
    if entities["languages"]:
        languages = entities["languages"]
        lines.append(("languages", f"{len(languages)}: {' '.join(languages)}"))
    return lines


def _some(names: Sequence[str], most: int = 12) -> str:
    shown = ", ".join(names[:most])
    return shown if len(names) <= most else f"{shown}, …"


def _text(value: object) -> str | None:
    return value if isinstance(value, str) else None
