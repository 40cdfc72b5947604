"""mLAMA's own directories, tables of facts, and the two tables of the paper."""

from __future__ import annotations

import bz2
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import orjson
import pytest
import torch
from cloze_questions import line, write, write_lines

from exonym.foundation.errors import FormatError, InputError
from exonym.tasks.cloze import (
    Answer,
    Asking,
    Candidate,
    ClozeModel,
    ClozeSet,
    Question,
    answer,
    in_vocabulary,
    load_questions,
)
from exonym.tasks.cloze.features import make_query
from exonym.tasks.cloze.metrics import chance, most_frequent

CAPITAL = ("The capital of [X] is [Y].", [line("Q1", "Q10"), line("Q2", "Q11")])
BORN = ("[Y] is where [X] was born.", [line("Q3", "Q12", obj="1901")])
Lists = Mapping[str, Mapping[str, Sequence[str]]]


def mlama(root: Path, lists: Lists, folder: str = "TREx_multilingual_objects") -> Path:
    """What a clone of mLAMA with its data unpacked looks like."""
    write(root / "mlama1.1", {"en": {"P36": CAPITAL, "place_of_birth": BORN}})
    (root / folder).mkdir()
    for language, relations in lists.items():
        value = {
            name: {"subjects": ["anyone"], "objects": list(names)}
            for name, names in relations.items()
        }
        (root / folder / f"{language}.json").write_bytes(orjson.dumps(value))
    return root


def test_the_lists_beside_the_triples_are_the_candidates(tmp_path: Path) -> None:
    names = ["name of Q11", "Nowhere", "1901", "name of Q10", "Nowhere", " "]
    root = mlama(tmp_path, {"en": {"P36": names}})
    for given in (root, root / "mlama1.1"):
        read = load_questions(given)
        assert read.candidates["en", "P36"] == (
            Candidate("Q11", "name of Q11"),
            Candidate(None, "Nowhere"),
            Candidate("Q12", "1901"),  # known from another relation's file
            Candidate("Q10", "name of Q10"),
        )
        assert read.candidates["en", "place_of_birth"] == (Candidate("Q12", "1901"),)
        assert [question.answers for question in read.questions] == [("Q10",), ("Q11",), ("Q12",)]


def test_lists_of_two_folders_are_put_together_and_right_answers_are_never_missing(
    tmp_path: Path,
) -> None:
    root = mlama(tmp_path, {"en": {"P36": ["Nowhere"]}})
    (root / "GoogleRE_objects").mkdir()
    other = {"place_of_birth": {"subjects": [], "objects": ["1900"]}}
    (root / "GoogleRE_objects" / "en.json").write_bytes(orjson.dumps(other))
    read = load_questions(root)
    assert [one.label for one in read.candidates["en", "P36"]] == [
        "Nowhere",
        "name of Q10",
        "name of Q11",
    ]
    assert [one.label for one in read.candidates["en", "place_of_birth"]] == ["1900", "1901"]


def test_a_name_of_several_entities_is_one_candidate_and_right_if_any_is(tmp_path: Path) -> None:
    lines = [line("Q1", "Q10", obj="Georgia"), line("Q2", "Q11", obj="Georgia")]
    root = tmp_path / "mlama1.1"
    write(root, {"en": {"P36": ("[X] [Y]", lines)}})
    lists = {"P36": {"subjects": [], "objects": ["Georgia", "Tokyo"]}}
    (tmp_path / "GoogleRE_objects").mkdir()
    (tmp_path / "GoogleRE_objects" / "en.json").write_bytes(orjson.dumps(lists))
    read = load_questions(root)
    georgia = Candidate("Q10", "Georgia", ("Q11",))
    assert read.candidates["en", "P36"] == (georgia, Candidate(None, "Tokyo"))
    second = read.questions[1]
    assert Answer(second, "Q10", "Georgia", 0.0, ("Q11",)).correct
    assert not Answer(second, None, "Tokyo", 0.0).correct
    assert [value for _, _, value in chance(read.questions, read)] == [0.5, 0.5]
    assert [given.label for given in most_frequent(read.questions, read)] == ["Georgia"] * 2


@pytest.mark.parametrize("value", [[], {}, {"P36": []}, {"P36": {"objects": [1]}}])
def test_a_list_of_something_else_is_an_error(value: Any, tmp_path: Path) -> None:
    root = mlama(tmp_path, {})
    path = root / "TREx_multilingual_objects" / "en.json"
    path.write_bytes(orjson.dumps(value))
    with pytest.raises(FormatError, match=r"en\.json: .*objects"):
        load_questions(root)


