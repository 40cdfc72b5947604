"""Making the masked batches of pretraining: milliseconds a step, whole and shared out.

    python benchmarks/data_loading.py

Two corpora of random sequences in 24 languages are written into a temporary directory:

    paper   sequences of 510 pieces with 40 entities, 2048 a step
    small   sequences of 4 to 46 pieces with 2 entities, 192 a step (as the quickstart's)

For each, shares of a step: the whole, 8 sequences of it, one of 8 processes, one of 256. ``order``
is which sequences and where they lie, for all of the step; ``read`` fetches and pads those of the
share; ``mask`` is the rest. The figures are processor milliseconds of one thread, the median of the
steps, so that other work on the machine counts for little; ``largest`` is the slowest step, which
has a new block of the order to make.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from exonym.corpus import Corpus, LanguageSampling, Masking, PretrainingData
from exonym.corpus.gathering import SequenceReader
from exonym.corpus.packing import PackedSequences
from exonym.corpus.shards import FORMAT, VERSION, SequenceWriter
from exonym.foundation.files import write_manifest
from exonym.knowledge import EntityVocabulary
from exonym.knowledge.vocabulary import SPECIAL_ENTITIES, VocabularyRow
from exonym.text.languages import MLUKE_LANGUAGES
from exonym.tokenization import train_word_tokenizer

ENTITIES = 1000


@dataclass(frozen=True)
class Size:
    """A corpus and its batches: sequences have between ``least`` and ``most`` pieces."""

    name: str
    least: int
    most: int
    entities: int
    sequences: int
    batch: int
    shares: tuple[tuple[str, int, int], ...]  # what is timed: name, processes, micro-batches


PAPER = (("whole", 1, 1), ("8 sequences", 1, 256), ("1 of 8", 8, 1), ("1 of 256", 256, 1))
SIZES = (
    Size("paper", 510, 510, 40, 800, 2048, PAPER),
    Size("small", 4, 46, 2, 2500, 192, (("whole", 1, 1), ("1 of 8", 8, 1))),
)


def write_corpus(out: Path, size: Size) -> Corpus:
    """A corpus of random sequences, ``size.sequences`` in each language."""
    out.mkdir()
    words = train_word_tokenizer(
        [f"{a}{b}{c}" for a in "abcdefgh" for b in "ijklmnop" for c in "qrstuvwx"],
        out,
        vocabulary_size=200,
    )
    names = [*SPECIAL_ENTITIES, *(f"Q{number}" for number in range(1, ENTITIES + 1))]
    EntityVocabulary.write(out / "entities", [VocabularyRow(name, {}, 0) for name in names])
    rng = np.random.default_rng(0)
    for language in MLUKE_LANGUAGES:
        lengths = rng.integers(size.least, size.most + 1, size.sequences)
        starts = rng.integers(0, np.repeat(lengths, size.entities) - 2)
        with SequenceWriter(out / language) as writer:
            writer.extend(
                PackedSequences(
                    rng.integers(4, words.mask_id, lengths.sum(), dtype=np.int32),
                    lengths,
                    rng.integers(4, len(names), len(starts), dtype=np.int32),
                    np.stack([starts, starts + 3], axis=1).astype(np.int32),
                    np.full(size.sequences, size.entities),
                )
            )
    write_manifest(out, format=FORMAT, version=VERSION, languages=dict.fromkeys(MLUKE_LANGUAGES, 0))
    return Corpus.open(out)


def processor_ms(work: Callable[[int], object], steps: range) -> list[float]:
    times = []
    for step in steps:
        started = time.thread_time()
        work(step)
        times.append(1e3 * (time.thread_time() - started))
    return times


def figures(corpus: Corpus, size: Size, masking: Masking, steps: int) -> Iterator[str]:
    data = PretrainingData(
        corpus,
        corpus.tokenizer(),
        masking=masking,
        sampling=LanguageSampling(),
        batch_sequences=size.batch,
        seed=0,
        held_out=100,
    )
    reader, places = SequenceReader(corpus), np.arange(size.batch)
    data.share(0, world=size.batch)  # the first block, and the files into memory
    for name, world, parts in size.shares:
        # A micro-batch is a share of its own: as many processes stand in for it.
        rows = places[:: world * parts]
        order = processor_ms(
            lambda step: reader.extents(data.references(step), places), range(steps)
        )
        extents = reader.extents(data.references(0), places).take(rows)
        read = processor_ms(
            lambda _, extents=extents: reader.read(
                extents, pad_id=1, with_entities=masking.with_entities
            ),
            range(steps),
        )
        total = processor_ms(
            lambda step, hands=world * parts: data.share(step, world=hands), range(1, steps + 1)
        )
        whole, ordered, fetched = map(statistics.median, (total, order, read))
        yield (
            f"{size.name:8}{name:14}{len(rows):>10}{whole:>10.2f}{ordered:>10.2f}{fetched:>10.2f}"
            f"{whole - ordered - fetched:>10.2f}{max(total):>10.2f}"
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--steps", type=int, default=30, help="that are timed")
    options = parser.parse_args()
    rates = {"the paper's": Masking(), "all options": Masking(0.15, 0.15, 0.6, 0.4, 0.3)}
    with tempfile.TemporaryDirectory() as folder:
        corpora = [write_corpus(Path(folder) / size.name, size) for size in SIZES]
        for name, masking in rates.items():
            print(f"masking: {name}; processor ms of a step")
            heads = ("sequences", "share", "order", "read", "mask", "largest")
            print(f"{'size':8}{'share':14}" + "".join(f"{head:>10}" for head in heads))
            for corpus, size in zip(corpora, SIZES, strict=True):
                for line in figures(corpus, size, masking, options.steps):
                    print(line)


if __name__ == "__main__":
    main()
