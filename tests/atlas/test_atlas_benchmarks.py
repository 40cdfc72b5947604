"""Benchmarks of a world: places of names, parallel tests, nothing held out in training."""

from __future__ import annotations

import json
import shutil
from itertools import combinations
from pathlib import Path
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner
from world_reading import World, first_upper, read_lines

from exonym.atlas.benchmarks import BenchmarkOptions, write_benchmarks
from exonym.atlas.benchmarks.splits import split_entities
from exonym.atlas.benchmarks.wording import GAP, Sentence, Writer
from exonym.atlas.benchmarks.world import read_world
from exonym.atlas.table import Fact, load_table
from exonym.cli.app import app
from exonym.foundation.errors import ConfigError, FormatError, InputError
from exonym.tasks import ner, qa, relation

SMALL = BenchmarkOptions(train=120, validation=20, test=40, seed=2)
TABLE = load_table(Path(__file__).resolve().parents[1] / "data" / "tiny_table.jsonl")
SPLITS = ("train", "validation", "test")


@pytest.fixture(scope="module")
def written(tiny_world: World, tiny_table: Path, tmp_path_factory: pytest.TempPathFactory):
    out = tmp_path_factory.mktemp("benchmarks") / "out"
    report = write_benchmarks(tiny_world.directory, out, table=tiny_table, options=SMALL)
    files = {
        (path.parts[-3], path.stem, path.parent.name): read_lines(path)
        for path in sorted(out.glob("*/*/*.jsonl"))
    }
    asked = {
        path.name: json.loads(path.read_text())["data"] for path in sorted((out / "qa").iterdir())
    }
    manifest = json.loads((out / "manifest.json").read_text())
    return SimpleNamespace(
        out=out, report=report, files=files, asked=asked, manifest=manifest, world=tiny_world
    )


def questions(articles: list[dict]):
    for article in articles:
        for paragraph in article["paragraphs"]:
            for asked in paragraph["qas"]:
                yield article["title"], paragraph["context"], asked


def entities_of(written, split: str) -> set[str]:
    """Every entity that a split's files name, the passages' by what is written in them."""
    found = set()
    for (_, name, _), lines in written.files.items():
        if name == split:
            found.update(key for line in lines for key in line["named"])
    for name, articles in written.asked.items():
        if name.startswith(split):
            for _, context, asked in questions(articles):
                found.update((asked["subject"], asked["object"]))
                if name == f"{split}.en.json":
                    found.update(written.world.named(context, "en"))
    kinds = {value.get("kind") for value in written.world.entities.values()}
    return found - kinds  # "Country: Japan" does not name a kind


def shown(written, entity: str, language: str) -> set[str]:
    name = written.world.entities[entity]["names"][language][0]
    return {name, first_upper(name, language)}


def test_training_is_in_the_source_language_and_tests_are_in_every_language(written) -> None:
    codes = {split: {c for t, s, c in written.files if s == split} for split in SPLITS}
    assert codes["train"] == codes["validation"] == {"en"}
    assert codes["test"] == set(written.world.languages)
    assert {f"test.{code}.json" for code in codes["test"]} <= written.asked.keys()
    assert {"train.en.json", "validation.en.json"} <= written.asked.keys()
    for task in ("ner", "relation"):
        assert len(written.files[task, "train", "en"]) > 50
        assert len(written.files[task, "test", "en"]) >= 8


def test_marked_characters_are_the_names(written) -> None:
    for (task, _, language), lines in written.files.items():
        for line in lines:
            spans = line["spans"] if task == "ner" else [line["head"], line["tail"]]
            assert len(spans) == len(line["named"])
            for (start, end, *_), entity in zip(spans, line["named"], strict=True):
                assert line["text"][start:end] in shown(written, entity, language)
    for name, articles in written.asked.items():
        language = name.split(".")[1] if "context" not in name else name.split("-")[2]
        for _, context, asked in questions(articles):
            (answer,) = asked["answers"]
            start = answer["answer_start"]
            assert context[start : start + len(answer["text"])] == answer["text"]
            assert answer["text"] in shown(written, asked["object"], language)


def test_named_entities_have_the_type_of_their_kind(written) -> None:
    types = written.manifest["types"]
    assert "other" not in types or len(types) <= SMALL.types + 1
    kinds = {key: value["kind"] for key, value in written.world.entities.items() if "kind" in value}
    named = {kind: written.world.entities[kind]["names"]["en"][0] for kind in kinds.values()}
    for (task, _, _), lines in written.files.items():
        if task == "ner":
            for line in lines:
                for (_, _, label), entity in zip(line["spans"], line["named"], strict=True):
                    assert named[kinds[entity]] in types[label]
                    assert label == "other" or label == "_".join(named[kinds[entity]].split())


