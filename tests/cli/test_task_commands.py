"""``exonym finetune``, ``predict``, ``evaluate`` and ``data check`` of each task."""

from __future__ import annotations

import gzip
import json
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any
from unittest import mock

import pytest
from commands import Command, World, run_command

from exonym.cli.link_inputs import is_stream
from exonym.tasks import ner, qa, relation

TASKS = ("ner", "relation", "qa")
FAST = ("--grid", "released", "--learning-rate", "1e-3", "--batch", "4", "--set", "steps=3")
NAMES = {
    "en": ("Tokyo", "Japan", "in"),
    "de": ("Berlin", "Bayern", "aus"),
    "ja": ("東京", "日本", "の"),
}


def write_lines(path: Path, values: Sequence[Mapping[str, Any]]) -> Path:
    path.parent.mkdir(exist_ok=True)
    path.write_text(
        "".join(f"{json.dumps(value, ensure_ascii=False)}\n" for value in values), encoding="utf-8"
    )
    return path


def of_task(task: str, language: str, count: int = 8) -> list[dict[str, Any]]:
    """Lines of a task's file: two names with a word between them."""
    city, country, word = NAMES[language]
    found: list[dict[str, Any]] = []
    for number in range(count):
        text = f"{number} {city} {word} {country}"
        start, behind = text.index(city), text.rindex(country)
        first, second = [start, start + len(city)], [behind, behind + len(country)]
        line: dict[str, Any] = {"id": f"{number}", "text": text, "language": language}
        if task == "ner":
            line["spans"] = [[*first, "CITY"], [*second, "LAND"]]
        elif task == "relation":
            label = (
                "no_relation"
                if number % 3 == 0
                else f"part_of(e{1 + number % 2},e{2 - number % 2})"
            )
            line |= {"head": first, "tail": second, "label": label}
        else:
            answers = {"text": [city], "answer_start": [start]}
            line = {"id": f"{number}", "question": f"{country}?", "context": text,
                    "answers": answers, "language": language}  # fmt: skip
        found.append(line)
    return found


@pytest.fixture(scope="session")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """``TASK/LANGUAGE.jsonl``, and texts."""
    folder = tmp_path_factory.mktemp("files")
    for task in TASKS:
        for language in NAMES:
            write_lines(folder / task / f"{language}.jsonl", of_task(task, language))
    (folder / "texts.txt").write_text("Berlin aus Bayern\n\nIn Berlin\n", encoding="utf-8")
    return folder


