"""The layers of the encoder, on a packed matrix of rows (`exonym.modeling.packing`).

Module names follow LUKE's released checkpoints, so that a state dict is a checkpoint.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from exonym.modeling.attention import attend
from exonym.modeling.config import EncoderConfig
from exonym.modeling.dropout import dropout_add
from exonym.modeling.feed_forward import feed_forward
from exonym.modeling.packing import Bucket, Group
from exonym.modeling.prepared import PreparedLinear, can_prepare, forget, prepared


class SelfAttention(nn.Module):
    """Attention of all rows of an item to all rows of it.

    With entity-aware attention (LUKE, section 3.2) the query depends on whether the row and the
    column are a word or an entity; keys and values are shared.
    """

    def __init__(self, config: EncoderConfig) -> None:
        super().__init__()
        hidden = config.hidden_size
        self.heads, self.dropout = config.num_attention_heads, config.attention_probs_dropout_prob
        self.entity_aware = config.use_entity_aware_attention
        self.query = nn.Linear(hidden, hidden)
        self.key = nn.Linear(hidden, hidden)
        self.value = nn.Linear(hidden, hidden)
        if self.entity_aware:
            self.w2e_query = nn.Linear(hidden, hidden)
            self.e2w_query = nn.Linear(hidden, hidden)
            self.e2e_query = nn.Linear(hidden, hidden)

    def forward(self, states: Tensor, group: Group) -> Tensor:
        """(rows, hidden) of a group to the same of mixed values."""
        if self.entity_aware and group.entity_rows is not None:
            rows = states.index_select(0, group.entity_rows)
            return self.mix(
                (
                    self.query(states).index_copy(0, group.entity_rows, self.e2w_query(rows)),
                    self.w2e_query(states).index_copy(0, group.entity_rows, self.e2e_query(rows)),
                    self.key(states),
                    self.value(states),
                ),
                group,
            )
        return self.mix((self.query(states), self.key(states), self.value(states)), group)

    def linear(self) -> tuple[nn.Linear, ...]:
        """All products, in a fixed order."""
        aware = (self.w2e_query, self.e2w_query, self.e2e_query) if self.entity_aware else ()
        return (self.query, self.key, self.value, *aware)

    def mix(self, features: Sequence[Tensor], group: Group) -> Tensor:
        """Attention in each bucket.

        Args:
            features: queries, keys, values, each (rows, hidden); or four when attention is
                entity-aware: queries towards words, queries towards entities, keys, values.
            group: the rows' items.

        Returns:
            (rows, hidden).
        """
        rows, buckets = features[0].shape[0], group.buckets
        if buckets[0].rows == slice(None):
            return self._attend(features, buckets[0], group.is_entity)
        sizes = [bucket.rows.stop - bucket.rows.start for bucket in buckets]
        left = rows - sum(sizes)  # rows behind the items, which fill the matrix up
        if len(sizes) == 1 and not left:
            return self._attend(features, buckets[0], group.is_entity)
        # Taken apart in one go: gradients of slices would be whole matrices of zeros, added up.
        parts = zip(*(torch.split(part, [*sizes, left]) for part in features), strict=True)
        mixed = [
            self._attend(part, bucket, group.is_entity)
            for bucket, part in zip(buckets, parts, strict=False)
        ]
        if left:
            mixed.append(mixed[0].new_zeros(left, mixed[0].shape[1]))
        return torch.cat(mixed)

    def _attend(
        self, features: Sequence[Tensor], bucket: Bucket, is_entity: Tensor | None
    ) -> Tensor:
        """The rows of one bucket, in each feature, to its (rows, hidden) of mixed values."""
        query, *towards_entities, key, value = [self._block(part, bucket) for part in features]
        width, dropout = value.shape[-1], self.dropout if self.training else 0.0
        if towards_entities and is_entity is not None:
            columns = is_entity[bucket.rows]
            if bucket.spread is not None:
                columns = columns.index_select(0, bucket.spread)
            columns = columns.view(bucket.items, 1, bucket.length, 1)
            query, key, value = _wide(query, towards_entities[0], key, value, columns)
        mixed = _mixed(query, key, value, bucket.mask, width**-0.5, dropout)
        mixed = mixed[..., :width].transpose(1, 2).flatten(-2).flatten(0, 1)
        return mixed if bucket.real is None else mixed.index_select(0, bucket.real)

    def _block(self, feature: Tensor, bucket: Bucket) -> Tensor:
        """(rows of the bucket, hidden) to (items, heads, length, head)."""
        rows = feature if bucket.spread is None else feature.index_select(0, bucket.spread)
        return rows.view(bucket.items, bucket.length, self.heads, -1).transpose(1, 2)


def _mixed(
    query: Tensor, key: Tensor, value: Tensor, mask: Tensor | None, scale: float, dropout: float
) -> Tensor:
    """(items, heads, length, width) of each to the same of mixed values."""
    if query.device.type != "cpu" or torch.compiler.is_compiling():
        return F.scaled_dot_product_attention(
            query, key, value, attn_mask=mask, dropout_p=dropout, scale=scale
        )
    # Backward, the fused kernel is slow in bfloat16 on CPUs (benchmarks/cpu_attention.py), and it
    # has no dropout at all.
    half = query.dtype == torch.bfloat16 and (torch.is_grad_enabled() or dropout > 0)
    with torch.autocast("cpu", enabled=torch.is_autocast_enabled("cpu") and not half):
        if half:
            return _mixed(
                query.float(), key.float(), value.float(), mask, scale, dropout
            ).bfloat16()
        if dropout > 0:
            return attend(query, key, value, mask, scale, dropout)
        return F.scaled_dot_product_attention(query, key, value, attn_mask=mask, scale=scale)


def _wide(
    to_words: Tensor, to_entities: Tensor, key: Tensor, value: Tensor, is_entity: Tensor
) -> tuple[Tensor, Tensor, Tensor]:
    """Query, key and value of twice the width, for which plain attention is entity-aware.

    A key has its features in the first half at words, in the second at entities, and zeros in the
    other; so of the two queries side by side it meets the one that is meant for it.
    """
    halves = [key.masked_fill(is_entity, 0), key.masked_fill(~is_entity, 0)]
    wide = torch.cat([value, torch.zeros_like(value)], dim=-1)
    return torch.cat([to_words, to_entities], dim=-1), torch.cat(halves, dim=-1), wide


class Output(nn.Module):
    """Projection, dropout, residual, layer normalisation."""

    def __init__(self, config: EncoderConfig, width: int) -> None:
        super().__init__()
        self.dense = nn.Linear(width, config.hidden_size)
        self.LayerNorm = nn.LayerNorm(config.hidden_size, eps=config.layer_norm_eps)
        self.dropout = nn.Dropout(config.hidden_dropout_prob)

    def forward(self, states: Tensor, residual: Tensor) -> Tensor:
        """(rows, width) and (rows, hidden) to (rows, hidden)."""
        return self.finish(self.dense(states), residual)

    def finish(self, projected: Tensor, residual: Tensor) -> Tensor:
        """What comes behind the projection: (rows, hidden) of each to the same."""
        return self.norm(dropout_add(projected, residual, self.dropout.p, self.training))

    def norm(self, states: Tensor) -> Tensor:
        """(rows, hidden) to the same, normalised."""
        return self.LayerNorm(states)  # type: ignore[no-any-return]


class Layer(nn.Module):
    """Self-attention and feed-forward, each with its residual."""

    def __init__(self, config: EncoderConfig) -> None:
        super().__init__()
        hidden, inner = config.hidden_size, config.intermediate_size
        self.attention = nn.ModuleDict(
            {"self": SelfAttention(config), "output": Output(config, hidden)}
        )
        self.intermediate = nn.ModuleDict({"dense": nn.Linear(hidden, inner)})
        self.output = Output(config, inner)

    def forward(self, states: Tensor, group: Group) -> Tensor:
        """(rows, hidden) of a group to the same."""
        attention, after, dense, output = self.parts()
        if not self.training and can_prepare(states, attention.query.weight):
            linear = (*attention.linear(), after.dense, dense, output.dense)
            weights = prepared(self, linear, lambda: _Weights(self))
            mixed = attention.mix(weights.features(states, group), group)
            states = after.norm(weights.after.add(mixed, states))
            return output.norm(weights.output.add(weights.inner(states, gelu=True), states))
        states = after(attention(states, group), states)
        return output.finish(feed_forward(states, dense, output.dense), states)

    def parts(self) -> tuple[SelfAttention, Output, nn.Linear, Output]:
        """In the order in which they compute."""
        attention = cast(SelfAttention, self.attention["self"])
        after, dense = cast(Output, self.attention["output"]), self.intermediate["dense"]
        return attention, after, cast(nn.Linear, dense), self.output


class _Weights:
    """The weights of a layer, laid out for inference."""

    __slots__ = ("after", "features_of_all", "features_of_entities", "inner", "output")

    def __init__(self, layer: Layer) -> None:
        attention, after, dense, output = layer.parts()
        aware = attention.entity_aware
        queries = (attention.query, attention.w2e_query) if aware else (attention.query,)
        self.features_of_all = PreparedLinear(*queries, attention.key, attention.value)
        self.features_of_entities = (
            PreparedLinear(attention.e2w_query, attention.e2e_query) if aware else None
        )
        self.after = PreparedLinear(after.dense)
        self.inner = PreparedLinear(dense)
        self.output = PreparedLinear(output.dense)

    def features(self, states: Tensor, group: Group) -> Sequence[Tensor]:
        """What `SelfAttention.mix` takes."""
        if self.features_of_entities is None:
            return self.features_of_all(states).chunk(3, dim=-1)
        queries = self.features_of_all(states)
        to_words, to_entities, key, value = queries.chunk(4, dim=-1)
        if group.entity_rows is None:
            return to_words, key, value
        of_entities = self.features_of_entities(states.index_select(0, group.entity_rows))
        queries[group.entity_rows, : of_entities.shape[1]] = of_entities
        return to_words, to_entities, key, value


class Layers(nn.Module):
    """All layers, one after the other."""

    def __init__(self, config: EncoderConfig) -> None:
        super().__init__()
        self.layer = nn.ModuleList(Layer(config) for _ in range(config.num_hidden_layers))

    def forward(self, states: Tensor, groups: tuple[Group, ...]) -> Tensor:
        """The packed (rows, hidden) to the same."""
        if not groups:
            return states  # every row was padding
        parts = [states] if len(groups) == 1 else [states[group.rows] for group in groups]
        for layer in self.layer:  # all groups in one layer while its weights are in the cache
            parts = [layer(part, group) for part, group in zip(parts, groups, strict=True)]
        return parts[0] if len(parts) == 1 else torch.cat(parts)

    def train(self, mode: bool = True) -> Layers:
        """Also throws away what was laid out for inference, so that it is made anew."""
        for module in self.modules():
            forget(module)
        return super().train(mode)
