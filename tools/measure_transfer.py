"""Transfer from English on real benchmarks, by entities and by words, with intervals over seeds.

    python tools/measure_transfer.py run --data ../shared/data --world REPRODUCTION --work WORK
    python tools/measure_transfer.py page --work WORK        # docs/transfer-measured.md

``run`` fine-tunes mLUKE of each seed of a finished `exonym reproduce mluke`, once with entities in
its input (E) and once with words alone (W), by `exonym finetune` on English files as they were
published, and tests it on all files. What is there is not done again, and a run that was killed
goes on. ``page`` keeps the figures in docs/results and puts the tables into the page.
"""

from __future__ import annotations

import argparse
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from exonym.analysis import Interval
from exonym.analysis.task_scores import MEASURES
from exonym.cli.task_options import open_linker, task_files
from exonym.foundation.errors import ExonymError, FormatError, InputError
from exonym.foundation.files import JSON, atomic_file, read_json, write_json
from exonym.systems.reproduction.comparing import difference_over_seeds, mean_over_seeds
from exonym.systems.reproduction.folder import pretrained
from exonym.systems.reproduction.items import Items
from exonym.systems.task_kits import kit_of
from exonym.systems.transfer import load_for, measure, on_device

DOCS = Path(__file__).resolve().parents[1] / "docs"
PAGE, KEPT = DOCS / "transfer-measured.md", DOCS / "results" / "transfer.json"
VARIANTS = ("entities", "words")


@dataclass(frozen=True, slots=True)
class Transfer:
    """A benchmark: trained and chosen in English, tested in several languages.

    Args:
        name: in file names.
        title: for people.
        task: ner, relation or qa.
        train: files below the data; of the world where they begin with ``world/``.
        validation: files to choose the step by.
        tests: files.
        settings: of `exonym finetune`.
        kb: the world's knowledge base links what has no entities.
    """

    name: str
    title: str
    task: str
    train: tuple[str, ...]
    validation: tuple[str, ...]
    tests: tuple[str, ...]
    settings: Mapping[str, str]
    kb: bool = False


_RATE = {"--learning-rate": "1e-3", "--grid": "released"}
TRANSFERS = (
    Transfer(
        "relx",
        "KBP37 → RELX: relations",
        "relation",
        ("kbp37/train.txt",),
        ("kbp37/dev.txt",),
        ("relx/RELX_en.txt", "relx/RELX_de.txt", "relx/RELX_es.txt"),
        {**_RATE, "--batch": "32", "steps": "1000", "validate_steps": "500"},
    ),
    Transfer(
        "uner",
        "Universal NER: English EWT (dev) → other treebanks",
        "ner",
        ("uner/en_ewt-ud-dev.iob2",),
        ("uner/en_ewt-ud-test.iob2",),
        tuple(
            f"uner/{name}-ud-test.iob2"
            for name in ("en_pud", "de_pud", "pt_bosque", "sv_talbanken", "zh_gsd")
        ),
        {**_RATE, "--batch": "16", "steps": "500", "validate_steps": "250"},
    ),
    Transfer(
        "wikineural",
        "WikiNEuRal: English (val) → others",
        "ner",
        ("wikineural/en/val.conllu",),
        ("uner/en_ewt-ud-test.iob2",),
        ("wikineural/en/test.conllu", "wikineural/de/test.conllu", "wikineural/es/test.conllu"),
        {**_RATE, "--batch": "16", "steps": "500", "validate_steps": "250"},
    ),
    Transfer(
        "xquad",
        "Atlas's English questions → XQuAD",
        "qa",
        ("world/questions/train.en.jsonl",),
        ("world/questions/validation.en.jsonl",),
        tuple(f"xquad/xquad.{code}.json" for code in ("en", "es", "ar", "zh")),
        {**_RATE, "--batch": "32", "steps": "500", "validate_steps": "250"},
        kb=True,
    ),
)


@dataclass(frozen=True, slots=True)
class Place:
    """Where things are: the real data, a finished reproduction, and what is measured."""

    data: Path
    world: Path
    work: Path

    def file(self, name: str) -> Path:
        """A file of the data, or of the world."""
        begin, _, rest = name.partition("/")
        return self.world / rest if begin == "world" else self.data / name


