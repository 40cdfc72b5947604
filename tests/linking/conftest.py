"""A small world to link to, and a model of it that has not been trained."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import linking_world
import pytest

from exonym.knowledge import EntityVocabulary, KnowledgeBase
from exonym.linking import Linker, LinkingOptions
from exonym.tokenization import EntityTokenizer, WordTokenizer

if TYPE_CHECKING:
    from exonym.linking.disambiguation.model import LinkingModel


@pytest.fixture(scope="session")
def world(tmp_path_factory: pytest.TempPathFactory) -> KnowledgeBase:
    """The knowledge base of `linking_world`."""
    return linking_world.build(tmp_path_factory.mktemp("linking"))


@pytest.fixture(scope="session")
def linker(world: KnowledgeBase) -> Linker:
    """Links by the prior, with the options as they come."""
    return Linker.open(world)


@pytest.fixture(scope="session")
def keep_all(world: KnowledgeBase) -> Linker:
    """Links every name, overlapping ones too, however seldom it is a link."""
    return Linker.open(world, options=LinkingOptions(cover="all", min_link_probability=0.0))


@pytest.fixture(scope="session")
def linking_model(
    tiny_tokenizer_directory: Path, tmp_path_factory: pytest.TempPathFactory
) -> LinkingModel:
    """An untrained model with large weights; it knows all of the world but one entity."""
    import torch

    from exonym.knowledge.vocabulary import SPECIAL_ENTITIES, VocabularyRow
    from exonym.linking.disambiguation.model import LinkingModel
    from exonym.modeling import EntityMaskedLM
    from tiny_models import tiny_config

    path = tmp_path_factory.mktemp("linking-model") / "entities"
    known = [key for key in linking_world.TITLES if key != linking_world.MAY]
    # The state is known by a title alone, as in the released vocabularies.
    names = ["de:Georgia" if key == linking_world.STATE else key for key in known]
    EntityVocabulary.write(path, [VocabularyRow(n, {}, 0) for n in (*SPECIAL_ENTITIES, *names)])
    words = WordTokenizer.from_directory(tiny_tokenizer_directory)
    tokenizer = EntityTokenizer(words, EntityVocabulary.open(path))
    torch.manual_seed(0)
    config = tiny_config(
        len(words), len(tokenizer.entities), max_position_embeddings=66, initializer_range=0.5
    )
    return LinkingModel(EntityMaskedLM(config).eval(), tokenizer)
