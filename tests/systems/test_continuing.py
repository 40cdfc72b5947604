"""Going on with a model in a larger world: what it could do is measured before and after."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
import torch

from exonym.atlas import write_atlas
from exonym.corpus import Corpus, CorpusOptions, LanguageSampling, Masking, build_corpus
from exonym.corpus.data import PretrainingData
from exonym.foundation.errors import ConfigError
from exonym.knowledge import EntityVocabulary, build_knowledge_base
from exonym.modeling import EntityMaskedLM
from exonym.systems import mluke
from exonym.tasks import cloze
from exonym.training import ModelShape, Recipe, Stage, pretrain
from exonym.training.initial import initial_model
from exonym.training.model import PretrainingModel, tensors
from exonym.training.run_folder import read_metrics

TABLE = Path(__file__).resolve().parents[1] / "data" / "tiny_table.jsonl"
TABLE_NAME = "luke.entity_embeddings.entity_embeddings.weight"
SHAPE = ModelShape(
    hidden_size=24, entity_emb_size=12, num_hidden_layers=1, num_attention_heads=2,
    intermediate_size=32, max_position_embeddings=48, initializer_range=0.06,
    entity_position_init="words",
)  # fmt: skip
RECIPE = Recipe(
    name="tiny",
    stages=(Stage("all", 30, 1e-2, 3),),
    model=SHAPE,
    batch_sequences=8,
    checkpoint_seconds=0,
)


@dataclass(frozen=True)
class Worlds:
    """The old world and its model, the new one and the model that went on there."""

    path: Path
    recipe: Recipe

    @property
    def questions(self) -> cloze.ClozeSet:
        return cloze.load_questions(self.path / "old" / "dumps" / "cloze")

    @property
    def old(self) -> Path:
        return self.path / "old" / "run" / "model"

    @property
    def new(self) -> Path:
        return self.path / "new" / "run" / "model"


def told(folder: Path, entities: int, languages: Sequence[str], options: CorpusOptions) -> None:
    """Write a world and build its corpus."""
    write_atlas(folder / "dumps", table=TABLE, entities=entities, languages=languages, seed=3)
    build_knowledge_base([folder / "dumps"], folder / "kb")
    build_corpus(folder / "kb", folder / "corpus", options)


@pytest.fixture(scope="module")
def worlds(tmp_path_factory: pytest.TempPathFactory) -> Worlds:
    path = tmp_path_factory.mktemp("worlds")
    options = CorpusOptions(vocabulary_size=500, min_languages=1, max_words=40, max_sentences=1)
    told(path / "old", 30, ["en", "de"], options)
    pretrain(path / "old" / "corpus", path / "old" / "run", RECIPE)
    old = path / "old" / "run" / "model"
    larger = replace(options, tokenizer=old, entities=old, add_entities=1000)
    told(path / "new", 72, ["en", "de", "ja"], larger)
    recipe = replace(RECIPE, model=replace(SHAPE, checkpoint=old))
    pretrain(path / "new" / "corpus", path / "new" / "run", recipe)
    return Worlds(path, recipe)


def held_out_nats(corpus: Path, model: EntityMaskedLM) -> dict[str, float]:
    """The mean loss of each objective on sequences of a corpus."""
    opened = Corpus.open(corpus)
    data = PretrainingData(
        opened, opened.tokenizer(), masking=Masking(), sampling=LanguageSampling(),
        batch_sequences=16, seed=5,
    )  # fmt: skip
    measured = PretrainingModel(model.eval(), bfloat16=False)
    sums, targets = {"words": 0.0, "entities": 0.0}, {"words": 0, "entities": 0}
    for step in range(4):
        (batch,) = data.share(step).batches
        inputs = tensors(batch, ("words", "entities"), torch.device("cpu"))
        with torch.no_grad():
            _, predicted = measured(inputs, {"words": 1.0, "entities": 1.0})
        for name, of in predicted.items():
            sums[name] += float(of.nats.double().sum())
            targets[name] += int((inputs[f"{name}_targets"] >= 0).sum())
    return {name: sums[name] / targets[name] for name in sums}


def test_the_first_step_starts_from_the_old_model_to_the_bit(worlds: Worlds) -> None:
    corpus = Corpus.open(worlds.path / "new" / "corpus")
    start = initial_model(corpus, corpus.tokenizer(), worlds.recipe).state_dict()
    before = EntityMaskedLM.from_pretrained(worlds.old).state_dict()
    rows = len(before[TABLE_NAME])
    assert len(start[TABLE_NAME]) == len(corpus.tokenizer().entities) > rows
    for name, tensor in before.items():
        assert torch.equal(start[name][: len(tensor)], tensor), name


def test_old_questions_are_asked_before_and_after(worlds: Worlds) -> None:
    """The same questions, all of them, of both models; every candidate has its row in both."""
    kinds = {question.told for question in worlds.questions.questions}
    blocks = []
    for directory in (worlds.old, worlds.new):
        model = cloze.load(directory)
        rows = mluke.compare(worlds.questions, model, None, kinds)
        blocks.append(mluke.accuracy_block(rows))
        best = next(row for row in rows if row.name == "mluke_e_xy")
        assert best.answers is not None
        assert all(math.isfinite(answer.score) for answer in best.answers)
    before, after = blocks
    assert before.keys() == after.keys() >= {"mluke_w", "mluke_e_y", "mluke_e_xy"}
    for name in before:
        assert before[name]["questions"] == after[name]["questions"] > 20
        assert before[name]["by_language"].keys() == {"en", "de"}
    assert before["chance"] == after["chance"]
    old, new = (EntityVocabulary.from_pretrained(each) for each in (worlds.old, worlds.new))
    assert all(new.row(old.key(row)) == row for row in range(len(old)))


def test_the_old_text_is_measured_before_at_the_start_and_after(worlds: Worlds) -> None:
    corpus = Corpus.open(worlds.path / "new" / "corpus")
    start = initial_model(corpus, corpus.tokenizer(), worlds.recipe)
    old_text, new_text = worlds.path / "old" / "corpus", corpus.path
    before = held_out_nats(old_text, EntityMaskedLM.from_pretrained(worlds.old))
    first = held_out_nats(old_text, start)
    after = held_out_nats(old_text, EntityMaskedLM.from_pretrained(worlds.new))
    assert first["words"] == before["words"]
    # More entities to choose from: never easier, and new rows do not drown the old ones.
    assert before["entities"] < first["entities"] < before["entities"] + math.log(4)
    assert all(math.isfinite(value) for value in after.values())
    learnt = held_out_nats(new_text, EntityMaskedLM.from_pretrained(worlds.new))
    assert learnt["entities"] < held_out_nats(new_text, start)["entities"]
    assert [r["stage"] for r in read_metrics(worlds.path / "new" / "run") if "stage" in r]


def test_a_corpus_of_its_own_vocabulary_is_refused(worlds: Worlds, tmp_path: Path) -> None:
    options = CorpusOptions(tokenizer=worlds.old, min_languages=1, max_words=40, max_sentences=1)
    build_corpus(worlds.path / "new" / "kb", tmp_path / "corpus", options)
    with pytest.raises(ConfigError, match=r"does not begin with.*--entities .* --add-entities"):
        pretrain(tmp_path / "corpus", tmp_path / "run", worlds.recipe)
    assert not (tmp_path / "run").exists()
