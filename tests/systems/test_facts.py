"""The paper's two tables of facts, against an independent twin that loops over all of it."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from exonym.foundation.errors import ConfigError, InputError
from exonym.knowledge import EntityVocabulary, VocabularyRow
from exonym.knowledge.vocabulary import SPECIAL_ENTITIES
from exonym.modeling import EncoderConfig, EntityMaskedLM
from exonym.reports.cloze_tables import markdown, tables
from exonym.systems.facts import Candidates, FactOptions, Unknown, measure_facts
from exonym.tasks import cloze
from exonym.tasks.cloze import Asking, Candidate, ClozeModel, ClozeSet, Question
from exonym.tasks.cloze.features import make_query
from exonym.tokenization import EntityTokenizer, WordTokenizer

KNOWN = ("Q1", "Q3", "Q10", "Q11", "Q13", "Q14")
# By language and relation: the template, and (subject, name, object, name) of each fact.
FACTS: Mapping[str, Mapping[str, tuple[str, list[tuple[str, str, str, str]]]]] = {
    "en": {
        "P36": (
            "The capital of [X] is [Y].",
            [
                ("Q1", "Japan", "Q10", "Tokyo"),
                ("Q2", "Kenya", "Q98", "Nairobi"),  # the answer has no row
                ("Q3", "Germany", "Q11", "Berlin"),
                ("Q3", "Germany", "Q97", "Paris"),  # one of two answers has none
            ],
        ),
        "P30": (
            "[Y] is the continent of [X].",
            [("Q1", "Japan", "Q13", "the city"), ("Q4", "Bayern", "Q14", "of the largest")],
        ),
    },
    "de": {
        "P36": (
            "[Y] ist die Hauptstadt von [X].",
            [("Q1", "Japan", "Q10", "Tokyo"), ("Q3", "Deutschland", "Q11", "Berlin")],
        )
    },
}


def write_facts(folder: Path) -> Path:
    """mLAMA's layout, with a list of candidates for one relation."""
    for language, relations in FACTS.items():
        own = folder / "mlama1.1" / language
        own.mkdir(parents=True)
        templates = [
            json.dumps({"relation": name, "template": template})
            for name, (template, _) in relations.items()
        ]
        (own / "templates.jsonl").write_text("\n".join(templates), encoding="utf-8")
        for name, (_, facts) in relations.items():
            fields = ("sub_uri", "sub_label", "obj_uri", "obj_label")
            lines = [json.dumps(dict(zip(fields, fact, strict=True))) for fact in facts]
            (own / f"{name}.jsonl").write_text("\n".join(lines), encoding="utf-8")
    (folder / "TREx_multilingual_objects").mkdir()
    names = ["München", "Tokyo", "Berlin", "Nairobi", "Paris"]
    lists = {"P36": {"objects": names, "subjects": []}}
    (folder / "TREx_multilingual_objects" / "en.json").write_text(json.dumps(lists))
    return folder


@pytest.fixture(scope="module")
def facts(tmp_path_factory: pytest.TempPathFactory) -> ClozeSet:
    return cloze.load_questions(write_facts(tmp_path_factory.mktemp("facts")))


def tiny(words: WordTokenizer, entities: EntityVocabulary) -> ClozeModel:
    """An untrained model with large weights, so that answers differ from question to question."""
    torch.manual_seed(3)
    config = EncoderConfig(
        vocab_size=len(words),
        entity_vocab_size=len(entities),
        hidden_size=16,
        entity_emb_size=8,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=24,
        max_position_embeddings=60,
        initializer_range=0.5,
    )
    return ClozeModel(EntityMaskedLM(config).eval(), EntityTokenizer(words, entities))


@pytest.fixture(scope="module")
def model(tiny_tokenizer_directory: Path, tmp_path_factory: pytest.TempPathFactory) -> ClozeModel:
    path = tmp_path_factory.mktemp("entities") / "entities"
    rows = [VocabularyRow(name, {}, 0) for name in (*SPECIAL_ENTITIES, *KNOWN)]
    entities = EntityVocabulary.write(path, rows)
    return tiny(WordTokenizer.from_directory(tiny_tokenizer_directory), entities)


# The twin: one query, one candidate at a time, with nothing of the package's own scoring.


