"""`EncoderConfig`: the fields of a LUKE ``config.json``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any, Literal

from exonym.foundation.errors import ConfigError, FormatError
from exonym.foundation.files import JSON

TWO_LABELS = ("LABEL_0", "LABEL_1")
"""The labels of a configuration that names none, as transformers calls them."""

# What transformers' LukeConfig takes where a config.json leaves a field out. It writes all of them
# itself; a file without one was written by hand, and is read as transformers would read it. The
# defaults of new models (below) are mLUKE's instead.
_ABSENT: dict[str, Any] = {
    "max_position_embeddings": 512,
    "type_vocab_size": 2,
    "layer_norm_eps": 1e-12,
    "use_entity_aware_attention": True,
}
# Fields of config.json that `EncoderConfig` has in another form, or that saving decides.
_TRANSLATED = ("id2label", "num_labels", "architectures", "model_type", "dtype", "torch_dtype")

Variant = Literal["entities", "words"]
VARIANT_FIELD = "exonym_variant"
"""The field of ``config.json`` that says whether a head sees entities, or words alone (mLUKE-W)."""


@dataclass(frozen=True, slots=True)
class EncoderConfig:
    """The shape of an encoder and its head; names are those of LUKE's ``config.json``.

    Args:
        vocab_size: word ids.
        entity_vocab_size: entity rows.
        hidden_size: width of the encoder.
        entity_emb_size: width of the entity table, projected to ``hidden_size`` when it differs.
        num_hidden_layers: layers.
        num_attention_heads: heads; must divide ``hidden_size``.
        intermediate_size: width of the feed-forward layers.
        hidden_dropout_prob: dropout behind embeddings, attention and feed-forward.
        attention_probs_dropout_prob: dropout on attention weights.
        max_position_embeddings: positions; XLM-R counts from ``pad_token_id + 1``, so that two
            fewer can be used.
        type_vocab_size: token types (XLM-R has one).
        initializer_range: standard deviation of new weights.
        layer_norm_eps: epsilon of layer normalisation.
        pad_token_id: the word id of padding.
        use_entity_aware_attention: queries of their own for each of word-to-entity, entity-to-word
            and entity-to-entity attention (LUKE, section 3.2); mLUKE has one query for all.
        classifier_dropout: dropout before the classifier of sequences and tokens; None takes
            ``hidden_dropout_prob``.
        labels: the names of a classifier's rows, in their order (``id2label`` in the file).
        problem_type: which loss a sequence classifier is trained with, as transformers names it:
            ``"single_label_classification"``, ``"multi_label_classification"``, ``"regression"``;
            None if it was not said.
        entity_position_pooling: how a mention's position embeddings become one: the released
            checkpoints take the mean, the paper says the sum.
        other: fields of a ``config.json`` that shape nothing here; written back as they were.
    """

    vocab_size: int
    entity_vocab_size: int
    hidden_size: int = 768
    entity_emb_size: int = 256
    num_hidden_layers: int = 12
    num_attention_heads: int = 12
    intermediate_size: int = 3072
    hidden_dropout_prob: float = 0.1
    attention_probs_dropout_prob: float = 0.1
    max_position_embeddings: int = 514
    type_vocab_size: int = 1
    initializer_range: float = 0.02
    layer_norm_eps: float = 1e-5
    pad_token_id: int = 1
    use_entity_aware_attention: bool = False
    classifier_dropout: float | None = None
    labels: tuple[str, ...] = TWO_LABELS
    problem_type: str | None = None
    entity_position_pooling: Literal["mean", "sum"] = "mean"
    other: Mapping[str, Any] = field(default_factory=dict, compare=False)

    def __post_init__(self) -> None:
        for name in (
            "vocab_size",
            "entity_vocab_size",
            "hidden_size",
            "entity_emb_size",
            "num_hidden_layers",
            "num_attention_heads",
            "intermediate_size",
            "max_position_embeddings",
            "type_vocab_size",
        ):
            value = getattr(self, name)
            if type(value) is not int or value < 1:
                raise ConfigError(f"{name} must be a whole number of at least 1, got {value!r}")
        self._check_kinds()
        if self.max_words < 1:
            raise ConfigError(
                f"max_position_embeddings={self.max_position_embeddings} leaves no position "
                f"behind pad_token_id={self.pad_token_id}"
            )
        if self.hidden_size % self.num_attention_heads:
            raise ConfigError(
                f"hidden_size={self.hidden_size} is not divisible by "
                f"num_attention_heads={self.num_attention_heads}"
            )

    def _check_kinds(self) -> None:
        if type(self.pad_token_id) is not int or not 0 <= self.pad_token_id < self.vocab_size:
            raise ConfigError(
                f"pad_token_id must be a word id below {self.vocab_size}, got {self.pad_token_id!r}"
            )
        dropout = self.classifier_dropout
        for name, value, most in (
            ("hidden_dropout_prob", self.hidden_dropout_prob, 1.0),
            ("attention_probs_dropout_prob", self.attention_probs_dropout_prob, 1.0),
            ("classifier_dropout", 0.0 if dropout is None else dropout, 1.0),
            ("initializer_range", self.initializer_range, float("inf")),
            ("layer_norm_eps", self.layer_norm_eps, float("inf")),
        ):
            if type(value) not in (int, float) or not 0 <= value <= most:
                raise ConfigError(f"{name} must be a number from 0 to {most:g}, got {value!r}")
        if type(self.use_entity_aware_attention) is not bool:
            raise ConfigError(
                f"use_entity_aware_attention must be true or false, "
                f"got {self.use_entity_aware_attention!r}"
            )
        if self.entity_position_pooling not in ("mean", "sum"):
            raise ConfigError(
                f"entity_position_pooling must be 'mean' or 'sum', "
                f"got {self.entity_position_pooling!r}"
            )

    @property
    def max_words(self) -> int:
        """Most pieces of an input, ``<s>`` and ``</s>`` included."""
        return self.max_position_embeddings - self.pad_token_id - 1

    @property
    def variant(self) -> Variant:
        """Whether the head sees entities (the default), or words alone: ``exonym_variant``.

        Raises:
            ConfigError: the field says something else.
        """
        value = self.other.get(VARIANT_FIELD, "entities")
        if value not in ("entities", "words"):
            raise ConfigError(f"{VARIANT_FIELD} must be 'entities' or 'words', got {value!r}")
        return "words" if value == "words" else "entities"

    @property
    def num_labels(self) -> int:
        """Rows of the classifier."""
        return len(self.labels)

    @property
    def id2label(self) -> dict[int, str]:
        """The name of each row of the classifier."""
        return dict(enumerate(self.labels))

    @property
    def label2id(self) -> dict[str, int]:
        """The row of each label; of two rows with one name, the last."""
        return {label: row for row, label in enumerate(self.labels)}

    def parameter_bytes(self) -> int:
        """Bytes of all parameters in float32."""
        hidden, inner = self.hidden_size, self.intermediate_size
        words = (self.vocab_size + self.max_position_embeddings) * hidden + self.vocab_size
        entities = self.entity_vocab_size * (self.entity_emb_size + 1)
        entities += self.max_position_embeddings * hidden + 2 * hidden * self.entity_emb_size
        projections = 7 if self.use_entity_aware_attention else 4
        layer = projections * hidden * hidden + 2 * hidden * inner
        return 4 * (words + entities + hidden * hidden + self.num_hidden_layers * layer)

    def to_json(self) -> JSON:
        """The content of ``config.json``; saving a model adds its architecture and dtype."""
        own = {f.name: getattr(self, f.name) for f in fields(self)}
        del own["other"], own["labels"]
        defaults = {"hidden_act": "gelu", "bos_token_id": 0, "eos_token_id": 2}
        value = {"model_type": "luke", **defaults, **self.other, **own}
        if self.labels != TWO_LABELS:  # transformers leaves its default out as well
            value["id2label"] = {str(row): label for row, label in self.id2label.items()}
            given = self.other.get("label2id")
            fits = isinstance(given, Mapping) and set(given) == set(self.labels)
            value["label2id"] = given if fits else self.label2id
        else:
            value.pop("label2id", None)
        return value

    @classmethod
    def from_json(cls, value: JSON) -> EncoderConfig:
        """Read the content of a ``config.json``; fields that shape nothing here are kept.

        Raises:
            FormatError: another model type, a needed field is missing, or the checkpoint uses
                something this encoder does not have.
            ConfigError: a field has an impossible value.
        """
        if value.get("model_type") != "luke":
            raise FormatError(
                f"expected model_type 'luke', found {value.get('model_type')!r}",
                remedy="LUKE and mLUKE checkpoints can be loaded; XLM-R can be the backbone of a "
                "new model (EntityMaskedLM.from_backbone)",
            )
        if value.get("hidden_act", "gelu") != "gelu":
            raise FormatError(f"hidden_act {value['hidden_act']!r} is not supported, only 'gelu'")
        names = {f.name for f in fields(cls)} - {"other", "labels"}
        known: dict[str, Any] = {**_ABSENT, **{n: value[n] for n in names if n in value}}
        missing = [name for name in ("vocab_size", "entity_vocab_size") if name not in known]
        if missing:
            raise FormatError(f"the field {missing[0]!r} is missing")
        other = {n: v for n, v in value.items() if n not in names and n not in _TRANSLATED}
        return cls(**known, labels=_labels(value), other=other)


def _labels(value: JSON) -> tuple[str, ...]:
    named = value.get("id2label")
    if named is None:
        count = value.get("num_labels", len(TWO_LABELS))
        if type(count) is not int or count < 1:
            raise ConfigError(f"num_labels must be a whole number of at least 1, got {count!r}")
        return tuple(f"LABEL_{row}" for row in range(count))
    if not isinstance(named, dict) or not all(isinstance(label, str) for label in named.values()):
        raise ConfigError("id2label must give a name for each row of the classifier")
    rows = {str(row) for row in range(len(named))}
    if set(named) != rows:
        wrong = sorted(set(named) ^ rows)[0]
        raise ConfigError(
            f"id2label must name the rows 0 to {len(named) - 1} and no other, see {wrong!r}"
        )
    return tuple(named[str(row)] for row in range(len(named)))
