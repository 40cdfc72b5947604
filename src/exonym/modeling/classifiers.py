"""Heads that are trained for a task: classifiers of entities, spans, texts, words, and answers.

Each computes what transformers 4.57.6 computes with the class that `architecture` names, and reads
and writes its checkpoints. Losses are elsewhere.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import torch
from torch import Tensor, nn

from exonym.foundation.errors import ConfigError, FormatError, InputError
from exonym.modeling.checkpoint import CONFIG_FILE, find_checkpoint, read_config
from exonym.modeling.config import EncoderConfig
from exonym.modeling.encoder import EncoderOutput, EntityEncoder
from exonym.modeling.heads import EntityMaskedLM
from exonym.modeling.pretrained import Pretrained, PretrainedClassifier


@dataclass(frozen=True, slots=True)
class ClassifierOutput:
    """What a classifier returns.

    Args:
        logits: one for each label, (…, labels); what comes before is said by the class.
        last_hidden_state: (batch, words, hidden).
        entity_last_hidden_state: (batch, entities, hidden); None when no entities were given.
    """

    logits: Tensor
    last_hidden_state: Tensor
    entity_last_hidden_state: Tensor | None


@dataclass(frozen=True, slots=True)
class AnswerOutput:
    """What extractive question answering returns.

    Args:
        start_logits: (batch, words), of the answer's first word piece.
        end_logits: (batch, words), of its last.
        last_hidden_state: (batch, words, hidden).
        entity_last_hidden_state: (batch, entities, hidden); None when no entities were given.
    """

    start_logits: Tensor
    end_logits: Tensor
    last_hidden_state: Tensor
    entity_last_hidden_state: Tensor | None


class _Classifier(PretrainedClassifier):
    """Dropout and a linear layer over what a subclass takes from the encoder's states.

    Args:
        config: the shape; ``config.labels`` are the rows of the classifier.
    """

    states: ClassVar[int] = 1
    """How many states the classifier sees, one beside the other."""
    bias: ClassVar[bool] = True
    pooled: ClassVar[bool] = False
    """Whether it sees the pooler's output."""
    own_dropout: ClassVar[bool] = False
    """Whether ``config.classifier_dropout`` counts; LUKE's classifiers of entities ignore it."""

    def __init__(self, config: EncoderConfig) -> None:
        super().__init__(config)
        self.luke = EntityEncoder(config, pooler=self.pooled)
        own = config.classifier_dropout if self.own_dropout else None
        self.dropout = nn.Dropout(config.hidden_dropout_prob if own is None else own)
        width = self.states_seen(config) * config.hidden_size
        self.classifier = nn.Linear(width, config.num_labels, bias=self.bias)
        self.apply(self.initialise)

    @classmethod
    def states_seen(cls, config: EncoderConfig) -> int:  # noqa: ARG003 - subclasses need it
        """How many states the classifier of such a model sees."""
        return cls.states

    def _classified(self, features: Tensor, output: EncoderOutput) -> ClassifierOutput:
        """(…, states x hidden) to logits (…, labels)."""
        return ClassifierOutput(
            self.classifier(self.dropout(features)),
            output.last_hidden_state,
            output.entity_last_hidden_state,
        )


class EntityClassifier(_Classifier):
    """Labels for the first entity of each text, such as entity typing (LUKE, section 4.1)."""

    architecture = "LukeForEntityClassification"

    def forward(self, **batch: Tensor) -> ClassifierOutput:
        """Classify; the arguments are `EntityEncoder.forward`'s, the logits (batch, labels).

        Raises:
            InputError: no entities.
        """
        output: EncoderOutput = self.luke(**batch)
        return self._classified(_entities(output, 1)[:, 0], output)


