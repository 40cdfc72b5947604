"""Model cards: what they tell, and what of the training machine they do not."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest
from huggingface_hub import ModelCard

from exonym.foundation.errors import ConfigError
from exonym.tasks.card import CardFacts, DataFile, model_card
from exonym.tasks.tuned import Run, Tuned
from exonym.training.fine_tuning import FineTuning


def run(seed: int, f1: float | None, model: Path) -> Run:
    scores = {} if f1 is None else {"f1": f1, "recall": f1 / 2}
    return Run(FineTuning(seed=seed), "f1", scores, 3.0, 60.0, 5000.0, model)


def tuned(folder: Path, *scores: float | None) -> Tuned:
    runs = tuple(run(seed, f1, folder / str(seed)) for seed, f1 in enumerate(scores))
    return Tuned(runs, (), folder / "model")


@pytest.fixture
def facts(tmp_path: Path) -> CardFacts:
    path = tmp_path / "train|1.conll"
    path.write_text("EU B-ORG\n")
    base = tmp_path / "secret" / "mluke" / "model"
    base.mkdir(parents=True)
    data = (
        DataFile.of(path, role="training", examples=14041, languages=["en", "no", "en"]),
        DataFile.of(path, role="validation", examples=7, languages=["und"]),
    )
    return CardFacts(
        "ner", base, data, labels=("LOC", "PER"), settings={"span_limit": 16},
        notes=("Twelve sentences were left out.",),
    )  # fmt: skip


def test_a_card_tells_data_scores_and_use(facts: CardFacts, tmp_path: Path) -> None:
    card = model_card(facts, tuned(tmp_path, 0.5, 0.7))
    assert facts.data[0].sha256 in card
    assert "`train\\|1.conll`" in card
    assert "| training |" in card
    assert "en, no |" in card
    assert "14,041" in card
    assert "| f1 | 0.7000 | 0.6000 | 0.1414 |" in card
    assert "Epoch 3 of seed 1, chosen by `f1` on the validation set" in card
    assert "`LOC`, `PER`" in card
    assert "| `span_limit` | 16 |" in card
    assert "| `learning_rate` | 1e-05 |" in card
    assert "Twelve sentences were left out." in card
    assert "mLUKE-E" in card
    (code,) = re.findall(r"```python\n(.*?)```", card, re.DOTALL)
    assert len(code.split("\n\n")[1].splitlines()) == 2  # load, and call
    compile(code, "card", "exec")


def test_its_front_is_a_hubs_without_a_licence_of_its_own(facts: CardFacts, tmp_path: Path) -> None:
    card = model_card(facts, tuned(tmp_path, 0.5))
    assert card.startswith("---\n")
    assert ModelCard(card).data.to_dict() == {
        "pipeline_tag": "token-classification",
        "library_name": "exonym",
        "language": ["en", "no"],
        "tags": ["exonym", "luke", "ner"],
    }
    assert "## Licence\n\nNot chosen yet" in card


def test_it_names_no_folder_of_this_machine(facts: CardFacts, tmp_path: Path) -> None:
    card = model_card(facts, tuned(tmp_path, 0.5))
    assert str(tmp_path) not in card
    assert "secret" not in card


@pytest.mark.parametrize(
    ("base", "name"),
    [("studio-ousia/mluke-base", "studio-ousia/mluke-base"), ("/nowhere/else/mluke", "mluke")],
)
def test_a_base_on_the_hub_keeps_its_name(base: str, name: str) -> None:
    facts = CardFacts("qa", base, ())
    assert facts.base_name == name
    front = ModelCard(model_card(facts, tuned(Path("x"), 0.5))).data
    assert front.base_model == (None if base.startswith("/") else name)


def test_one_seed_has_no_deviation_and_no_validation_is_said(
    facts: CardFacts, tmp_path: Path
) -> None:
    assert "| f1 | 0.5000 | 0.5000 | - |" in model_card(facts, tuned(tmp_path, 0.5))
    card = model_card(facts, tuned(tmp_path, None))
    assert "There was no validation set" in card
    assert "chosen by" not in card


@pytest.mark.parametrize("task", ["ner", "relation", "qa"])
def test_every_task_has_a_call_that_is_python(task: str, tmp_path: Path) -> None:
    card = model_card(CardFacts(task, "mluke", ()), tuned(tmp_path, 0.5))
    (code,) = re.findall(r"```python\n(.*?)```", card, re.DOTALL)
    compile(code, "card", "exec")
    assert f"{task}.load(" in code


def test_unknown_tasks_and_variants_are_refused() -> None:
    with pytest.raises(ConfigError, match="task must be one of ner"):
        CardFacts("parsing", "mluke", ())
    with pytest.raises(ConfigError, match="variant must be one of"):
        CardFacts("ner", "mluke", (), variant="both")


def test_the_identity_changes_with_data_model_and_settings(
    facts: CardFacts, tmp_path: Path
) -> None:
    base = Path(facts.base)
    weights, config = base / "model.safetensors", base / "config.json"
    weights.write_bytes(b"weights")
    config.write_text("{}")
    before = facts.identity()
    assert str(tmp_path) not in str(before)
    assert facts.identity() == before
    assert replace(facts, settings={"span_limit": 8}).identity() != before
    assert replace(facts, data=facts.data[:1]).identity() != before
    weights.write_bytes(b"others")
    assert facts.identity() != before
