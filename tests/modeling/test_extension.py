"""A checkpoint with more entities: what was there is there, to the bit, and the rest is said."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from exonym.foundation.errors import ConfigError, FormatError, InputError
from exonym.knowledge import EntityVocabulary, VocabularyRow
from exonym.modeling import EntityEncoder, EntityMaskedLM
from exonym.modeling.extension import load_extended
from exonym.tokenization import EntityTokenizer, WordTokenizer, train_word_tokenizer
from tiny_models import tiny_config

OLD = [
    VocabularyRow("[PAD]", {}, 0),
    VocabularyRow("Q1", {"en": "Tokyo", "ja": "東京都"}, 5),
    VocabularyRow("[MASK]", {}, 0),
    VocabularyRow("[UNK]", {}, 0),
    VocabularyRow("Q2", {"en": "Berlin"}, 3),
    VocabularyRow("[MASK2]", {}, 0),
]
NEW = [
    VocabularyRow("Q3", {"en": "Paris", "fr": "Paris"}, 2),
    VocabularyRow("Q4", {}, 2),
    VocabularyRow("Q5", {"en": "Tokyo Berlin"}, 1),
]
TABLE = "luke.entity_embeddings.entity_embeddings.weight"
BIAS = "entity_predictions.bias"
WORDS = "luke.embeddings.word_embeddings.weight"
ROWS = len(OLD)


def random_model(words: int, **changes: object) -> EntityMaskedLM:
    shape = {"num_hidden_layers": 1, "intermediate_size": 16, "max_position_embeddings": 64}
    torch.manual_seed(0)
    model = EntityMaskedLM(tiny_config(words, ROWS, **{**shape, **changes}))
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.normal_(std=0.3)
    return model.eval()


@pytest.fixture
def checkpoint(tiny_tokenizer_directory: Path, tmp_path: Path) -> Path:
    directory = tmp_path / "checkpoint"
    words = WordTokenizer.from_directory(tiny_tokenizer_directory)
    random_model(len(words)).save_pretrained(directory)
    words.save(directory)
    EntityVocabulary.write(tmp_path / "old", OLD).save_pretrained(directory)
    return directory


@pytest.fixture
def tokenizer(tiny_tokenizer_directory: Path, tmp_path: Path) -> EntityTokenizer:
    """The corpus's: the same pieces, three entities more."""
    entities = EntityVocabulary.write(tmp_path / "new", [*OLD, *NEW])
    return EntityTokenizer(WordTokenizer.from_directory(tiny_tokenizer_directory), entities)


def state_of(model: EntityMaskedLM) -> dict[str, torch.Tensor]:
    return {name: tensor.detach() for name, tensor in model.state_dict().items()}


def test_every_tensor_of_the_checkpoint_is_there_to_the_bit(
    checkpoint: Path, tokenizer: EntityTokenizer
) -> None:
    before = load_file(checkpoint / "model.safetensors")
    model = load_extended(checkpoint, tokenizer, seed=0)
    after = state_of(model)
    assert {name for name in before if "pooler" not in name} == after.keys()
    for name, tensor in after.items():
        assert torch.equal(tensor[: len(before[name])], before[name]), name
        assert len(tensor) == len(before[name]) + (3 if name in (TABLE, BIAS) else 0), name
    assert model.training
    assert model.config.entity_vocab_size == model.luke.config.entity_vocab_size == ROWS + 3
    assert all(p.requires_grad and p.is_leaf for p in model.parameters())


def test_what_it_computed_before_it_computes_still(
    checkpoint: Path, tokenizer: EntityTokenizer, tmp_path: Path
) -> None:
    old = EntityMaskedLM.from_pretrained(checkpoint)
    load_extended(checkpoint, tokenizer, seed=0).save_pretrained(tmp_path / "saved")
    tokenizer.save_pretrained(tmp_path / "saved")
    new = EntityMaskedLM.from_pretrained(tmp_path / "saved")
    assert len(EntityTokenizer.from_pretrained(tmp_path / "saved").entities) == ROWS + 3
    batch = tokenizer(["Tokyo is the capital of Japan."]).to("cpu")
    batch["entity_ids"] = torch.tensor([[1, 2, 4]])
    batch["entity_attention_mask"] = torch.ones(1, 3, dtype=torch.long)
    batch["entity_position_ids"] = torch.tensor([[[1], [2], [3]]])
    with torch.inference_mode():
        states = [model(**batch).entity_last_hidden_state[0] for model in (old, new)]
        assert torch.equal(*states)
        logits = [model.entity_logits(states[0]) for model in (old, new)]
    assert torch.allclose(logits[0], logits[1][:, :ROWS], atol=1e-6)