def test_what_is_wrong_can_be_left_out_and_is_counted(tmp_path: Path) -> None:
    """mLAMA's templates were translated by machine, which may lose a slot."""
    broken = {**line("Q2", "Q11"), "obj_label": ""}
    directory = write(
        tmp_path,
        {"en": {"P1": ("[X] only", [line("Q1", "Q10")]), "P2": ("[X] [Y]", [broken, *CAPITAL[1]])}},
    )
    with (directory / "en" / "templates.jsonl").open("ab") as stream:
        stream.write(b'{"relation": "P2", "template": "[Y] [X]"}\n{"relation": "P3"}\n')
    with pytest.raises(FormatError, match=r"slot.*To leave such .* out.*keep_going=True"):
        load_questions(directory)
    read = load_questions(directory, keep_going=True)
    assert read.templates == {("en", "P2"): "[X] [Y]"}
    assert len(read.questions) == 2
    assert read.left_out == {
        "templates without both slots": 1,
        "second templates": 1,
        "templates without a field": 1,
        "lines without a field": 1,
    }


def row(subject: str, found: str, language: str = "en", **more: Any) -> dict[str, Any]:
    template = {"en": "The capital of [X] is [Y].", "de": "[Y] liegt in [X]."}[language]
    value = {"language": language, "predicate_id": "P36", "template": template}
    return {**value, **line(subject, found), "uuid": "x", **more}


def as_text(rows: Sequence[Mapping[str, Any]], delimiter: str) -> bytes:
    names = list(dict.fromkeys(name for value in rows for name in value))
    lines = [names, *([str(value.get(name, "")) for name in names] for value in rows)]
    return "\r\n".join(delimiter.join(line) for line in lines).encode("utf-8-sig")


def test_a_table_has_everything_in_its_rows(tmp_path: Path) -> None:
    rows = [row("Q1", "Q10"), row("Q1", "Q10", "de"), row("Q2", "Q11"), row("Q1", "Q12")]
    write_lines(tmp_path / "m_lama.jsonl", rows)
    (tmp_path / "m_lama.tsv").write_bytes(as_text(rows, "\t"))
    (tmp_path / "m_lama.csv").write_bytes(as_text(rows, ","))
    (tmp_path / "m_lama.jsonl.bz2").write_bytes(
        bz2.compress((tmp_path / "m_lama.jsonl").read_bytes())
    )
    expected = load_questions(
        write(
            tmp_path / "directory",
            {
                "de": {"P36": ("[Y] liegt in [X].", [line("Q1", "Q10")])},
                "en": {"P36": (CAPITAL[0], [line("Q1", "Q10"), line("Q2", "Q11"), rows[3]])},
            },
        )
    )
    for name in ("m_lama.jsonl", "m_lama.tsv", "m_lama.csv", "m_lama.jsonl.bz2"):
        assert load_questions(tmp_path / name) == expected, name
    only = load_questions(tmp_path / "m_lama.tsv", ["de"])
    assert {question.language for question in only.questions} == {"de"}
    with pytest.raises(InputError, match="no questions in 'ja'; there are de, en"):
        load_questions(tmp_path / "m_lama.tsv", ["ja"])


def test_a_table_says_who_tells_a_fact(tmp_path: Path) -> None:
    path = tmp_path / "facts.tsv"
    path.write_bytes(
        as_text([row("Q1", "Q10", told_in="en de"), row("Q2", "Q11", told_in="")], "\t")
    )
    told, control = load_questions(path).questions
    assert (told.told_in, told.told) == (("en", "de"), "told")
    assert (control.told_in, control.told) == ((), "control")


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([row("Q1", "Q10"), row("Q2", " ")], r"facts\.jsonl:2: the field 'obj_uri'"),
        ([row("Q1", "Q10", template="[X]")], r"facts\.jsonl:1: .*\[Y\] exactly once"),
        (
            [row("Q1", "Q10"), row("Q2", "Q11", template="[X][Y]")],
            r"facts\.jsonl:2: a second template for 'P36' in 'en'",
        ),
        ([row("Q1", "Q10", predicate_id=None)], r"facts\.jsonl:1: the field 'predicate_id'"),
        ([], r"facts\.jsonl: no row of a fact"),
    ],
)
def test_what_is_wrong_with_a_table_names_the_line(
    rows: list[dict[str, Any]], message: str, tmp_path: Path
) -> None:
    write_lines(tmp_path / "facts.jsonl", rows)
    with pytest.raises(InputError, match=message):
        load_questions(tmp_path / "facts.jsonl")
    if len(rows) == 2:
        read = load_questions(tmp_path / "facts.jsonl", keep_going=True)
        assert (len(read.questions), sum(read.left_out.values())) == (1, 1)


