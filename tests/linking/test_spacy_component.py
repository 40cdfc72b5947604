"""The spaCy component: entities get their keys, and nothing that was there is lost."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from exonym.atlas import write_atlas
from exonym.foundation.errors import ConfigError
from exonym.knowledge import build_knowledge_base

spacy: Any = pytest.importorskip("spacy", reason="needs spaCy: pip install 'exonym[spacy]'")

TABLE = Path(__file__).resolve().parents[1] / "data" / "tiny_table.jsonl"
TEXT = "Tokyo is the capital of Japan."


@pytest.fixture(scope="module")
def kb(tmp_path_factory: pytest.TempPathFactory) -> str:
    folder = tmp_path_factory.mktemp("spacy")
    write_atlas(folder / "dumps", table=TABLE, languages=["en", "ja"])
    return str(build_knowledge_base([folder / "dumps"], folder / "kb").path)


@pytest.fixture(autouse=True)
def _known_to_spacy() -> None:
    """A checkout that is not installed anew does not show spaCy the component."""
    import exonym.linking.spacy_component  # noqa: F401


def pipeline(kb: str, code: str = "en", **config: Any) -> Any:
    nlp = spacy.blank(code)
    nlp.add_pipe("exonym_linker", config={"kb": kb, **config})
    return nlp


def with_rules(kb: str, *patterns: tuple[str, str], **config: Any) -> Any:
    """A pipeline in which another component finds entities first."""
    nlp = spacy.blank("en")
    rules = nlp.add_pipe("entity_ruler")
    rules.add_patterns([{"label": label, "pattern": text} for text, label in patterns])
    nlp.add_pipe("exonym_linker", config={"kb": kb, **config})
    return nlp


def found(doc: Any) -> list[tuple[str, str, str]]:
    return [(ent.text, ent.label_, ent.kb_id_) for ent in doc.ents]


def test_names_become_entities_with_their_keys(kb: str) -> None:
    doc = pipeline(kb)(TEXT)
    assert found(doc) == [("Tokyo", "ENTITY", "Q1490"), ("Japan", "ENTITY", "Q17")]
    assert [link["surface"] for link in doc._.exonym] == ["Tokyo", "Japan"]
    assert doc._.exonym[0]["candidates"][0]["entity"] == "Q1490"


def test_documents_come_in_order_and_from_several_processes_alike(kb: str) -> None:
    nlp = pipeline(kb)
    texts = [TEXT, "", "Nothing here.", "Berlin and Paris"] * 3
    once = [found(doc) for doc in nlp.pipe(texts, batch_size=5)]
    assert once == [found(nlp(text)) for text in texts]
    assert [doc.text for doc in nlp.pipe(texts)] == texts
    assert [found(doc) for doc in nlp.pipe(texts, n_process=2)] == once


def test_a_saved_pipeline_links_as_before(kb: str, tmp_path: Path) -> None:
    pipeline(kb, label="THING").to_disk(tmp_path / "nlp")
    assert found(spacy.load(tmp_path / "nlp")("Tokyo")) == [("Tokyo", "THING", "Q1490")]


def test_what_another_component_found_stays_and_keeps_its_label(kb: str) -> None:
    nlp = with_rules(kb, ("Tokyo", "GPE"), ("the capital", "ROLE"), ("of Japan", "PHRASE"))
    assert found(nlp(TEXT)) == [
        ("Tokyo", "GPE", "Q1490"), ("the capital", "ROLE", ""), ("Japan", "ENTITY", "Q17")
    ]  # fmt: skip


def test_entities_of_another_component_are_linked_and_nothing_else(kb: str) -> None:
    nlp = with_rules(kb, ("Japan", "GPE"), ("capital", "ROLE"), mentions="ents")
    assert found(nlp(TEXT)) == [("capital", "ROLE", "NIL"), ("Japan", "GPE", "Q17")]


def test_a_mention_inside_a_token_is_treated_as_asked(kb: str) -> None:
    text = (
        "東京は日本の首都である。"  # one token and a full stop, to a pipeline without a tokeniser
    )
    for alignment, texts in (("expand", [text[:-1]]), ("strict", []), ("contract", [])):
        doc = pipeline(kb, "xx", language="ja", alignment=alignment)(text)
        assert [ent.text for ent in doc.ents] == texts
        assert ("東京", "Q1490") in [(x["surface"], x["entity"]) for x in doc._.exonym]


def test_all_mentions_are_spans_overlapping_ones_too(kb: str) -> None:
    doc = pipeline(kb, options={"cover": "all"})("The Federal Republic of Germany")
    spans = {(span.text, span.kb_id_) for span in doc.spans["exonym"]}
    assert {("Federal Republic of Germany", "Q183"), ("Germany", "Q183")} <= spans
    assert [ent.text for ent in doc.ents] == ["Federal Republic of Germany"]


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ({"kb": ""}, "needs a knowledge base"),
        ({"mentions": "some"}, "mentions must be one of find, ents"),
        ({"alignment": "left"}, "alignment must be one of"),
        ({"options": {"colour": 1}}, "colour"),
        ({"options": {"cover": "some"}}, "cover must be one of"),
    ],
)
def test_a_wrong_config_is_said(kb: str, config: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        pipeline(**{"kb": kb, **config})