def test_new_rows_start_from_their_titles_else_like_the_others(
    checkpoint: Path, tokenizer: EntityTokenizer
) -> None:
    def rows(seed: int) -> torch.Tensor:
        return state_of(load_extended(checkpoint, tokenizer, seed=seed))[TABLE][ROWS:]

    model = load_extended(checkpoint, tokenizer, seed=0)
    state = state_of(model)
    made = state[TABLE][ROWS:]
    ids = torch.as_tensor(tokenizer.words.encode_words(["Paris"])[0], dtype=torch.long)
    wanted = state[WORDS][ids].double().mean(0)
    dense = state["luke.entity_embeddings.entity_embedding_dense.weight"].double()
    nearest = torch.linalg.lstsq(dense, wanted[:, None]).solution[:, 0]
    assert torch.cosine_similarity(made[0].double(), nearest, dim=0) > 1 - 1e-6
    lengths = state[TABLE][[1, 4]].norm(dim=1).mean()
    assert torch.allclose(made[[0, 2]].norm(dim=1), lengths.expand(2), rtol=1e-5)
    assert torch.equal(rows(0), made)
    assert torch.equal(rows(1)[[0, 2]], made[[0, 2]])
    assert not torch.equal(rows(1)[1], made[1]), "nothing but the seed decides a row without title"
    entities = state[TABLE][[1, 4]]
    assert ((made[1] - entities.mean(0)).abs() <= 6 * entities.std(0, correction=0) + 1e-6).all()
    assert torch.allclose(state[BIAS][ROWS:], state[BIAS][[1, 4]].mean().expand(3), atol=1e-6)


def test_rows_that_the_vocabulary_does_not_reach_go(
    tiny_tokenizer_directory: Path, tokenizer: EntityTokenizer, checkpoint: Path
) -> None:
    words = WordTokenizer.from_directory(tiny_tokenizer_directory)
    longer = random_model(len(words), entity_vocab_size=ROWS + 7)
    longer.save_pretrained(checkpoint)
    after = state_of(load_extended(checkpoint, tokenizer, seed=0))
    assert len(after[TABLE]) == len(after[BIAS]) == ROWS + 3
    before = state_of(longer)
    assert torch.equal(after[TABLE][:ROWS], before[TABLE][:ROWS])
    assert not torch.equal(after[TABLE][ROWS:], before[TABLE][ROWS : ROWS + 3])


def test_the_same_vocabulary_changes_nothing(checkpoint: Path) -> None:
    same = EntityTokenizer.from_pretrained(checkpoint)
    after = state_of(load_extended(checkpoint, same, seed=0))
    before = load_file(checkpoint / "model.safetensors")
    assert all(torch.equal(tensor, before[name]) for name, tensor in after.items())


def test_markers_are_added_where_the_checkpoint_has_none(
    tiny_tokenizer_directory: Path, tokenizer: EntityTokenizer, checkpoint: Path
) -> None:
    words = WordTokenizer.from_directory(tiny_tokenizer_directory)
    bare = random_model(len(words) - 2)
    bare.save_pretrained(checkpoint)
    for name in ("tokenizer.json", "tokenizer_config.json", "special_tokens_map.json"):
        (checkpoint / name).unlink()
    after = state_of(load_extended(checkpoint, tokenizer, seed=0))
    before = state_of(bare)
    like = [int(ids[-1]) for ids in words.encode_stretches(["@", "#"], [False, False])]
    for name in (WORDS, "lm_head.bias"):
        assert len(after[name]) == len(words)
        assert torch.equal(after[name][:-2], before[name])
        assert torch.equal(after[name][-2:], before[name][like])