@pytest.fixture(scope="session")
def tuned(world: World, files: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """``TASK/``: what the commands made; two seeds of named entities."""
    folder = tmp_path_factory.mktemp("tuned")
    for task in TASKS:
        file = files / task / "en.jsonl"
        seeds = "0,1" if task == "ner" else "0"
        assert run_command(
            "finetune", task, "--model", world.run, "--train", file, "--validation", file,
            "--out", folder / task, "--seeds", seeds, *FAST,
        ) == 0  # fmt: skip
    return folder


def lines(text: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in text.splitlines()]


def test_a_model_is_trained_and_described_and_a_second_call_trains_nothing(
    tuned: Path, files: Path, world: World, exonym: Command
) -> None:
    card = (tuned / "ner" / "model" / "README.md").read_text(encoding="utf-8")
    assert "| training | `en.jsonl` | en | 8 |" in card
    assert "`CITY`, `LAND`" in card
    assert "mean of 2 seeds" in card
    file = files / "ner" / "en.jsonl"
    with mock.patch("exonym.tasks.tuning.fine_tune", side_effect=AssertionError):
        again = exonym(
            "finetune", "ner", "--model", world.run / "model", "--train", file,
            "--validation", file, "--out", tuned / "ner", "--seeds", "0,1", *FAST,
        )  # fmt: skip
    assert again.status == 0, again.err
    assert f"{tuned / 'ner' / 'model'}: seed" in again.out
    assert (tuned / "ner" / "model" / "README.md").read_text(encoding="utf-8") == card


def test_the_outcome_comes_as_json_and_settings_reach_training_and_input(
    files: Path, world: World, tmp_path: Path, exonym: Command
) -> None:
    file = files / "qa" / "en.jsonl"
    grid = tmp_path / "grid.toml"
    grid.write_text("learning_rates = [1e-3, 2e-3]\nbatch_sizes = [8]\nepochs = [1]\n")
    done = exonym(
        "finetune", "qa", "--model", world.run, "--train", file, "--validation", file,
        "--out", tmp_path / "out", "--seeds", "5", "--grid", grid, "--variant", "words",
        "--set", "warmup_share=0.5", "--set", "overlap=3", "--json",
    )  # fmt: skip
    assert done.status == 0, done.err
    outcome = json.loads(done.out)
    assert [run["recipe"]["learning_rate"] for run in outcome["searched"]] == [1e-3, 2e-3]
    assert outcome["recipe"]["seed"] == 5
    assert outcome["recipe"]["warmup_share"] == 0.5
    assert outcome["counts"]["questions"] == 8
    assert set(outcome["validation"]) == {"f1", "exact_match"}
    model = qa.load(outcome["model"]).model
    assert (model.settings.variant, model.settings.overlap) == ("words", 3)
    assert "`overlap` | 3" in (Path(outcome["model"]) / "README.md").read_text(encoding="utf-8")


def test_several_files_are_learned_together_and_types_are_renamed(
    files: Path, world: World, tmp_path: Path, exonym: Command
) -> None:
    done = exonym(
        "finetune", "ner", "--model", world.run, "--out", tmp_path / "out", "--seeds", "0", *FAST,
        "--train", files / "ner" / "en.jsonl", "--train", files / "ner" / "de.jsonl",
        "--rename", "LAND=", "--rename", "CITY=PLACE",
    )  # fmt: skip
    assert done.status == 0, done.err
    assert ner.load(tmp_path / "out" / "model").labels == ("PLACE",)
    card = (tmp_path / "out" / "model" / "README.md").read_text(encoding="utf-8")
    assert "| training | `de.jsonl` | de | 8 |" in card
    assert "There was no validation set" in card


def test_a_tuning_that_is_interrupted_says_how_to_go_on_and_keeps_what_is_done(
    files: Path, world: World, tmp_path: Path, exonym: Command
) -> None:
    from exonym.tasks import tuning

    file, original, calls = files / "ner" / "en.jsonl", tuning.fine_tune, []

    def second_stops(*arguments: Any, **options: Any) -> Any:
        calls.append(1)
        if len(calls) == 2:
            raise KeyboardInterrupt
        return original(*arguments, **options)

    command = ("finetune", "ner", "--model", world.run, "--train", file, "--validation", file,
               "--out", tmp_path / "out", "--seeds", "0,1", *FAST)  # fmt: skip
    with mock.patch("exonym.tasks.tuning.fine_tune", second_stops):
        stopped = exonym(*command)
        assert stopped.status == 130
        assert "The same command goes on" in stopped.error
        assert not (tmp_path / "out" / "model").exists()
        assert exonym(*command).status == 0
    assert len(calls) == 3
    assert (tmp_path / "out" / "model" / "README.md").is_file()


def test_entities_of_texts_and_files_have_offsets_into_them(
    tuned: Path, files: Path, exonym: Command
) -> None:
    model = ("predict", "ner", "--model", tuned / "ner")
    (spoken,) = lines(exonym(*model, "Tokyo in Japan", "--language", "en", "--json").out)
    assert (spoken["text"], spoken["language"]) == ("Tokyo in Japan", "en")
    found = exonym(*model, files / "texts.txt", "--language", "de")
    assert [one["text"] for one in lines(found.out)] == ["Berlin aus Bayern", "", "In Berlin"]
    examples = exonym(*model, files / "ner" / "ja.jsonl", "--batch-size", "3")
    assert len(lines(examples.out)) == 8
    for one in [spoken, *lines(found.out), *lines(examples.out)]:
        for entity in one["entities"]:
            assert one["text"][entity["start"] : entity["end"]] == entity["surface"]
            assert entity["label"] in ("CITY", "LAND")
            assert 0 < entity["score"] <= 1
    own = ner.load(tuned / "ner" / "model")("Tokyo in Japan", language="en")
    assert spoken["entities"] == [one.to_json() for one in own]


def test_predictions_are_written_compressed_and_read_as_examples(
    tuned: Path, files: Path, tmp_path: Path, exonym: Command
) -> None:
    out = tmp_path / "found.jsonl.gz"
    done = exonym(
        "predict", "ner", "--model", tuned / "ner", files / "ner" / "de.jsonl", "--out", out
    )
    assert (done.status, done.out) == (0, "")
    written = lines(gzip.decompress(out.read_bytes()).decode())
    assert [one["language"] for one in written] == ["de"] * 8
    assert [len(e.entities) for e in ner.read_examples(out).examples] == [
        len(one["entities"]) for one in written
    ]


def test_columns_are_seen_in_a_file_and_its_sentences_predicted(
    tuned: Path, tmp_path: Path, exonym: Command
) -> None:
    path = tmp_path / "test.txt"
    path.write_text("Tokyo B-LOC\nlies O\n\nJapan B-LOC\n. O\n")
    done = exonym("predict", "ner", "--model", tuned / "ner", path, "--language", "en")
    assert [one["text"] for one in lines(done.out)] == ["Tokyo lies", "Japan ."]
    as_text = exonym("predict", "ner", "--model", tuned / "ner", path, "--input", "text")
    assert len(lines(as_text.out)) == 5


def test_relations_of_a_text_are_asked_by_words_places_or_entities(
    tuned: Path, files: Path, tmp_path: Path, exonym: Command
) -> None:
    model = ("predict", "relation", "--model", tuned / "relation")
    by_words = exonym(*model, "Tokyo in Japan", "--head", "Tokyo", "--tail", "Japan", "--json")
    by_place = exonym(*model, "Tokyo in Japan", "--head", "0:5", "--tail", "9:14", "--json")
    assert by_words.out == by_place.out
    ((one,),) = [record["relations"] for record in lines(by_words.out)]
    assert (one["head"]["text"], one["tail"]["text"]) == ("Tokyo", "Japan")
    shown = exonym(*model, "Tokyo in Japan", "--head", "Tokyo", "--tail", "Japan")
    assert f"{one['score']:.3f}" in shown.out
    found = lines(exonym(*model, files / "relation" / "en.jsonl").out)
    assert [record["id"] for record in found] == [f"{n}" for n in range(8)]
    mentions = [{"start": 0, "end": 5}, {"start": 9, "end": 14}]
    path = write_lines(tmp_path / "t.jsonl", [{"text": "Tokyo in Japan", "mentions": mentions}])
    (annotated,) = lines(exonym(*model, path).out)
    assert annotated["relations"][0]["score"] == one["score"]


def test_entities_are_those_of_a_knowledge_base(tuned: Path, world: World, exonym: Command) -> None:
    text = "Tokyo is in Japan"
    model = ("predict", "relation", "--model", tuned / "relation", "--kb", world.kb)
    done = exonym(*model, text, "--language", "en", "--json")
    assert done.status == 0, done.err
    (record,) = lines(done.out)
    for one in record["relations"]:
        assert one["head"]["entity"] is not None
        assert text[one["head"]["start"] : one["head"]["end"]] == one["head"]["text"]


def test_questions_are_answered_from_passages_and_files(
    tuned: Path, files: Path, exonym: Command
) -> None:
    model = ("predict", "qa", "--model", tuned / "qa", "--most", "2")
    passage = "Tokyo in Japan"
    (one,) = lines(exonym(*model, passage, "--question", "Japan?", "--json").out)
    assert one["question"] == "Japan?"
    assert len(one["answers"]) == 2
    for answer in one["answers"]:
        assert passage[answer["start"] : answer["end"]] == answer["text"]
    assert "Japan?\nanswer" in exonym(*model, passage, "--question", "Japan?").out
    found = lines(exonym(*model, files / "qa" / "ja.jsonl").out)
    assert [record["id"] for record in found] == [f"{n}" for n in range(8)]


def test_a_table_has_the_scores_of_the_task(tuned: Path, files: Path, exonym: Command) -> None:
    paths = {task: [files / task / f"{code}.jsonl" for code in ("en", "de")] for task in TASKS}
    found = {
        task: json.loads(
            exonym("evaluate", task, "--model", tuned / task, *paths[task], "--json").out
        )
        for task in TASKS
    }
    for task in TASKS:
        assert [row["language"] for row in found[task]["rows"]] == ["en", "de", "2 rows"]
    entities = ner.evaluate(
        ner.load(tuned / "ner" / "model"), [ner.read_examples(path) for path in paths["ner"]]
    )
    assert found["ner"]["rows"][0]["scores"]["F1"]["value"] == entities.of(language="en").f1
    assert {row["gold"] for row in found["ner"]["types"]} == {8}
    relations = relation.evaluate(
        relation.load(tuned / "relation" / "model"),
        [relation.read_examples(path) for path in paths["relation"]],
    )
    for row, code in zip(found["relation"]["rows"], ("en", "de"), strict=False):
        own = relations.languages[code]
        assert row["scores"]["macro F1"]["value"] == pytest.approx(own.macro_f1)
        assert row["scores"]["accuracy"]["value"] == pytest.approx(own.accuracy)
    answers = qa.evaluate(qa.load(tuned / "qa" / "model"), qa.read_examples(paths["qa"][1]))
    assert found["qa"]["rows"][1]["scores"]["F1"]["value"] == pytest.approx(answers.f1)


def test_languages_are_named_chosen_and_tables_written(
    tuned: Path, files: Path, tmp_path: Path, exonym: Command
) -> None:
    columns = tmp_path / "test.txt"
    columns.write_text("Tokyo B-CITY\nlies O\n")
    model = ("evaluate", "ner", "--model", tuned / "ner")
    out = tmp_path / "table.md"
    done = exonym(
        *model, f"sw={columns}", files / "ner" / "de.jsonl", files / "ner" / "en.jsonl",
        "--languages", "sw,de", "--out", out, "--by-type",
    )  # fmt: skip
    assert done.status == 0, done.err
    assert [line.split()[1] for line in done.out.splitlines()[2:5]] == ["sw", "de", "2"]
    assert "By type" in done.out
    assert "| sw | 1 |" in out.read_text(encoding="utf-8")
    assert "the model may predict, and this file has not LAND" in done.err
    left_out = exonym(*model, f"sw={columns}", "--rename", "LAND=", "--out", tmp_path / "t.json")
    assert "note:" not in left_out.err
    assert json.loads((tmp_path / "t.json").read_text())["task"] == "ner"


def test_tags_may_be_numbers_and_what_is_odd_in_a_file_is_said(
    tuned: Path, tmp_path: Path, exonym: Command
) -> None:
    file = write_lines(tmp_path / "en.jsonl", [{"tokens": ["Tokyo", "lies"], "ner_tags": [2, 0]},
                                               {"tokens": ["Japan"], "ner_tags": [1]}])  # fmt: skip
    names = ("--tag-names", "O,B-CITY,I-CITY")
    done = exonym("evaluate", "ner", "--model", tuned / "ner", file, *names, "--json")
    (row,) = json.loads(done.out)["types"][:1]
    assert (row["type"], row["gold"]) == ("CITY", 2)
    assert "1 odd, but usable: exonym data check ner" in "".join(json.loads(done.out)["notes"])
    assert "CITY [0, 5) Tokyo" in exonym("data", "check", "ner", file, *names).out
    assert len(lines(exonym("predict", "ner", "--model", tuned / "ner", file, *names).out)) == 2
    assert "say their names" in exonym("evaluate", "ner", "--model", tuned / "ner", file).error


def test_an_empty_text_is_a_text_and_not_this_directory() -> None:
    assert not is_stream("")
    assert is_stream("-")


def test_parallel_files_of_questions_choose_together(
    world: World, files: Path, tmp_path: Path, exonym: Command
) -> None:
    parallel = (files / "qa" / f"{code}.jsonl" for code in ("en", "de"))
    train = ("--train", files / "qa" / "en.jsonl", "--out", tmp_path / "qa", "--seeds", "0", *FAST)
    chosen = [part for path in parallel for part in ("--validation", path)]
    assert exonym("finetune", "qa", "--model", world.run, *train, *chosen).status == 0


def test_a_model_is_compared_with_another(tuned: Path, files: Path, exonym: Command) -> None:
    seeds = sorted((tuned / "ner" / "runs").glob("*/model"))
    done = exonym(
        "evaluate", "ner", "--model", seeds[0], "--against", seeds[1], files / "ner" / "en.jsonl",
        "--json",
    )  # fmt: skip
    (row,) = json.loads(done.out)["rows"]
    own = [
        ner.evaluate(ner.load(path), ner.read_examples(files / "ner" / "en.jsonl")).f1
        for path in seeds
    ]
    assert row["differences"]["F1"]["value"] == pytest.approx(own[0] - own[1])
    shown = exonym(
        "evaluate", "ner", "--model", seeds[0], "--against", seeds[0], files / "ner" / "en.jsonl"
    )
    assert f"These scores less those of {seeds[0]}" in shown.out
    assert "+0.000 (+0.000 to +0.000), p = 1.000" in shown.out


@pytest.mark.parametrize("task", ["ner", "relation"])
def test_a_good_file_is_described_counted_and_shown(
    task: str, files: Path, world: World, exonym: Command
) -> None:
    path = files / task / "ja.jsonl"
    shown = exonym("data", "check", task, path)
    assert (shown.status, shown.err) == (0, "")
    assert shown.out.startswith(f"{path}: ")
    assert "8 " in shown.out.splitlines()[0]
    counts = json.loads(exonym("data", "check", task, path, "--json").out)["labels"]
    if task == "ner":
        assert counts == {"CITY": 8, "LAND": 8}
        assert "  CITY [2, 4) 東京" in shown.out
    else:
        assert sum(counts.values()) == 8
        assert "  head [2, 4) 東京" in shown.out
    seen = exonym("data", "check", task, path, "--model", world.run)
    assert "<s>" in seen.out
    assert ("spans of at most" if task == "ner" else "[MASK2] over") in seen.out


def test_what_is_wrong_is_named_by_line_with_status_2(tmp_path: Path, exonym: Command) -> None:
    columns = tmp_path / "de.txt"
    columns.write_text("Tokyo B-LOC\nis\n. O\n\nx I-PER\n")
    checked = exonym("data", "check", "ner", columns)
    assert checked.status == 2
    assert f"{columns}:2: expected a tag" in checked.out
    as_json = exonym("data", "check", "ner", columns, "--json")
    assert as_json.status == 2
    fatal = [one for one in json.loads(as_json.out)["problems"] if one["fatal"]]
    assert [one["line"] for one in fatal] == [2]
    pairs = of_task("relation", "en", 3)
    pairs[1]["tail"] = [3, 99]
    path = write_lines(tmp_path / "pairs.jsonl", pairs)
    wrong = exonym("data", "check", "relation", path)
    assert wrong.status == 2
    assert f"{path}:2: " in wrong.out
    assert "1 lines must be mended" in wrong.out


def test_columns_and_encodings_are_named_in_the_command(tmp_path: Path, exonym: Command) -> None:
    path = tmp_path / "test.txt"
    path.write_bytes("LOC\tB-X\tKöln\nO\tO\tist\n".encode("latin-1"))
    options = ("--encoding", "latin-1", "--word-column", "3", "--tag-column", "2")
    shown = exonym("data", "check", "ner", path, *options, "--language", "de")
    assert shown.status == 0, shown.out
    assert "X [0, 4) Köln" in shown.out


WRONG = [
    ("finetune nothing --model {run} --train {ner} --out {out}", "no task 'nothing'"),
    ("finetune ner --model {none} --train {ner} --out {out} --grid released", "no such model"),
    ("finetune ner --model {run} --train {none} --out {out}", "no such file. Name files"),
    ("finetune ner --model {run} --train {files} --out {out}", "is a directory"),
    ("finetune ner --model {run} --train {ner} --out {out}", "no validation file to choose"),
    ("finetune ner --model {run} --train {qa} --out {out} --grid released", ":1: expected a"),
    ("finetune qa --model {run} --train {ner} --out {out} --grid released", "en.jsonl:1: "),
    ("finetune ner --model {run} --train {ner} --out {out} --seeds a", "expected numbers, got 'a'"),
    ("finetune ner --model {run} --train {ner} --out {out} --grid no", "no grid and no file"),
    ("finetune ner --model {run} --train {ner} --out {out} --set a=1", "unknown setting 'a'"),
    ("finetune ner --model {run} --train {ner} --out {out} --set seed=1", "Give --seeds"),
    ("finetune ner --model {run} --train {ner} --out {out} --variant x", "entities or words"),
    ("finetune ner --model {run} --train {ner} --out {out} --keep x", "seeds or best"),
    ("finetune ner --model {run} --train {ner} --out {out} --epochs 0 --grid released",
     "epochs must be at least 1"),
    ("finetune qa --model {run} --train {qa} --out {out} --rename a=b", "types of named entities"),
    ("finetune ner --model {run} --train {ner} --out {out} --rename a", "expected OLD=NEW"),
    ("finetune qa --model {run} --train {qa} --out {out} --grid released --set window=999",
     "at most"),
    ("finetune ner --model {run} --train {ner} --out {files} --grid released", "already exists"),
    ("predict qa --model {tuned}/ner text --question q", "was fine-tuned for ner, not for qa"),
    ("predict ner --model {run} text", "Train it first: exonym finetune ner"),
    ("predict ner --model {tuned}/ner text --question q", "--question: is for qa, not for ner"),
    ("predict ner --model {tuned}/ner text --head q", "--head: is for relation, not for ner"),
    ("predict qa --model {tuned}/qa text --tag-names O", "--tag-names: is for ner, not for qa"),
    ("predict ner --model {tuned}/ner text --language a!", "expected the code of a language"),
    ("data check ner {ner} --tag-names O,O", "expected different names"),
    ("data check ner {ner} --language german!", "Codes are those of Wikipedia"),
    ("predict ner --model {tuned}/ner text --input x", "must be one of text, jsonl, examples"),
    ("predict ner --model {tuned}/ner {files}", "is a directory"),
    ("predict ner --model {tuned}/ner text --device moon", "no device 'moon' here"),
    ("predict ner --model {tuned}/ner text --batch-size 0", "batch_size must be at least 1"),
    ("predict relation --model {tuned}/relation text", "this text has 0"),
    ("predict relation --model {tuned}/relation aa --head a --tail a", "stands 2 times"),
    ("predict relation --model {tuned}/relation aa --head 0:1", "go together"),
    ("predict relation --model {tuned}/relation aa --head 0:1 --tail 1:9", "no span of a text"),
    ("predict qa --model {tuned}/qa text", "a passage without a question"),
    ("evaluate ner --model {tuned}/ner {ner} --languages sw", "no file has texts in sw"),
    ("evaluate ner --model {tuned}/ner {none}", "no such file"),
    ("evaluate qa --model {tuned}/qa {qa} --rule x", "squad or mlqa"),
    ("evaluate qa --model {tuned}/qa {unanswered}", "has no right answer"),
    ("evaluate relation --model {tuned}/relation {unlabelled}", "no example has a label"),
    ("data check ner {none}", "No such file"),
    ("data check relation {texts}", "none of the known layouts"),
]  # fmt: skip


@pytest.mark.parametrize(("command", "message"), WRONG, ids=[command for command, _ in WRONG])
def test_wrong_input_gives_one_line_and_leaves_nothing(
    command: str,
    message: str,
    world: World,
    files: Path,
    tuned: Path,
    tmp_path: Path,
    exonym: Command,
) -> None:
    unanswered = {"id": "1", "question": "a", "context": "b", "language": "en", "answers": []}
    pair = {key: value for key, value in of_task("relation", "en", 1)[0].items() if key != "label"}
    places = {
        "run": world.run, "files": files, "tuned": tuned, "none": tmp_path / "none",
        "out": tmp_path / "out", "ner": files / "ner" / "en.jsonl", "qa": files / "qa" / "en.jsonl",
        "texts": files / "texts.txt",
        "unanswered": write_lines(tmp_path / "unanswered.jsonl", [unanswered]),
        "unlabelled": write_lines(tmp_path / "unlabelled.jsonl", [pair]),
    }  # fmt: skip
    outcome = exonym(*(part.format(**places) for part in command.split()))
    assert outcome.status == 2, outcome.err
    assert message in outcome.error
    assert not (tmp_path / "out").exists()


def test_a_run_without_a_model_is_told_from_a_folder_without_one(
    world: World, files: Path, tmp_path: Path, exonym: Command
) -> None:
    file = files / "ner" / "en.jsonl"
    command = ("finetune", "ner", "--train", file, "--out", tmp_path / "o", *FAST, "--model")
    (tmp_path / "run").mkdir()
    assert "no model in it" in exonym(*command, tmp_path / "run").error
    shutil.copy(world.run / "manifest.json", tmp_path / "run")
    assert "has no model yet" in exonym(*command, tmp_path / "run").error