def main() -> int:
    """Measure, or write the page."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("what", choices=("run", "page"))
    parser.add_argument("--work", type=Path, required=True, help="where everything goes")
    parser.add_argument("--data", type=Path, help="run: the folder of the benchmarks")
    parser.add_argument("--world", type=Path, help="run: of a finished reproduction")
    parser.add_argument("--seeds", default="0,1,2")
    parser.add_argument("--only", default=",".join(one.name for one in TRANSFERS))
    options = parser.parse_args()
    chosen = [one for one in TRANSFERS if one.name in options.only.split(",")]
    seeds = [int(seed) for seed in options.seeds.split(",")]
    try:
        if options.what == "page":
            write_page(options.work)
            return 0
        if options.data is None or options.world is None:
            parser.error("run needs --data and --world")
        place = Place(options.data, options.world, options.work)
        for one in chosen:
            for seed in seeds:
                for variant in VARIANTS:
                    run(one, variant, seed, place)
            write_json(place.work / f"{one.name}.json", compare(one, seeds, place))
    except ExonymError as error:
        print(f"error: {error}", file=sys.stderr)
        return error.exit_status
    return 0


def run(one: Transfer, variant: str, seed: int, place: Place) -> None:
    """Fine-tune by the command, and keep what the model scores on each test file."""
    files = [place.file(name) for name in one.tests]
    results = [_result(place.work, one, name, variant, seed) for name in one.tests]
    if all(path.is_file() for path in results):
        return
    out = _tuned(place.work, one, variant, seed)
    subprocess.run([*_command(one, variant, seed, place), "--out", str(out)], check=True)
    kit = kit_of(one.task)
    linker = open_linker(place.world / "kb") if one.kb else None
    model = on_device(load_for(kit, str(out / "model"), linker))
    for file, result in zip(files, results, strict=True):
        (part,) = measure(kit, model, task_files([str(file)])).parts
        items = Items(
            (part.language,) * len(part.table), tuple(map(str, part.clusters)), part.table
        )
        items.write(result)


def _command(one: Transfer, variant: str, seed: int, place: Place) -> Iterator[str]:
    model = pretrained(place.world, seed, "mluke")
    yield from (sys.executable, "-m", "exonym", "finetune", one.task, "--model", str(model))
    yield from ("--variant", variant, "--seeds", str(seed))
    for role, names in (("--train", one.train), ("--validation", one.validation)):
        for name in names:
            yield from (role, f"en={place.file(name)}")
    for name, value in one.settings.items():
        yield from (name, value) if name.startswith("--") else ("--set", f"{name}={value}")


def _tuned(work: Path, one: Transfer, variant: str, seed: int) -> Path:
    return work / "tuned" / f"{one.name}-{variant}-{seed}"


def _result(work: Path, one: Transfer, file: str, variant: str, seed: int) -> Path:
    place = _below(file).replace("/", "-")
    return work / "measured" / f"{one.name}-{place}-{variant}-{seed}.json"


def _below(file: str) -> str:
    """A file's name within its benchmark: WikiNEuRal has one ``test.conllu`` for each language."""
    return file.partition("/")[2]


def compare(one: Transfer, seeds: Sequence[int], place: Place) -> JSON:
    """Both ways and their difference, file by file, with intervals over items and seeds."""
    score, measured = next(iter(MEASURES[one.task].items()))
    rows = []
    for name in one.tests:
        runs = {
            variant: [Items.read(_result(place.work, one, name, variant, seed)) for seed in seeds]
            for variant in VARIANTS
        }
        entities, words = runs["entities"], runs["words"]
        rows.append(
            {
                "file": _below(name),
                "language": entities[0].languages[0],
                "items": len(entities[0].languages),
                **{
                    variant: _plain(mean_over_seeds(own, measured)) for variant, own in runs.items()
                },
                "difference": _plain(difference_over_seeds(entities, words, measured)),
            }
        )
    settings = {name.removeprefix("--"): value for name, value in one.settings.items()}
    return {
        "title": one.title,
        "task": one.task,
        "score": score,
        "seeds": list(seeds),
        "train": list(one.train),
        "validation": list(one.validation),
        "validated": {
            variant: [_validated(_tuned(place.work, one, variant, seed)) for seed in seeds]
            for variant in VARIANTS
        },
        "settings": settings,
        "rows": rows,
    }


def _validated(tuned: Path) -> dict[str, float]:
    """Scores of the step that was chosen, on the file it was chosen by."""
    scores = read_json(tuned / "tuning.json")["validation"]
    return {name: score["mean"] for name, score in scores.items()}


def _plain(value: Interval) -> JSON:
    return {name: number for name, number in asdict(value).items() if name != "clusters"}


def write_page(work: Path) -> None:
    """Keep the figures, and put the tables between the page's marks.

    Raises:
        InputError: nothing was measured.
        FormatError: the page has no marks.
    """
    found = {
        one.name: read_json(path)
        for one in TRANSFERS
        if (path := work / f"{one.name}.json").is_file()
    }
    if not found:
        raise InputError("holds nothing that was measured", where=work)
    write_json(KEPT, found)
    text = PAGE.read_text(encoding="utf-8")
    begin, end = "<!-- transfer:begin -->", "<!-- transfer:end -->"
    pattern = re.compile(f"{begin}.*?{end}", re.DOTALL)
    if not pattern.search(text):
        raise FormatError(f"has no {begin} … {end}", where=PAGE)
    tables = "\n\n".join(_table(one) for one in found.values())
    with atomic_file(PAGE) as stream:
        stream.write(pattern.sub(lambda _: f"{begin}\n{tables}\n{end}", text).encode())


def _table(one: JSON) -> str:
    lines = [
        f"### {one['title']}",
        "",
        f"| file | language | items | E: {one['score']} | W: {one['score']} | E − W |",
        "| --- | --- | ---: | ---: | ---: | ---: |",
    ]
    for row in one["rows"]:
        cells = [_cell(row[name]) for name in (*VARIANTS, "difference")]
        lines.append(
            f"| {row['file']} | {row['language']} | {row['items']:,} | {' | '.join(cells)} |"
        )
    settings = ", ".join(f"{name} {value}" for name, value in one["settings"].items())
    seeds = ", ".join(map(str, one["seeds"]))
    lines += [
        "",
        f"Seeds {seeds}; trained on {', '.join(one['train'])}; {settings}. "
        f"On {', '.join(one['validation'])}, by which the step was chosen, seed by seed: "
        f"{'; '.join(_on_validation(one))}.",
    ]
    return "\n".join(lines)


def _on_validation(one: JSON) -> Iterator[str]:
    for variant, label in zip(VARIANTS, "EW", strict=True):
        runs = one["validated"][variant]
        yield f"{label} " + ", ".join(
            f"{name.replace('_', ' ')} {' '.join(f'{100 * run[name]:.1f}' for run in runs)}"
            for name in runs[0]
        )


def _cell(value: Mapping[str, float]) -> str:
    mean, low, high = (100 * value[name] for name in ("value", "low", "high"))
    return f"{mean:.1f} ({low:.1f} to {high:.1f})"


if __name__ == "__main__":
    sys.exit(main())