class EntityPairClassifier(_Classifier):
    """Labels for the first two entities of each text: relations (LUKE, section 4.2).

    With ``exonym_variant`` ``"words"`` in ``config.json`` the input has no entities, and the
    classifier sees the words at the markers before the two mentions.
    """

    architecture = "LukeForEntityPairClassification"
    states, bias = 2, False

    def forward(
        self, *, marker_positions: Tensor | None = None, **batch: Tensor
    ) -> ClassifierOutput:
        """Classify; the logits are (batch, labels).

        Args:
            marker_positions: (batch, 2) the pieces before the first and the second mention; only
                for a model that sees words alone.
            batch: the arguments of `EntityEncoder.forward`.

        Raises:
            InputError: fewer than two entities; or a model that sees words alone was given
                entities, or no markers.
        """
        output: EncoderOutput = self.luke(**batch)
        if self.config.variant == "entities":
            return self._classified(_entities(output, 2)[:, :2].flatten(1), output)
        if marker_positions is None or output.entity_last_hidden_state is not None:
            raise InputError(
                "this model sees the words at two markers, and no entities",
                remedy="Give marker_positions; leave out entity_ids, entity_attention_mask and "
                "entity_position_ids",
            )
        words = output.last_hidden_state
        at = marker_positions.long()[:, :, None].expand(-1, -1, words.shape[-1])
        return self._classified(words.gather(1, at).flatten(1), output)


SPAN_FEATURE_FIELD = "exonym_span_feature"
"""The field of ``config.json`` that says which states `EntitySpanClassifier` sees."""
_SPAN_STATES = {"words+entity": 3, "entity": 1, "words": 2}


class EntitySpanClassifier(_Classifier):
    """Labels for spans of text: NER.

    What the classifier sees of a span is said by ``config.json``, in ``exonym_span_feature``:
    ``"words+entity"`` (where the field is missing), its first word, its last word and its entity
    [MASK], as the released code and transformers do; or ``"entity"``, the entity's state only, as
    the paper has it (section 4.3). With ``exonym_variant`` ``"words"`` it sees the first and the
    last word, and the input has no entities. transformers reads ``"words+entity"`` alone.
    """

    architecture = "LukeForEntitySpanClassification"

    @classmethod
    def states_seen(cls, config: EncoderConfig) -> int:
        """Three, one or two.

        Raises:
            ConfigError: ``exonym_span_feature`` says something else.
        """
        return _SPAN_STATES[cls.feature_of(config)]

    @staticmethod
    def feature_of(config: EncoderConfig) -> str:
        """What the classifier sees: ``"words+entity"``, ``"entity"`` or ``"words"``.

        Raises:
            ConfigError: ``exonym_span_feature`` says something else.
        """
        if config.variant == "words":
            return "words"
        feature = config.other.get(SPAN_FEATURE_FIELD, "words+entity")
        if feature not in ("words+entity", "entity"):
            raise ConfigError(
                f"{SPAN_FEATURE_FIELD} must be 'words+entity' or 'entity', got {feature!r}"
            )
        return str(feature)

    def forward(
        self, *, entity_start_positions: Tensor, entity_end_positions: Tensor, **batch: Tensor
    ) -> ClassifierOutput:
        """Classify; the logits are (batch, spans, labels).

        Args:
            entity_start_positions: (batch, spans) the first piece of each span.
            entity_end_positions: (batch, spans) the last piece of each span.
            batch: the arguments of `EntityEncoder.forward`; every span is an entity, unless the
                model sees words alone.

        Raises:
            InputError: no entities, or not as many positions as entities; or entities although the
                model sees words alone.
        """
        output: EncoderOutput = self.luke(**batch)
        feature = self.feature_of(self.config)
        parts = []
        if feature != "words":
            parts.append(_entities(output, 1))
        elif output.entity_last_hidden_state is not None:
            raise InputError(
                "this model sees words alone, and was given entities",
                remedy="Leave out entity_ids, entity_attention_mask and entity_position_ids",
            )
        expected = parts[0].shape[:2] if parts else entity_start_positions.shape
        ends = []
        for name, positions in (
            ("entity_start_positions", entity_start_positions),
            ("entity_end_positions", entity_end_positions),
        ):
            if positions.shape != expected:
                raise InputError(
                    f"{name} has shape {tuple(positions.shape)}, the entities {tuple(expected)}"
                )
            ends.append(positions.long())
        if feature == "entity":
            return self._classified(parts[0], output)
        words = output.last_hidden_state
        ends = [words.gather(1, at[:, :, None].expand(-1, -1, words.shape[-1])) for at in ends]
        return self._classified(torch.cat([*ends, *parts], dim=-1), output)