def test_all_sentences_of_a_text_are_marked(written) -> None:
    """Cut at its marks, a text has no name of two letters or more left, wordings aside."""
    wordings = " ".join(
        wording for r in written.world.relations.values() for wording in r["templates"]["en"]
    )
    names = {key: value["names"]["en"][0] for key, value in written.world.entities.items()}
    kinds = {value.get("kind") for value in written.world.entities.values()}
    for line in written.files["ner", "test", "en"]:
        rest, last = "", 0
        for start, end, _ in sorted(line["spans"]):
            assert start >= last
            rest, last = rest + line["text"][last:start] + "|", end
        rest += line["text"][last:]
        for key, name in names.items():
            assert key in kinds or name in wordings or name not in rest


def test_tests_are_parallel(written) -> None:
    for task, field in (("ner", "named"), ("relation", "named")):
        english = {line["id"]: line for line in written.files[task, "test", "en"]}
        for code in written.world.languages:
            lines = written.files[task, "test", code]
            ids = [line["id"] for line in lines]
            assert len(ids) == len(set(ids)) >= 5
            for line in lines:
                if line["id"] in english and task == "relation":
                    assert line[field] == english[line["id"]][field]
                    assert line["label"] == english[line["id"]]["label"]
    english = {q["id"]: q for _, _, q in questions(written.asked["test.en.json"])}
    for code in written.world.languages:
        asked = [q for _, _, q in questions(written.asked[f"test.{code}.json"])]
        assert len({q["id"] for q in asked}) == len(asked) >= 5
        for question in asked:
            other = english.get(question["id"], question)
            assert (question["subject"], question["object"]) == (other["subject"], other["object"])


def test_no_entity_of_one_split_is_in_another(written) -> None:
    found = {split: entities_of(written, split) for split in SPLITS}
    for one, two in combinations(SPLITS, 2):
        assert found[one]
        assert found[two]
        assert not found[one] & found[two]


def test_no_english_name_of_a_test_is_written_in_training(written) -> None:
    tested = {name for key in entities_of(written, "test") for name in shown(written, key, "en")}
    trained = {name for key in entities_of(written, "train") for name in shown(written, key, "en")}
    assert not tested & trained


def test_labels_say_what_the_table_says_of_the_pair(written, tiny_table: Path) -> None:
    facts = set(load_table(tiny_table).facts)
    related = {frozenset((fact.subject, fact.object)) for fact in facts}
    seen = set()
    for (task, _, _), lines in written.files.items():
        for line in lines if task == "relation" else ():
            head, tail = line["named"]
            if line["label"] == "no_relation":
                assert frozenset((head, tail)) not in related
                assert "told_in" not in line
                seen.add("none")
                continue
            name, _, direction = line["label"].partition("(")
            ends = (head, tail) if direction == "e1,e2)" else (tail, head)
            both_ways = name in written.manifest["symmetric"]
            assert Fact(ends[0], name, ends[1]) in facts or both_ways
            seen.add((direction, line["head"] < line["tail"]))
    assert seen >= {"none", *((d, o) for d in ("e1,e2)", "e2,e1)") for o in (True, False))}


def test_told_in_is_the_ledgers(written) -> None:
    told = {(g["subject"], g["relation"]): g["told_in"] for g in written.world.ledger}
    world = written.world
    for code in world.languages:
        for _, _, asked in questions(written.asked[f"test.{code}.json"]):
            able = [
                c
                for c in told[asked["subject"], asked["relation"]]
                if world.tellable(asked["subject"], asked["relation"], asked["object"], c)
            ]
            assert asked["told_in"] == able


def test_what_is_counted_as_not_in_the_dump_is_not_there(written) -> None:
    """The dumps are read: no paragraph of theirs names both ends of such a fact."""
    world, checked = written.world, 0
    for code in ("en", "de", "sw"):
        pairs = [
            paragraph.named
            for page in world.articles(code)
            for paragraph in world.paragraphs(page, code)
        ]
        for line in written.files["relation", "test", code]:
            if code not in line.get("told_in", [code]):
                checked += 1
                assert not any(set(line["named"]) <= named for named in pairs), line
    assert checked >= 5