HEADER = b"language,relation,template,sub_uri,sub_label,obj_uri,obj_label\n"
GOOD = b"en,P36,[X] [Y],Q1,Japan,Q10,Tokyo\n"


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.csv", HEADER + b'"en,P36\n', r"a\.csv:2: not a line of a table"),
        (
            "b.csv",
            HEADER + GOOD + GOOD.replace(b"Japan", b"Jap\xe9n"),
            r"csv:3: .*not UTF-8; .*in1",
        ),
        ("c.tsv", b"", r"c\.tsv: an empty file"),
        ("d.tsv.bz2", bz2.compress(as_text([row("Q1", "Q10")], "\t"))[:-9], "ends early"),
        ("e.csv", b"language,relation\n" + GOOD, r"e\.csv:1: no column 'template'"),
        ("f.csv", HEADER.replace(b"relation,", b""), "no column 'relation'"),
        ("g.csv", (HEADER + GOOD).decode().encode("utf-16"), "not UTF-8, but UTF-16"),
        ("h.jsonl", b'{"a": 1}\n'.decode().encode("utf-16"), r":1: not UTF-8, but UTF-16.*iconv"),
        ("i.jsonl", b'{"sub_label": "Jap\xe9n"}\n', r":1: not UTF-8: the byte 0xe9"),
        ("j.jsonl", b"[]\n", r":1: expected a JSON object"),
        ("k.jsonl", b'{"sub_uri": "Q1"}\n', r":1: .*needs templates\.jsonl beside it"),
    ],
)
def test_a_damaged_table_is_an_error_that_names_the_line(
    name: str, content: bytes, message: str, tmp_path: Path
) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(FormatError, match=message):
        load_questions(tmp_path / name)


def test_good_lines_behind_broken_ones_are_read_on_request(tmp_path: Path) -> None:
    broken = b'en,P36,[X] [Y],Q2,Jap\xe9n,Q1,T\nen,P36,[X] [Y]\nen,P36,[X] [Y],Q3,"a"b,Q1,T\n'
    (tmp_path / "facts.csv").write_bytes(HEADER + broken + GOOD)
    read = load_questions(tmp_path / "facts.csv", keep_going=True)
    assert [question.subject for question in read.questions] == ["Q1"]
    assert read.left_out == {"lines without a field": 2, "lines that cannot be read": 1}
    lines = [orjson.dumps(row("Q1", "Q10")), b"{", b"\xe9", orjson.dumps(row("Q2", "Q11"))]
    (tmp_path / "facts.jsonl").write_bytes(b"\xef\xbb\xbf" + b"\n".join(lines))
    read = load_questions(tmp_path / "facts.jsonl", keep_going=True)
    assert [question.subject for question in read.questions] == ["Q1", "Q2"]
    assert read.left_out == {"lines that cannot be read": 2}


def test_full_candidates_are_those_of_all_relations_of_the_language() -> None:
    one, two, other = Candidate("Q1", "a"), Candidate(None, "b"), Candidate("Q3", "c")
    source = ClozeSet(
        (),
        {},
        {("en", "P1"): (two, one), ("en", "P2"): (one, other), ("de", "P1"): (other,)},
    )
    full = source.with_full_candidates()
    assert full.candidates == {
        ("en", "P1"): (one, other, two),
        ("en", "P2"): (one, other, two),
        ("de", "P1"): (other,),
    }


KEY = ("en", "P36")
TEMPLATE = "[Y] is the capital of [X]."
MIXED = (
    Candidate("Q10", "Tokyo"),
    Candidate("Q99", "Nairobi"),
    Candidate(None, "Berlin"),
    Candidate("Q98", "Addis Ababa", ("Q12",)),
    Candidate("Q13", "the city"),
)


@pytest.fixture(scope="module")
def mixed() -> ClozeSet:
    questions = tuple(
        Question("en", "P36", subject, label, answers)
        for subject, label, answers in (
            ("Q1", "Japan", ("Q10",)),
            ("Q97", "Kenya", ("Q99",)),
            ("Q2", "Germany", ("Q96", "Q13")),
        )
    )
    return ClozeSet(questions, {KEY: TEMPLATE}, {KEY: MIXED})


