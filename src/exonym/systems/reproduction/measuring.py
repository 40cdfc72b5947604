"""What single processes do: fine-tune and test a model, ask it for facts, compare its vectors.

Each function writes its results under their final names when it has all of them; they are small
jobs that do not depend on each other.
"""

from __future__ import annotations

import itertools
from collections.abc import Hashable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from exonym.analysis import halves, most_frequent_wrong_share
from exonym.analysis.modularity import NEAREST, modularity
from exonym.foundation.json_lines import read_json_lines
from exonym.systems import mluke
from exonym.systems.reproduction.folder import measured_file, pretrained
from exonym.systems.reproduction.items import Halves, Items
from exonym.systems.reproduction.plan import INPUT, ROWS, SOURCE, TRAINING
from exonym.systems.reproduction.questions import (
    groups_of,
    pair_files,
    read_test_questions,
    test_files,
)
from exonym.systems.task_kits import Kit, kit_of
from exonym.systems.transfer import TaskFile, find_model, on_device, tune_task
from exonym.tasks import cloze
from exonym.tasks.cloze.metrics import chance, most_frequent
from exonym.tasks.tuning import Grid

_HALVES = 100
_LEAST_CLUSTERS = 2  # to take halves of
_BATCH = 64


def tuned_model(work: Path, task: str, row: str, seed: int) -> None:
    """Fine-tune a row's model of one seed on English, and test it in all languages.

    Args:
        work: the folder of the reproduction.
        task: ``"qa"``, ``"relation"`` or ``"ner"``.
        row: of `plan.ROWS`.
        seed: of the pretrained model; the same is that of the new head.
    """
    kit, chosen = kit_of(task), ROWS[row]
    done = tune_task(
        kit,
        pretrained(work, seed, chosen.run),
        [TaskFile(_training_file(work, task, "train"))],
        [TaskFile(_training_file(work, task, "validation"))],
        work / "tuned" / task / f"{row}-{seed}",
        grid=Grid.of(TRAINING[task]),
        seeds=(seed,),
        variant=chosen.variant,
        settings=INPUT.get(task, {}),
        progress=False,
    )
    model = on_device(kit.load(done.tuned.model, None))
    if task == "qa":
        _test_questions(work, kit, model, row, seed)
        return
    files = {path.parent.name: path for path in (work / "benchmarks" / task).glob("*/test.jsonl")}
    ids = {path: [str(line["id"]) for _, line in read_json_lines(path)] for path in files.values()}
    items = _tested(kit, model, [files[code] for code in sorted(files)], ids)
    items.write(measured_file(work, task, row, seed))


def _test_questions(work: Path, kit: Kit, model: Any, row: str, seed: int) -> None:
    questions = work / "questions"
    same, pairs = list(test_files(questions).values()), pair_files(questions)
    read = {path: kit.read(path, None, None).examples for path in (*same, *pairs)}
    groups = groups_of(read[path] for path in same)
    clusters = {
        path: [groups.get(example.id, example.id) for example in examples]
        for path, examples in read.items()
    }
    found = {"xqa": pairs, "qa": same}
    for table, files in found.items():
        if files:
            _tested(kit, model, files, clusters).write(measured_file(work, table, row, seed))


def _training_file(work: Path, task: str, split: str) -> Path:
    if task == "qa":
        return work / "questions" / f"{split}.{SOURCE}.jsonl"
    return work / "benchmarks" / task / SOURCE / f"{split}.jsonl"


def _tested(
    kit: Kit, model: Any, files: Sequence[Path], clusters: Mapping[Path, Sequence[str]]
) -> Items:
    """What a model scores on files of one language, or pair of languages, each."""
    read = {path: kit.require_gold(path, kit.read(path, None, None)) for path in files}
    labels = {*kit.labels(model), *(label for data in read.values() for label in data.labels)}
    parts = []
    for path, data in read.items():
        predicted = list(kit.predict(model, data.examples, _BATCH))
        (part,) = kit.parts(path.name, data.examples, predicted, sorted(labels))
        own = tuple(clusters[path])
        parts.append(Items((part.language,) * len(own), own, part.table))
    return Items.joined(parts)