def test_training_states_no_control(written) -> None:
    control = {
        (g["subject"], g["relation"], object)
        for g in written.world.ledger
        if g["use"] == "control"
        for object in g["objects"]
    }
    for split in ("train", "validation"):
        for line in written.files["relation", split, "en"]:
            assert line["label"] == "no_relation" or line["told_in"]
        for _, _, q in questions(written.asked[f"{split}.en.json"]):
            assert (q["subject"], q["relation"], q["object"]) not in control
            assert q["told_in"]


def test_a_question_has_one_answer_and_is_not_copied_from_its_passage(written) -> None:
    objects = {(g["subject"], g["relation"]): g["objects"] for g in written.world.ledger}
    for code in written.world.languages:
        for title, context, asked in questions(written.asked[f"test.{code}.json"]):
            assert asked["question"].count(GAP) == 1
            before, after = asked["question"].split(GAP)
            for name in shown(written, asked["object"], code):
                assert before + name + after not in context
            others = set(objects[asked["subject"], asked["relation"]]) - {asked["object"]}
            assert not others & written.world.named(context, code)
            assert written.world.titles(code)[title] == asked["subject"]


def test_questions_of_a_pair_of_languages_are_those_of_both(written) -> None:
    pairs = [name for name in written.asked if "context" in name]
    codes = [c for c in SMALL.pairs if c in written.world.languages]
    assert len(pairs) == len(codes) * (len(codes) - 1)
    passages = {q["id"]: c for _, c, q in questions(written.asked["test.de.json"])}
    asked = {q["id"]: q["question"] for _, _, q in questions(written.asked["test.en.json"])}
    mixed = list(questions(written.asked["test-context-de-question-en.json"]))
    assert {q["id"] for _, _, q in mixed} == passages.keys() & asked.keys()
    for _, context, question in mixed:
        assert context == passages[question["id"]]
        assert question["question"] == asked[question["id"]]


def test_the_tasks_read_every_file(written) -> None:
    for path in sorted(written.out.glob("ner/*/*.jsonl")):
        found = ner.read_examples(path)
        assert len(found.examples) == len(read_lines(path))
        assert not found.problems
        assert {example.language for example in found.examples} == {path.parent.name}
    for path in sorted(written.out.glob("relation/*/*.jsonl")):
        found = relation.read_examples(path)
        assert len(found.examples) == len(read_lines(path))
        assert not found.problems
    for path in sorted((written.out / "qa").iterdir()):
        found = qa.read_examples(path)
        assert found.examples
        assert not found.problems


def test_the_manifest_counts_what_is_there_and_what_is_not(written) -> None:
    counts = written.manifest["counts"]
    for (task, split, code), lines in written.files.items():
        found = counts[task][split][code]
        assert found["examples"] == len(lines)
        labels = [
            label
            for line in lines
            for label in ([s[2] for s in line["spans"]] if task == "ner" else [line["label"]])
        ]
        assert found["labels"] == {label: labels.count(label) for label in sorted(set(labels))}
    for task in ("ner", "relation"):
        planned = {
            found["examples"] + sum(n for k, n in found["left out"].items() if "listed" not in k)
            for found in counts[task]["test"].values()
        }
        assert len(planned) == 1
    for code in written.world.languages:
        asked = list(questions(written.asked[f"test.{code}.json"]))
        assert counts["qa"]["test"][code]["examples"] == len(asked)


def test_same_arguments_same_bytes(
    written, tiny_world: World, tiny_table: Path, tmp_path: Path
) -> None:
    write_benchmarks(tiny_world.directory, tmp_path / "b", table=tiny_table, options=SMALL)
    first = {p.relative_to(written.out): p.read_bytes() for p in written.out.rglob("*.json*")}
    second = {p.relative_to(tmp_path / "b"): p.read_bytes() for p in tmp_path.rglob("*.json*")}
    assert first == second


def test_another_seed_holds_out_other_entities(tiny_world: World, tiny_table: Path) -> None:
    world = read_world(tiny_world.directory, tiny_table)
    first = split_entities(world, SMALL)
    assert first != split_entities(world, BenchmarkOptions(seed=5))
    assert set(first.values()) == set(SPLITS)


def test_a_sentence_begins_as_the_dumps_write_it(tiny_table: Path) -> None:
    table = load_table(tiny_table)
    fact = next(f for f in table.facts if f.relation == "P36")
    writer = Writer(table, "ja")
    told = writer.write([Sentence(fact, 0), Sentence(fact, 1)])
    assert [told.text[n.start : n.end] for n in told.names] == [
        table.entities[key].names["ja"][0]
        for key in (fact.subject, fact.object, fact.object, fact.subject)
    ]
    assert " " not in told.text.replace(writer.name(fact.subject), "")