def test_the_first_table_has_what_the_vocabulary_knows(model: ClozeModel, mixed: ClozeSet) -> None:
    table = in_vocabulary(mixed, model.tokenizer.entities)
    assert table.candidates[KEY] == (
        Candidate("Q10", "Tokyo"),
        Candidate("Q12", "Addis Ababa"),
        Candidate("Q13", "the city"),
    )
    assert [question.answers for question in table.questions] == [("Q10",), ("Q13",)]
    assert table.left_out == {
        "candidates of which no entity is known": 1,
        "candidates without a row": 1,
        "questions without an answer that has a row": 1,
    }
    nothing = replace(mixed, questions=mixed.questions[1:2])
    with pytest.raises(InputError, match="no right answer of any question"):
        in_vocabulary(nothing, model.tokenizer.entities)


def plain_entity_scores(model: ClozeModel, question: Question, asking: Asking) -> torch.Tensor:
    """Log-probabilities of the whole entity table at [Y], with all entities spliced by hand."""
    query = make_query(TEMPLATE, question.subject, question.subject_label, "en")
    (text,) = model.tokenizer.encode([query.text])
    (a, b), (start, end) = text.spans.tolist()
    ids = text.input_ids.tolist()
    ids[start:end] = [model.tokenizer.words.mask_id]
    shift = 1 - (end - start)
    a, b = (place + shift if place >= end else place for place in (a, b))
    rows, places = [model.tokenizer.entities.mask_row], [[start]]
    subject = int(model.tokenizer.entities.rows([question.subject])[0])
    if asking is Asking.ENTITY_XY and subject != model.tokenizer.entities.unk_row:
        rows.insert(0, subject)
        places.insert(0, list(range(a, b)))
    width = max(map(len, places))
    with torch.no_grad():
        output = model.model(
            input_ids=torch.tensor([ids]),
            attention_mask=torch.ones(1, len(ids), dtype=torch.bool),
            entity_ids=torch.tensor([rows]),
            entity_attention_mask=torch.ones(1, len(rows), dtype=torch.bool),
            entity_position_ids=torch.tensor([p + [-1] * (width - len(p)) for p in places])[None],
        )
        assert output.entity_last_hidden_state is not None
        logits = model.model.entity_logits(output.entity_last_hidden_state[0, -1:])
    return logits[0].double().log_softmax(dim=-1)


@pytest.mark.parametrize("asking", [Asking.ENTITY_Y, Asking.ENTITY_XY])
def test_the_second_table_falls_back_on_words(
    asking: Asking, model: ClozeModel, mixed: ClozeSet
) -> None:
    """A subject without a row is no entity of the input; every candidate has a score."""
    for question in mixed.questions:
        entities = plain_entity_scores(model, question, asking)
        rows = model.tokenizer.entities.rows(["Q10", "Q12", "Q13"])
        expected = dict(zip(("Tokyo", "Addis Ababa", "the city"), entities[rows], strict=True))
        for name in ("Nairobi", "Berlin"):
            alone = replace(mixed, candidates={KEY: (Candidate(None, name),)})
            (word,) = answer(model, [question], alone, Asking.WORDS)
            expected[name] = torch.tensor(word.score)
        for candidate in MIXED:
            alone = replace(mixed, candidates={KEY: (candidate,)})
            (given,) = answer(model, [question], alone, asking, fallback=True)
            assert given.score == pytest.approx(float(expected[candidate.label]), abs=1e-4)
        (given,) = answer(model, [question], mixed, asking, fallback=True)
        assert given.label == max(expected, key=lambda name: float(expected[name]))


def test_without_a_fallback_what_has_no_row_cannot_win(model: ClozeModel, mixed: ClozeSet) -> None:
    for given in answer(model, mixed.questions, mixed, Asking.ENTITY_Y):
        assert given.label in ("Tokyo", "Addis Ababa", "the city")
    nobody = replace(mixed, candidates={KEY: (MIXED[1], MIXED[2])})
    for given in answer(model, mixed.questions, nobody, Asking.ENTITY_XY):
        assert (given.entity, given.score) == (None, -np.inf)
    for given in answer(model, mixed.questions, nobody, Asking.ENTITY_XY, fallback=True):
        assert given.label in ("Nairobi", "Berlin")
        assert np.isfinite(given.score)


def test_the_log_sum_over_the_table_does_not_depend_on_its_parts(
    model: ClozeModel, mixed: ClozeSet, monkeypatch: pytest.MonkeyPatch
) -> None:
    def scores() -> list[float]:
        given = answer(model, mixed.questions, mixed, Asking.ENTITY_Y, fallback=True)
        return [one.score for one in given]

    whole = scores()
    monkeypatch.setattr("exonym.tasks.cloze.model._ROWS_AT_ONCE", 3)
    assert scores() == pytest.approx(whole, abs=1e-5)