def asked_facts(work: Path, row: str, seed: int) -> None:
    """Ask a model for all facts that the language never tells, and for the control's.

    Args:
        work: the folder of the reproduction.
        row: of `tables.ASKED`, or a baseline, whose seed does not matter.
        seed: of the pretrained model.
    """
    questions = cloze.load_questions(work / "atlas" / "cloze")
    for kind, table in (("control", "control"), ("untold", "cloze")):
        asked = [question for question in questions.questions if question.told == kind]
        if not asked:
            continue
        if row == "chance":
            scores = chance(asked, questions)
        elif row == "most_frequent":
            scores = cloze.score(most_frequent(asked, questions))
        else:
            answers = _answers(work, row, seed, questions, asked)
            scores = cloze.score(answers)
            facts = {(question.subject, question.relation) for question in asked}
            if table == "cloze" and len(facts) >= _LEAST_CLUSTERS:
                _bias(answers).write(measured_file(work, "bias", row, seed))
        _scored(scores).write(measured_file(work, table, row, seed))


def _answers(
    work: Path,
    row: str,
    seed: int,
    questions: cloze.ClozeSet,
    asked: Sequence[cloze.Question],
) -> list[cloze.Answer]:
    (way,) = (way for way in mluke.WAYS if way.name == row)
    model = cloze.load(find_model(pretrained(work, seed, "words-only" if way.control else "mluke")))
    return list(cloze.answer(model, asked, questions, way.asking))


def _scored(scores: cloze.Scores) -> Items:
    """In an order that is the same for all ways of answering; facts are the clusters."""
    ordered = sorted(scores, key=lambda one: one[:2])
    return Items(
        tuple(code for code, _, _ in ordered),
        tuple(" ".join(fact) for _, fact, _ in ordered),
        np.asarray([[score, 1.0] for _, _, score in ordered]),
    )


def _bias(answers: Sequence[cloze.Answer]) -> Halves:
    """The share of the most frequent wrong answer, on the same halves of the facts for all rows."""
    ordered = sorted(answers, key=lambda one: _place(one.question))
    facts: list[Hashable] = [(one.question.subject, one.question.relation) for one in ordered]
    errors = [(one.question.language, one.question.relation, one.entity) for one in ordered]
    wrong = np.asarray([not one.correct for one in ordered])

    def of(chosen: npt.NDArray[np.bool_]) -> float:
        places = np.flatnonzero(chosen & wrong)
        return most_frequent_wrong_share(errors[place] for place in places).share

    whole = most_frequent_wrong_share(errors[place] for place in np.flatnonzero(wrong))
    of_halves = tuple(of(half) for half in halves(facts, _HALVES))
    return Halves(whole.share, of_halves, len(set(facts)), whole.by_language)


def _place(question: cloze.Question) -> tuple[str, str, str]:
    return question.language, question.relation, question.subject


def compared_vectors(work: Path, row: str, seed: int) -> None:
    """Retrieval and modularity of the answer spans in a pretrained model's vectors.

    Args:
        work: the folder of the reproduction.
        row: of `plan.ROWS`.
        seed: of the pretrained model.
    """
    from exonym.analysis.retrieval import aligned_spans, retrieve, span_vectors
    from exonym.modeling import EntityEncoder
    from exonym.tokenization import EntityTokenizer

    chosen = ROWS[row]
    path = find_model(pretrained(work, seed, chosen.run))
    encoder, tokenizer = EntityEncoder.from_pretrained(path), EntityTokenizer.from_pretrained(path)
    encoder.eval()
    questions = read_test_questions(work / "questions")
    passages = groups_of(questions.values())
    spans = aligned_spans(questions, SOURCE)
    vectors = {
        code: span_vectors(
            encoder, tokenizer, own, entities=chosen.variant == "entities", batch_size=_BATCH
        )
        for code, own in spans.items()
    }
    found = sorted(retrieve(spans, vectors, SOURCE, draws=1).scores, key=lambda one: one[:2])
    ranks = Items(
        tuple(code for code, _, _ in found),
        tuple(passages[key] for _, key, _ in found),
        np.asarray([[rank, 1.0] for _, _, rank in found]),
    )
    keys = [passages[span.key] for own in spans.values() for span in own]
    languages = [code for code, own in spans.items() for _ in own]
    mixed = _modularity(np.concatenate(list(vectors.values())), languages, keys)
    if mixed is not None:
        mixed.write(measured_file(work, "modularity", row, seed))
    ranks.write(measured_file(work, "retrieval", row, seed))


def _modularity(
    vectors: npt.NDArray[np.float64], languages: Sequence[str], clusters: Sequence[Hashable]
) -> Halves | None:
    """On all vectors and on halves of them; None where a half has no neighbours to look at."""
    if len(set(clusters)) < _LEAST_CLUSTERS:
        return None
    found = []
    for half in halves(clusters, _HALVES):
        own = list(itertools.compress(languages, half))
        if len(own) <= NEAREST or len(set(own)) == 1:
            return None
        found.append(modularity(vectors[half], own).value)
    return Halves(modularity(vectors, languages).value, tuple(found), len(set(clusters)), {})