def spliced(model: ClozeModel, source: ClozeSet, asked: Question, masks: int) -> tuple[Any, ...]:
    """Piece ids with <mask>s at [Y], where these begin, and the pieces of [X]."""
    template = source.templates[asked.language, asked.relation]
    query = make_query(template, asked.subject, asked.subject_label, asked.language)
    (text,) = model.tokenizer.encode([query.text])
    (a, b), (start, end) = text.spans.tolist()
    ids = text.input_ids.tolist()
    ids[start:end] = [model.tokenizer.words.mask_id] * masks
    shift = masks - (end - start)
    if a >= end:
        a, b = a + shift, b + shift
    return ids, start, list(range(a, b)), query.starts_word


def word_score(model: ClozeModel, source: ClozeSet, asked: Question, label: str) -> float:
    starts_word = spliced(model, source, asked, 1)[3]
    (pieces,) = model.tokenizer.words.encode_stretches([label], [starts_word])
    ids, start, _, _ = spliced(model, source, asked, len(pieces))
    with torch.no_grad():
        output = model.model(
            input_ids=torch.tensor([ids]),
            attention_mask=torch.ones(1, len(ids), dtype=torch.bool),
        )
        total = 0.0
        for step, piece in enumerate(pieces.tolist()):
            state = output.last_hidden_state[:, start + step]
            total += float(model.model.word_logits(state)[0].double().log_softmax(-1)[piece])
    return total / len(pieces)


def entity_logits(model: ClozeModel, source: ClozeSet, asked: Question, way: Asking) -> Any:
    """(rows,) at the entity [MASK] over one <mask>, of the whole table."""
    entities = model.tokenizer.entities
    ids, start, subject, _ = spliced(model, source, asked, 1)
    rows, places = [entities.mask_row], [[start]]
    if way is Asking.ENTITY_XY and asked.subject in KNOWN:
        rows.insert(0, len(SPECIAL_ENTITIES) + KNOWN.index(asked.subject))
        places.insert(0, subject)
    width = max(map(len, places))
    with torch.no_grad():
        output = model.model(
            input_ids=torch.tensor([ids]),
            attention_mask=torch.ones(1, len(ids), dtype=torch.bool),
            entity_ids=torch.tensor([rows]),
            entity_attention_mask=torch.ones(1, len(rows), dtype=torch.bool),
            entity_position_ids=torch.tensor([p + [-1] * (width - len(p)) for p in places])[None],
        )
        return model.model.entity_logits(output.entity_last_hidden_state[0, -1:])[0].double()


def choices(source: ClozeSet, asked: Question, options: FactOptions) -> Iterator[Candidate]:
    """The candidates of a question, read off the table above."""
    for (language, relation), own in source.candidates.items():
        if language != asked.language:
            continue
        if options.candidates is Candidates.FULL or relation == asked.relation:
            for one in own:
                known = [entity for entity in one.entities if entity in KNOWN]
                if known or options.unknown is not Unknown.LEAVE_OUT:
                    yield one


def twin(model: ClozeModel, source: ClozeSet, options: FactOptions, way: Asking) -> Any:
    """Accuracy by language."""
    right = defaultdict(list)
    for asked in source.questions:
        answers = {
            one for one in asked.answers if one in KNOWN or options.unknown is not Unknown.LEAVE_OUT
        }
        if not answers:
            continue
        best: tuple[float, tuple[str, ...]] = (-np.inf, ())
        for candidate in choices(source, asked, options):
            known = [
                len(SPECIAL_ENTITIES) + KNOWN.index(entity)
                for entity in candidate.entities
                if entity in KNOWN
            ]
            if way is Asking.WORDS:
                score = word_score(model, source, asked, candidate.label)
            elif known:
                logits = entity_logits(model, source, asked, way)
                if options.unknown is Unknown.WORDS:
                    logits = logits - torch.logsumexp(logits, 0)
                score = max(float(logits[row]) for row in known)
            elif options.unknown is Unknown.WORDS:
                score = word_score(model, source, asked, candidate.label)
            else:
                continue
            best = max(best, (score, candidate.entities))
        right[asked.language].append(not answers.isdisjoint(best[1]))
    return {language: pytest.approx(np.mean(own)) for language, own in right.items()}


