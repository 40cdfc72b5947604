"""A dry run of the paper's scale: every file that its commands read, looked at on this machine.

DATA/
    dumps/                    Wikipedia's dumps of 24 languages, and Wikidata's JSON dump
    xlm-r/                    XLM-R base: config.json, weights, tokenizer
    squad/                    train-v1.1.json, dev-v1.1.json
    xquad/                    xquad.LANG.json of 11 languages
    mlqa/                     test-context-LANG-question-LANG.json of 7 languages: 49 files
    kbp37/                    train.txt, dev.txt
    relx/                     RELX_LANG.txt of 5 languages
    conll/LANG/               train.txt, valid.txt (English), test.txt (en, de, nl, es)
    mlama/LANG/               templates.jsonl and PROPERTY.jsonl
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from exonym.foundation.errors import ExonymError
from exonym.foundation.files import read_json
from exonym.foundation.progress import stage
from exonym.knowledge.building.sources import find_sources
from exonym.systems.recipes import mluke_base
from exonym.tasks import cloze, ner, qa, relation
from exonym.text.languages import MLUKE_LANGUAGES

State = Literal["there", "missing", "wrong"]

XQUAD = ("en", "es", "de", "el", "ru", "tr", "ar", "vi", "th", "zh", "hi")
MLQA = ("en", "de", "es", "ar", "zh", "vi", "hi")
RELX = ("en", "de", "es", "fr", "tr")
CONLL = ("en", "de", "nl", "es")
_XLM_R_PIECES = 250_002
_WEIGHTS = ("model.safetensors", "pytorch_model.bin")


@dataclass(frozen=True, slots=True)
class Check:
    """Something that the commands read.

    Args:
        path: below the data directory.
        state: whether it is there and has the right shape.
        found: what was found, or what is wrong with it.
        source: where it is to be had, by the project's name.
    """

    path: str
    state: State
    found: str
    source: str


@dataclass(frozen=True, slots=True)
class _Wanted:
    path: str
    source: str
    look: Callable[[Path], str]


class _ShapeError(Exception):
    """What is there has not the shape that is needed."""


def check_data(data: Path) -> list[Check]:
    """Look at every file, and read it as its command would.

    Args:
        data: laid out as above.
    """
    wanted = [*_pretraining(), *_tasks()]
    found = []
    with stage("Checking", total=len(wanted), unit="files") as shown:
        for one in wanted:
            shown.note(one.path)
            found.append(_check(data, one))
            shown.advance()
    return found


def dump_bytes(data: Path) -> tuple[int, int]:
    """Compressed bytes of the Wikipedia dumps that are there, and of Wikidata's."""
    try:
        sources = find_sources([data / "dumps"], keep_going=True)
    except (ExonymError, OSError):
        return 0, 0
    return (
        sum(wiki.path.stat().st_size for wiki in sources.wikis),
        sum(path.stat().st_size for path in sources.wikidata),
    )


def _check(data: Path, wanted: _Wanted) -> Check:
    path = data / wanted.path
    if not path.exists():
        return Check(wanted.path, "missing", "", wanted.source)
    try:
        return Check(wanted.path, "there", wanted.look(path), wanted.source)
    except _ShapeError as error:
        return Check(wanted.path, "wrong", str(error), wanted.source)
    except ExonymError as error:
        return Check(wanted.path, "wrong", error.what, wanted.source)
    except OSError as error:
        return Check(wanted.path, "wrong", error.strerror or str(error), wanted.source)


def _pretraining() -> Iterator[_Wanted]:
    fetch = "Wikimedia's dumps: exonym dumps fetch"
    yield _Wanted("dumps", fetch, _dumps)
    yield _Wanted("xlm-r", "XLM-R base, of fairseq or Transformers", _xlm_r)


