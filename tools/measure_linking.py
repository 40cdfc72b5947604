"""How well texts are linked, by language, with bootstrap intervals; as JSON and Markdown tables.

    python tools/measure_linking.py atlas --world runs/quickstart --work WORK
    python tools/measure_linking.py wikipedia --data ../shared/data/wikipedia --work WORK

``atlas`` tells the table of a quickstart's world again with another seed, and asks about sentences
that the first telling does not have: the knowledge base and the model have never seen them.
``wikipedia`` builds a knowledge base from dumps in which some of the pages are without text, and
asks about those: their names are counted on other pages. Both write WORK/NAME.json and
WORK/NAME.md. What is there of worlds and knowledge bases is not made again.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from exonym.atlas import write_atlas
from exonym.foundation.errors import ExonymError, InputError
from exonym.foundation.files import JSON, atomic_file, read_manifest, write_json
from exonym.foundation.progress import stage
from exonym.knowledge import KnowledgeBase, build_knowledge_base
from exonym.linking import Linker, LinkingOptions
from exonym.linking.options import Order, Scorer
from exonym.wikimedia import open_dump
from linking_quality.gold import (
    Gold,
    held_out_sentences,
    paragraphs_to_test,
    write_without_tested,
)
from linking_quality.page import tables
from linking_quality.scores import Items, score_detection, score_disambiguation

WAYS: dict[str, tuple[Scorer, Order]] = {
    "words": ("words", "together"),
    "entities": ("entities", "together"),
    "entities, confident first": ("entities", "confident-first"),
}


def main() -> int:
    """Measure, and write the results."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("what", choices=("atlas", "wikipedia"))
    parser.add_argument("--work", type=Path, required=True, help="where everything goes")
    parser.add_argument("--world", type=Path, help="atlas: a quickstart's folder")
    parser.add_argument("--seed", type=int, default=1, help="atlas: of the other telling")
    parser.add_argument("--data", type=Path, help="wikipedia: a folder of dumps")
    parser.add_argument("--part", type=int, default=0, help="wikipedia: which pages are tested")
    parser.add_argument("--parts", type=int, default=5, help="wikipedia: of how many parts")
    parser.add_argument("--model", type=Path, help="a checkpoint (atlas: else the world's)")
    parser.add_argument("--languages", help="some of them, with commas between")
    parser.add_argument("--texts", type=int, default=1000, help="of each language, at most")
    parser.add_argument("--cover", default="best", choices=("best", "longest"))
    parser.add_argument("--prior-weight", type=float, default=LinkingOptions().prior_weight)
    options = parser.parse_args()
    try:
        kb, golds, model = _atlas(options) if options.what == "atlas" else _wikipedia(options)
        results = measure(kb, golds, model, options)
    except ExonymError as error:
        print(f"error: {error}", file=sys.stderr)
        return error.exit_status
    write_json(options.work / f"{options.what}.json", results)
    with atomic_file(options.work / f"{options.what}.md") as stream:
        stream.write(tables(results).encode())
    print(tables(results))
    return 0


def measure(
    kb: KnowledgeBase, golds: list[Gold], model: Path | None, options: argparse.Namespace
) -> JSON:
    """Detection, and disambiguation by every way that there is a model for."""
    if not golds:
        raise InputError("there is no text to ask about")
    index = options.work / f"linking-{options.what}"  # nothing is written beside the world
    by_prior = LinkingOptions(cover=options.cover, scorer="prior")
    linkers = {"prior": Linker.open(kb, options=by_prior, index=index)}
    if model is not None:
        from exonym.linking.disambiguation.model import LinkingModel

        loaded = LinkingModel.load(model)
        for name, (scorer, order) in WAYS.items():
            by_model = LinkingOptions(scorer=scorer, order=order, prior_weight=options.prior_weight)
            linkers[name] = Linker.open(kb, model=loaded, options=by_model, index=index)
    items = Items()
    languages = sorted({gold.text.language for gold in golds})
    with stage("Linking", total=len(golds), unit="texts") as progress:
        for language in languages:
            own = [gold for gold in golds if gold.text.language == language]
            score_detection(linkers["prior"], own, items)
            score_disambiguation(linkers, own, items)
            progress.advance(len(own))
    return {
        "cover": options.cover,
        "prior_weight": options.prior_weight,
        "model": None if model is None else str(model),
        "estimates": items.estimates(),
        "counts": items.counts,
    }


def _atlas(options: argparse.Namespace) -> tuple[KnowledgeBase, list[Gold], Path | None]:
    if options.world is None:
        raise InputError("the folder of a quickstart is needed", remedy="Give it: --world DIR")
    kb = KnowledgeBase.open(options.world / "kb")
    told = read_manifest(
        options.world / "atlas", format="exonym-atlas", version=1, remedy="Run the quickstart"
    )
    if told["seed"] == options.seed:
        raise InputError(f"the world was told with seed {options.seed}", remedy="Take another")
    telling, other = (options.work / f"{name}-{options.seed}" for name in ("atlas", "kb"))
    if not telling.exists():
        write_atlas(telling, entities=told["entities"], seed=options.seed, languages=kb.languages)
    if not other.exists():
        build_knowledge_base([telling], other)
    again = KnowledgeBase.open(other)
    golds = [
        gold
        for language in _wanted(options, kb)
        for gold in held_out_sentences(kb, again, language, options.texts)
    ]
    return kb, golds, options.model or options.world / "mluke" / "model"


def _wikipedia(options: argparse.Namespace) -> tuple[KnowledgeBase, list[Gold], Path | None]:
    if options.data is None or not options.data.is_dir():
        raise InputError("a folder of dumps is needed", remedy="Give it: --data DIR")
    name = f"{options.part}-of-{options.parts}"
    dumps, out = options.work / f"dumps-{name}", options.work / f"wikipedia-{name}"
    sources = sorted(path for path in options.data.iterdir() if ".xml" in path.suffixes)
    if not out.exists():
        for source in sources:
            target = dumps / f"{source.name.partition('.')[0]}.xml"
            pages, emptied = write_without_tested(source, target, options.part, options.parts)
            print(f"{source.name}: {pages:,} pages, {emptied:,} tested", file=sys.stderr)
        build_knowledge_base(sorted(dumps.rglob("*.xml")), out, keep_going=True, any_language=True)
    kb = KnowledgeBase.open(out)
    wanted = _wanted(options, kb)
    golds: dict[str, list[Gold]] = {language: [] for language in wanted}
    for source in sources:
        if open_dump(source, keep_going=True).siteinfo.language in golds:
            for gold in paragraphs_to_test(kb, source, options.part, options.parts):
                if len(own := golds[gold.text.language]) < options.texts:
                    own.append(gold)
    return kb, [gold for own in golds.values() for gold in own], options.model


def _wanted(options: argparse.Namespace, kb: KnowledgeBase) -> list[str]:
    chosen = options.languages.split(",") if options.languages else kb.languages
    return [language for language in kb.languages if language in chosen]


if __name__ == "__main__":
    sys.exit(main())