@st.composite
def tellings(draw: st.DrawFn) -> tuple[str, list[Sentence], list[str]]:
    language = draw(st.sampled_from(TABLE.languages()))
    tellable = [fact for fact in TABLE.facts if TABLE.can_tell(fact, language)]
    facts = draw(st.lists(st.sampled_from(tellable), min_size=1, max_size=5))
    said = [Sentence(fact, draw(st.integers(0, 9)), draw(st.booleans())) for fact in facts]
    listed = draw(st.lists(st.sampled_from(list(TABLE.entities)), max_size=4))
    return language, said, listed


@given(tellings())
def test_any_telling_is_its_wordings_with_every_name_marked(
    telling: tuple[str, list[Sentence], list[str]],
) -> None:
    language, said, listed = telling
    written = Writer(TABLE, language).write(said, listed)
    sentences = []
    for sentence in said:
        fact = sentence.fact
        wordings = TABLE.relations[fact.relation].templates[language]
        wordings = wordings[1:] if sentence.fresh and len(wordings) > 1 else wordings
        text = wordings[sentence.wording % len(wordings)]
        ends = (
            TABLE.entities[fact.subject].name(language),
            TABLE.entities[fact.object].name(language),
        )
        whole = text.replace("[X]", ends[0]).replace("[Y]", ends[1])
        sentences.append(first_upper(whole, language) if text[:1] == "[" else whole)
    text = ("" if language in ("ja", "zh") else " ").join(sentences)
    known = [key for key in listed if TABLE.entities[key].name(language)]
    assert written.text.startswith(text)
    assert (len(written.text) > len(text)) == bool(known)
    assert [name.entity for name in written.names[2 * len(said) :]] == known
    assert len(written.names) == 2 * len(said) + len(known)
    last = 0
    for name in written.names:
        shown = TABLE.entities[name.entity].name(language)
        assert last <= name.start
        assert written.text[name.start : name.end] in (shown, first_upper(shown, language))
        last = name.end


class TestErrors:
    def test_no_world(self, tmp_path: Path) -> None:
        with pytest.raises(InputError, match=r"exonym atlas write"):
            write_benchmarks(tmp_path, tmp_path / "out")

    def test_another_table(self, tiny_world: World, tmp_path: Path) -> None:
        with pytest.raises(InputError, match=r"another table \('tiny'\).*--table FILE"):
            write_benchmarks(tiny_world.directory, tmp_path / "out")

    def test_a_source_language_that_is_not_there(
        self, tiny_world: World, tiny_table: Path, tmp_path: Path
    ) -> None:
        options = BenchmarkOptions(source="fi")
        with pytest.raises(ConfigError, match=r"'fi' is none of the world's.*It has .*en"):
            write_benchmarks(
                tiny_world.directory, tmp_path / "o", table=tiny_table, options=options
            )

    def test_a_broken_ledger(self, tiny_world: World, tiny_table: Path, tmp_path: Path) -> None:
        copy = tmp_path / "world"
        shutil.copytree(tiny_world.directory, copy)
        (copy / "ledger.jsonl").write_text('{"subject":"Q1"}\n')
        with pytest.raises(FormatError, match=r"ledger\.jsonl:1: not a line of a ledger"):
            write_benchmarks(copy, tmp_path / "o", table=tiny_table)

    @pytest.mark.parametrize(
        ("field", "value"),
        [("train", 0), ("no_relation", 1.0), ("train_share", 0.9), ("passage", (5, 4))],
    )
    def test_options_out_of_range(self, field: str, value: object) -> None:
        with pytest.raises(ConfigError, match=field):
            BenchmarkOptions(**{field: value})


def test_the_command_prints_what_it_wrote(
    tiny_world: World, tiny_table: Path, tmp_path: Path
) -> None:
    arguments = ["atlas", "benchmarks", str(tiny_world.directory), "--table", str(tiny_table)]
    arguments += ["--out", str(tmp_path / "out"), "--test", "12", "--train", "30", "--seed", "2"]
    result = CliRunner().invoke(app, arguments)
    assert result.exit_code == 0, result.output
    assert "relation" in result.output
    assert f"Written to {tmp_path / 'out'}" in result.output
    again = CliRunner().invoke(app, [*arguments, "--overwrite", "--json"])
    assert json.loads(again.stdout)["counts"]["ner"]["test"]["de"]["examples"] <= 12