def _tasks() -> Iterator[_Wanted]:
    for name, size in (("train-v1.1.json", 87_599), ("dev-v1.1.json", 10_570)):
        yield _Wanted(f"squad/{name}", "SQuAD 1.1", _questions(size))
    for code in XQUAD:
        yield _Wanted(f"xquad/xquad.{code}.json", "XQuAD, of Google DeepMind", _questions(1190))
    for context in MLQA:
        for question in MLQA:
            name = f"mlqa/test-context-{context}-question-{question}.json"
            yield _Wanted(name, "MLQA, of Facebook Research", _questions(None))
    for name, size in (("train.txt", 15_917), ("dev.txt", 1_724)):
        yield _Wanted(f"kbp37/{name}", "KBP37, of zhangdongxu/kbp37", _relations("en", size))
    for code in RELX:
        yield _Wanted(f"relx/RELX_{code}.txt", "RELX, of boun-tabi/RELX", _relations(code, 502))
    for code in CONLL:
        splits = ("train", "valid", "test") if code == "en" else ("test",)
        year = "CoNLL-2003 shared task" if code in ("en", "de") else "CoNLL-2002 shared task"
        for split in splits:
            yield _Wanted(f"conll/{code}/{split}.txt", year, _entities(code))
    yield _Wanted("mlama", "mLAMA, of norakassner/mlama", _facts)


def _dumps(path: Path) -> str:
    sources = find_sources([path], keep_going=True)
    there = {wiki.language for wiki in sources.wikis}
    lacking = sorted(set(MLUKE_LANGUAGES) - there)
    if lacking:
        raise _ShapeError(f"no dump of {', '.join(lacking)}")
    if not sources.wikidata:
        raise _ShapeError("no JSON dump of Wikidata")
    return f"{len(sources.wikis)} dumps of {len(there)} languages, Wikidata"


def _xlm_r(path: Path) -> str:
    config, shape = read_json(path / "config.json"), mluke_base().model
    expected = {
        "hidden_size": shape.hidden_size,
        "num_hidden_layers": shape.num_hidden_layers,
        "num_attention_heads": shape.num_attention_heads,
        "intermediate_size": shape.intermediate_size,
        "vocab_size": _XLM_R_PIECES,
        "max_position_embeddings": shape.max_position_embeddings,
    }
    for name, value in expected.items():
        if config.get(name) != value:
            raise _ShapeError(f"{name} is {config.get(name)}, expected {value}")
    if not any((path / name).is_file() for name in _WEIGHTS):
        raise _ShapeError(f"no weights: none of {', '.join(_WEIGHTS)}")
    if not any((path / name).is_file() for name in ("tokenizer.json", "sentencepiece.bpe.model")):
        raise _ShapeError("no tokenizer: neither tokenizer.json nor sentencepiece.bpe.model")
    return f"{shape.num_hidden_layers} layers of {shape.hidden_size}, {_XLM_R_PIECES:,} pieces"


def _questions(size: int | None) -> Callable[[Path], str]:
    def look(path: Path) -> str:
        data = qa.read_examples(path)
        lacking = sum(not one.answers for one in data.examples)
        if lacking:
            raise _ShapeError(f"{lacking:,} questions without an answer")
        return _sized(data.examples, size, "questions")

    return look


def _relations(language: str, size: int) -> Callable[[Path], str]:
    def look(path: Path) -> str:
        data = relation.read_examples(path, language=language)
        if any(one.label is None for one in data.examples):
            raise _ShapeError("examples without a label")
        return f"{_sized(data.examples, size, 'examples')}, {len(data.labels)} labels"

    return look


def _entities(language: str) -> Callable[[Path], str]:
    def look(path: Path) -> str:
        data = ner.read_examples(path, language=language)
        if not data.labels:
            raise _ShapeError("no entity in it")
        return f"{len(data.examples):,} sentences, types {', '.join(data.labels)}"

    return look


def _facts(path: Path) -> str:
    questions = cloze.load_questions(path, keep_going=True)  # as the plan's command does
    codes = {question.language for question in questions.questions}
    if codes.isdisjoint(MLUKE_LANGUAGES):
        raise _ShapeError("no questions in a language of mLUKE")
    notes = [f"{reason}: {count:,}" for reason, count in questions.left_out.items()]
    if lacking := sorted(set(MLUKE_LANGUAGES) - codes):
        notes.insert(0, f"none in {', '.join(lacking)}")
    found = f"{len(questions.questions):,} questions in {len(codes)} languages"
    return "; ".join([found, *notes])


def _sized(examples: Sequence[Any], size: int | None, what: str) -> str:
    if size is not None and len(examples) != size:
        raise _ShapeError(f"{len(examples):,} {what}, expected {size:,}")
    return f"{len(examples):,} {what}"