def test_another_vocabulary_is_refused(
    checkpoint: Path, tokenizer: EntityTokenizer, tmp_path: Path
) -> None:
    for name, rows, message in (
        ("moved", [*OLD[:4], OLD[5], OLD[4], *NEW], r"'Q2' has row 5, there 4\. Build the corpus"),
        ("short", [row for row in OLD if row.key != "Q2"], "it has 5 rows, the other 6"),
        ("other", [*OLD[:4], VocabularyRow("Q9", {}, 1), OLD[5]], "'Q2' has no row, there 4"),
    ):
        entities = EntityVocabulary.write(tmp_path / name, rows)
        with pytest.raises(ConfigError, match=f"does not begin with.*{message}") as caught:
            load_extended(checkpoint, EntityTokenizer(tokenizer.words, entities), seed=0)
        assert "--add-entities" in str(caught.value)


def test_other_pieces_are_refused(
    checkpoint: Path, tokenizer: EntityTokenizer, tmp_path: Path
) -> None:
    texts = ["other words of another text stand here"] * 40
    size = len(tokenizer.words)
    other = train_word_tokenizer([*texts, "東京は日本の首都"], tmp_path, vocabulary_size=60)
    with pytest.raises(ConfigError, match=f"has {size} pieces, the corpus {len(other)}"):
        load_extended(checkpoint, EntityTokenizer(other, tokenizer.entities), seed=0)
    random_model(len(other)).save_pretrained(checkpoint)
    with pytest.raises(ConfigError, match=r"piece \d+ of the checkpoint is .*--tokenizer"):
        load_extended(checkpoint, EntityTokenizer(other, tokenizer.entities), seed=0)


def test_half_a_checkpoint_is_refused(checkpoint: Path, tokenizer: EntityTokenizer) -> None:
    tensors = load_file(checkpoint / "model.safetensors")
    save_file({n: t for n, t in tensors.items() if n != BIAS}, checkpoint / "model.safetensors")
    with pytest.raises(FormatError, match=r"entity_predictions\.bias' is missing"):
        load_extended(checkpoint, tokenizer, seed=0)
    EntityEncoder.from_pretrained(checkpoint).save_pretrained(checkpoint)
    with pytest.raises(FormatError, match="is missing"):
        load_extended(checkpoint, tokenizer, seed=0)
    shutil.rmtree(checkpoint / "entities")
    (checkpoint / "entity_vocab.json").unlink()
    with pytest.raises(InputError, match="no entity vocabulary here"):
        load_extended(checkpoint, tokenizer, seed=0)
    with pytest.raises(InputError, match="no such directory"):
        load_extended(checkpoint / "none", tokenizer, seed=0)


def test_large_tensors_do_not_hang_on_the_file(
    checkpoint: Path, tokenizer: EntityTokenizer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Tensors that stay in the mapped file while a model is only used are copied for training."""
    monkeypatch.setattr("exonym.modeling.loading._MAPPED_BYTES", 0)
    model = load_extended(checkpoint, tokenizer, seed=0)
    maps = Path("/proc/self/maps")
    if not maps.is_file():
        pytest.skip("needs /proc to see what is mapped")
    mapped = [
        tuple(int(end, 16) for end in line.split()[0].split("-"))
        for line in maps.read_text().splitlines()
        if str(checkpoint) in line
    ]
    for name, parameter in model.named_parameters():
        address = parameter.data_ptr()
        assert not any(start <= address < end for start, end in mapped), name


def test_it_trains(checkpoint: Path, tokenizer: EntityTokenizer) -> None:
    model = load_extended(checkpoint, tokenizer, seed=0)
    before = model.luke.entity_embeddings.entity_embeddings.weight.detach().clone()
    states = torch.randn(5, 16, generator=torch.Generator().manual_seed(0))
    targets = torch.tensor([6, 7, 8, 1, 4])
    losses = []
    for _ in range(8):
        loss = torch.nn.functional.cross_entropy(model.entity_logits(states), targets)
        losses.append(float(loss.detach()))
        loss.backward()  # type: ignore[no-untyped-call]
        with torch.no_grad():
            for parameter in model.parameters():
                if parameter.grad is not None:
                    parameter.sub_(0.1 * parameter.grad)
                    parameter.grad = None
    assert losses == sorted(losses, reverse=True)
    after = model.luke.entity_embeddings.entity_embeddings.weight
    assert (after.detach()[ROWS:] != before[ROWS:]).any(dim=1).all()
