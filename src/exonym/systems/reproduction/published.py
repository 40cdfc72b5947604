"""The paper at its own scale: the commands in order, and what they would cost.

The reckoning is that of `systems.recipes.mluke_mini`, which nobody has run either: a sequence of
510 pieces costs 0.4 TFLOP forward and backward, two thirds of that where only the new parameters
train. Fine-tuning is small beside it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from exonym.systems.recipes import mluke_base
from exonym.systems.reproduction.plan import ROWS, TASK_ROWS
from exonym.text.languages import MLUKE_LANGUAGES
from exonym.training import Recipe
from exonym.wikimedia.estimate import estimate_build

_TFLOP_ALL, _TFLOP_NEW = 0.4, 0.4 * 2 / 3
_TFLOP_PER_SECOND = 312 * 0.4
"""Of a GPU with 312 TFLOP/s in bfloat16 (A100), of which 40 % are reached."""
_DAY = 86_400
_EXAMPLES = {"ner": 14_041, "relation": 15_917, "qa": 87_599}
"""To train with, none of them longer than 510 pieces, so that this bounds what a run costs."""
_EPOCHS = {"ner": 5, "relation": 5, "qa": 2}
_SETTINGS = 6  # of the grids of `tasks.recipes`, tried with one seed
_SEEDS = 3
_MODEL_GB = 585e6 * 4 / 1e9
"""mLUKE base: 585 million parameters (its model card) in float32."""
_KEPT = 2  # checkpoints of a run, each with two moments beside the weights
_RUN_GB = _MODEL_GB * (1 + 3 * _KEPT)
_TUNED_GB = _MODEL_GB * (_SEEDS + 1)


@dataclass(frozen=True, slots=True)
class Command:
    """A step of the reproduction at the paper's scale.

    Args:
        line: what to type.
        what: what it does.
        gpu_days: of one A100 with 40 % of its speed; 0 for a processor's work.
        hours: of 16 processes, where it is a processor's work that can be estimated.
        disk_gb: what it leaves, where that can be said.
    """

    line: str
    what: str
    gpu_days: float = 0.0
    hours: float | None = None
    disk_gb: float | None = None


def commands(
    data: Path, out: Path, *, wiki_bytes: int = 0, wikidata_bytes: int = 0
) -> list[Command]:
    """All of it, in order.

    Args:
        data: where dumps, XLM-R and benchmarks are, or will be (`checks.LAYOUT`).
        out: where everything goes.
        wiki_bytes: of the dumps that are there, compressed; 0 leaves out what follows from them.
        wikidata_bytes: the same of Wikidata's.
    """
    return [
        *_corpus(data, out, wiki_bytes, wikidata_bytes),
        *_pretraining(data, out),
        *_questions(data, out),
        *_tasks(data, out),
        *_cloze(data, out),
    ]


def pretraining_days(recipe: Recipe) -> float:
    """GPU-days of a recipe."""
    tflop = sum(
        stage.steps * (_TFLOP_NEW if stage.train == "new" else _TFLOP_ALL)
        for stage in recipe.stages
    )
    return tflop * recipe.batch_sequences / _TFLOP_PER_SECOND / _DAY


def tuning_days(task: str) -> float:
    """GPU-days, at most, of a grid and the other seeds of one row."""
    runs = _SETTINGS + _SEEDS - 1
    return _EXAMPLES[task] * _TFLOP_ALL * _EPOCHS[task] * runs / _TFLOP_PER_SECOND / _DAY


def _corpus(data: Path, out: Path, wiki_bytes: int, wikidata_bytes: int) -> Iterator[Command]:
    languages = ",".join(MLUKE_LANGUAGES)
    yield Command(
        f"exonym dumps fetch --out {data}/dumps --languages {languages} --contact YOU@EXAMPLE.ORG",
        "the dumps; with --dry-run it says their sizes first",
    )
    hours = disk = None
    if wiki_bytes:
        built = estimate_build(wiki_bytes, wikidata_bytes, 16)
        hours, disk = built.seconds / 3600, built.disk_bytes / 1e9
    yield Command(
        f"exonym kb build --dumps {data}/dumps --out {out}/kb --processes 16",
        "the knowledge base",
        hours=hours,
        disk_gb=disk,
    )
    yield Command(
        f"exonym corpus build --kb {out}/kb --out {out}/corpus --tokenizer {data}/xlm-r "
        "--processes 16",
        "sequences of 512 pieces, XLM-R's tokenizer, 1.2 million entities",
    )


def _pretraining(data: Path, out: Path) -> Iterator[Command]:
    recipe = mluke_base()
    new = pretraining_days(recipe)
    words = recipe.batch_sequences * sum(s.steps for s in recipe.stages) * _TFLOP_ALL
    base = f"exonym pretrain --corpus {out}/corpus --recipe mluke-base"
    backbone = f"--set model.backbone={data}/xlm-r --set sequences_at_once=32"
    yield Command(
        f"{base} --out {out}/mluke {backbone}",
        "mLUKE; with torchrun on several GPUs",
        gpu_days=new,
        disk_gb=_RUN_GB,
    )
    yield Command(
        f"{base} --out {out}/words-only --words-only {backbone}",
        'the control: XLM-R with extra training ("XLM-R + training")',
        gpu_days=words / _TFLOP_PER_SECOND / _DAY,
        disk_gb=_RUN_GB,
    )
    yield Command(
        f"exonym checkpoint convert {out}/mluke/model {out}/random --random-entities 0",
        "mLUKE with random entity vectors",
        disk_gb=_MODEL_GB,
    )


def _questions(data: Path, out: Path) -> Iterator[Command]:
    yield Command(
        f"exonym data link qa {data}/squad/*.json {data}/xquad/*.json {data}/mlqa/*.json "
        f"--kb {out}/kb --out {out}/questions --general",
        "entities of questions and passages, by source article",
    )


def _tasks(data: Path, out: Path) -> Iterator[Command]:
    files = {
        "qa": (f"{out}/questions/train-v1.1.jsonl", f"{out}/questions/dev-v1.1.jsonl"),
        "relation": (f"{data}/kbp37/train.txt", f"{data}/kbp37/dev.txt"),
        "ner": (f"{data}/conll/en/train.txt", f"{data}/conll/en/valid.txt"),
    }
    tests = {
        "qa": f"{out}/questions/xquad.*.jsonl {out}/questions/test-context-*.jsonl",
        "relation": f"{data}/relx/RELX_*.txt",
        "ner": " ".join(
            f"{code}={data}/conll/{code}/test.txt" for code in ("en", "de", "nl", "es")
        ),
    }
    for task, (train, validation) in files.items():
        for row in (ROWS[name] for name in TASK_ROWS[task]):
            yield Command(
                f"exonym finetune {task} --model {out}/{row.run} --variant {row.variant} "
                f"--train {train} --validation {validation} --out {out}/tuned/{task}-{row.name}",
                f"{task}, {row.name}: the grid, then three seeds",
                gpu_days=tuning_days(task),
                disk_gb=_TUNED_GB,
            )
        yield Command(
            f"exonym evaluate {task} {tests[task]} --model {out}/tuned/{task}-mluke_e "
            f"--against {out}/tuned/{task}-words_only --out {out}/{task}.md",
            f"{task}: all languages, mLUKE-E against the control, with intervals",
        )


def _cloze(data: Path, out: Path) -> Iterator[Command]:
    there = (data / "mlama", data / "mlama" / "mlama1.1")
    codes = [code for code in MLUKE_LANGUAGES if any((one / code).is_dir() for one in there)]
    asked = (
        f"exonym evaluate cloze --model {out}/mluke/model --control {out}/words-only/model "
        f"--questions {data}/mlama --languages {','.join(codes or MLUKE_LANGUAGES)} --keep-going"
    )
    for unknown, name, what in (
        ("leave-out", "known", "of what the entity vocabulary knows: the paper's first table"),
        ("words", "all", "all of it, the words of a candidate where it has no entity: the second"),
    ):
        yield Command(
            f"{asked} --unknown {unknown} --out {out}/cloze-{name}.json",
            f"facts of mLAMA by words, by [Y], by [X] and [Y]; language bias; {what}",
        )


def totals(steps: Sequence[Command]) -> tuple[float, float]:
    """GPU-days, and GB of disk as far as they can be said."""
    return sum(step.gpu_days for step in steps), sum(step.disk_gb or 0.0 for step in steps)
