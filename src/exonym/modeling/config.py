"""`EncoderConfig`: the fields of a LUKE ``config.json``."""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields
from typing import Any, Literal

from exonym.foundation.errors import ConfigError, FormatError
from exonym.foundation.files import JSON


@dataclass(frozen=True, slots=True)
class EncoderConfig:
    """The shape of an encoder; names and defaults are those of LUKE's ``config.json``.

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
        entity_position_pooling: how a mention's position embeddings become one: the released
            checkpoints take the mean, the paper says the sum.
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
    entity_position_pooling: Literal["mean", "sum"] = "mean"

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
            if not isinstance(value, int) or value < 1:
                raise ConfigError(f"{name} must be a whole number of at least 1, got {value!r}")
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

    @property
    def max_words(self) -> int:
        """Most pieces of an input, ``<s>`` and ``</s>`` included."""
        return self.max_position_embeddings - self.pad_token_id - 1

    def parameter_bytes(self) -> int:
        """Bytes of all parameters in float32."""
        hidden, inner = self.hidden_size, self.intermediate_size
        words = (self.vocab_size + self.max_position_embeddings) * hidden + self.vocab_size
        entities = self.entity_vocab_size * (self.entity_emb_size + 1)
        entities += self.max_position_embeddings * hidden + 2 * hidden * self.entity_emb_size
        layer = 4 * hidden * hidden + 2 * hidden * inner
        return 4 * (words + entities + hidden * hidden + self.num_hidden_layers * layer)

    def to_json(self) -> JSON:
        """The content of ``config.json``."""
        return {
            "architectures": ["LukeForMaskedLM"],
            "model_type": "luke",
            "hidden_act": "gelu",
            "use_entity_aware_attention": False,
            "bos_token_id": 0,
            "eos_token_id": 2,
            **asdict(self),
        }

    @classmethod
    def from_json(cls, value: JSON) -> EncoderConfig:
        """Read the content of a ``config.json``; fields that shape nothing here are passed over.

        Raises:
            FormatError: another model type, a needed field is missing, or the checkpoint uses
                something this encoder does not have.
        """
        if value.get("model_type") != "luke":
            raise FormatError(f"expected model_type 'luke', found {value.get('model_type')!r}")
        if value.get("hidden_act", "gelu") != "gelu":
            raise FormatError(f"hidden_act {value['hidden_act']!r} is not supported, only 'gelu'")
        if value.get("use_entity_aware_attention", False):
            raise FormatError(
                "use_entity_aware_attention is true (monolingual LUKE); mLUKE's attention is plain"
            )
        known: dict[str, Any] = {f.name: value[f.name] for f in fields(cls) if f.name in value}
        missing = [name for name in ("vocab_size", "entity_vocab_size") if name not in known]
        if missing:
            raise FormatError(f"the field {missing[0]!r} is missing")
        return cls(**known)