@pytest.mark.parametrize("candidates", Candidates)
@pytest.mark.parametrize("unknown", Unknown)
def test_both_tables_of_the_paper_are_what_loops_over_everything_give(
    unknown: Unknown, candidates: Candidates, model: ClozeModel, facts: ClozeSet
) -> None:
    options = FactOptions(candidates, unknown)
    found = measure_facts(facts, model, model, options).accuracy["all"]
    for row, way in (
        ("words_only", Asking.WORDS),
        ("mluke_w", Asking.WORDS),
        ("mluke_e_y", Asking.ENTITY_Y),
        ("mluke_e_xy", Asking.ENTITY_XY),
    ):
        assert found[row]["by_language"] == twin(model, facts, options, way), row


def test_what_was_left_out_is_counted_by_reason(model: ClozeModel, facts: ClozeSet) -> None:
    found = measure_facts(facts, model, options=FactOptions(asking=(Asking.ENTITY_Y,)))
    assert found.coverage.to_json() == {
        "questions": 7,
        "answerable": 6,
        "subjects": 4,
        "known_subjects": 2,
        "candidates": 9,  # five names, and four objects of the other lists
        "entities": 8,
        "known": 6,
        "share": 6 / 9,
    }
    assert found.asked == 6
    assert found.left_out == {
        "candidates of which no entity is known": 1,
        "candidates without a row": 2,
        "questions without an answer that has a row": 1,
    }
    assert list(found.accuracy["all"]) == ["chance", "most_frequent", "mluke_e_y"]
    everything = measure_facts(facts, model, options=FactOptions(unknown=Unknown.KEEP))
    assert (everything.asked, everything.left_out) == (7, {})
    whole = measure_facts(facts, model, options=FactOptions(candidates=Candidates.FULL))
    assert whole.coverage.candidates == 7 + 2, "the list of a language counts once"


def test_the_tables_say_what_was_counted(model: ClozeModel, facts: ClozeSet) -> None:
    found = measure_facts(facts, model)
    titles = [title for title, _ in tables(found, by_language=True)]
    assert titles == ["Facts", "Facts, by language", "Questions and candidates"]
    text = markdown(found)
    assert "| candidates in the entity vocabulary | 6 | 0.667 |" in text
    assert "| left out or odd: candidates without a row | 2 |  |" in text
    assert "\n| de | " in text
    assert json.loads(json.dumps(found.to_json()))["options"]["unknown"] == "leave-out"


def test_a_vocabulary_that_knows_nothing_of_it_says_what_to_do(
    model: ClozeModel, facts: ClozeSet, tmp_path: Path
) -> None:
    words = model.tokenizer.words
    special = [VocabularyRow(name, {}, 0) for name in SPECIAL_ENTITIES]
    lite = tiny(words, EntityVocabulary.write(tmp_path / "lite", special))
    titles = [*special, VocabularyRow("en:Tokyo", {"ja": "東京都"}, 0)]
    released = tiny(words, EntityVocabulary.write(tmp_path / "released", titles))
    for unknown in Unknown:
        with pytest.raises(InputError, match=r"lite checkpoint.*--asking words --unknown words"):
            measure_facts(facts, lite, options=FactOptions(unknown=unknown))
        with pytest.raises(InputError, match=r"--kb KB .*exonym checkpoint convert MODEL OUT --kb"):
            measure_facts(facts, released, options=FactOptions(unknown=unknown))
    by_words = FactOptions(unknown=Unknown.WORDS, asking=(Asking.WORDS,))
    assert measure_facts(facts, lite, options=by_words).asked == 7


def test_impossible_options_are_errors(model: ClozeModel, facts: ClozeSet) -> None:
    with pytest.raises(ConfigError, match="--asking"):
        measure_facts(facts, model, options=FactOptions(asking=()))
    with pytest.raises(ConfigError, match="control is asked by words"):
        measure_facts(facts, model, model, FactOptions(asking=(Asking.ENTITY_Y,)))


def test_some_relations_have_the_candidates_they_have_among_all(tmp_path: Path) -> None:
    folder = write_facts(tmp_path)
    everything = cloze.load_questions(folder)
    some = cloze.load_questions(folder, ["en"], relations=["P30"])
    assert {question.relation for question in some.questions} == {"P30"}
    full = some.with_full_candidates().candidates["en", "P30"]
    assert full == everything.with_full_candidates().candidates["en", "P30"]
    assert replace(some, candidates={}).templates == {("en", "P30"): FACTS["en"]["P30"][0]}
    with pytest.raises(InputError, match="no questions of the relation 'P9'; there are P36, P30"):
        cloze.load_questions(folder, relations=["P30", "P9"])