class SequenceClassifier(_Classifier):
    """Labels for each text, from the pooler."""

    architecture = "LukeForSequenceClassification"
    pooled, own_dropout = True, True

    def forward(self, **batch: Tensor) -> ClassifierOutput:
        """Classify; the arguments are `EntityEncoder.forward`'s, the logits (batch, labels)."""
        output: EncoderOutput = self.luke(**batch)
        assert output.pooler_output is not None, "the encoder was made with a pooler"
        return self._classified(output.pooler_output, output)


class TokenClassifier(_Classifier):
    """Labels for every word piece."""

    architecture = "LukeForTokenClassification"
    layout_has_pooler = False
    own_dropout = True

    def forward(self, **batch: Tensor) -> ClassifierOutput:
        """Classify; the arguments are `EntityEncoder.forward`'s.

        The logits are (batch, words, labels).
        """
        output: EncoderOutput = self.luke(**batch)
        return self._classified(output.last_hidden_state, output)


class QuestionAnswering(PretrainedClassifier):
    """The first and last word piece of an answer in the text (LUKE, section 4.5).

    Args:
        config: the shape; it has two labels, for start and end.

    Raises:
        ConfigError: another number of labels.
    """

    architecture = "LukeForQuestionAnswering"
    layout_has_pooler = False
    head = "qa_outputs"

    def __init__(self, config: EncoderConfig) -> None:
        super().__init__(config)
        if config.num_labels != 2:
            raise ConfigError(
                f"question answering has 2 labels, start and end, got {config.num_labels}",
                remedy='Pass labels=("start", "end")',
            )
        self.luke = EntityEncoder(config)
        self.qa_outputs = nn.Linear(config.hidden_size, 2)
        self.apply(self.initialise)

    def forward(self, **batch: Tensor) -> AnswerOutput:
        """Find answers; the arguments are `EntityEncoder.forward`'s."""
        output: EncoderOutput = self.luke(**batch)
        starts, ends = self.qa_outputs(output.last_hidden_state).unbind(dim=-1)
        return AnswerOutput(starts, ends, output.last_hidden_state, output.entity_last_hidden_state)


def _entities(output: EncoderOutput, least: int) -> Tensor:
    states = output.entity_last_hidden_state
    count = 0 if states is None else states.shape[1]
    if states is None or count < least:
        raise InputError(
            f"the batch has {count} entities per text, this head needs at least {least}",
            remedy="Give every text its mentions (entity_ids, entity_attention_mask, "
            "entity_position_ids)",
        )
    return states


ARCHITECTURES: dict[str, type[Pretrained]] = {
    model.architecture: model
    for model in (
        EntityEncoder,
        EntityMaskedLM,
        EntityClassifier,
        EntityPairClassifier,
        EntitySpanClassifier,
        SequenceClassifier,
        TokenClassifier,
        QuestionAnswering,
    )
}
"""The class for each name in ``architectures`` of a ``config.json``."""


def load_model(
    dir_or_id: str | Path,
    *,
    revision: str | None = None,
    local_files_only: bool = False,
    dtype: torch.dtype | str = torch.float32,
) -> Pretrained:
    """Read a LUKE checkpoint as the model that its ``config.json`` names.

    The arguments and errors are those of `Pretrained.from_pretrained`.

    Raises:
        FormatError: ``architectures`` names no model that Exonym has.
    """
    directory = find_checkpoint(dir_or_id, revision=revision, local_files_only=local_files_only)
    named = read_config(directory).get("architectures")
    known = [name for name in named if name in ARCHITECTURES] if isinstance(named, list) else []
    if not known:
        raise FormatError(
            f"architectures is {named!r}; known are {', '.join(ARCHITECTURES)}",
            where=directory / CONFIG_FILE,
            remedy="Load it with the class of the head that you need, such as "
            "EntityEncoder.from_pretrained",
        )
    return ARCHITECTURES[known[0]].from_pretrained(directory, dtype=dtype)
