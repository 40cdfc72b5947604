"""Building a corpus: MB of text a second and core, step by step, beside SentencePiece alone.

    python benchmarks/corpus.py --dumps elwiki.xml.xz viwiki.xml.xz --tokenizer xlmr/ --out r.json

TOKENIZER is a directory with XLM-R's ``sentencepiece.bpe.model`` or ``tokenizer.json``. The
paragraphs of each language's dumps are timed in turn:

    floor      SentencePiece over whole paragraphs: no sentences, no mentions, lists of ids
    stretches  SentencePiece over what is between the borders of sentences and mentions
    sentences  splitting into sentences
    encode     paragraphs to pieces, entity rows and spans (`PageEncoder`)
    build      the same with packing and writing (`SequenceWriter`)
    objects    `split_sentences` and `EntityTokenizer.pieces`, sentence by sentence

Rounds alternate; the figure is the best round, in processor seconds of one thread, so that other
work on the machine counts for little. MB are millions of bytes of UTF-8. Every mention has a row.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path

from exonym.corpus.encoding import PageEncoder
from exonym.corpus.packing import pack_pages
from exonym.corpus.sequences import in_batches
from exonym.corpus.shards import SequenceWriter
from exonym.knowledge import EntityVocabulary
from exonym.knowledge.vocabulary import SPECIAL_ENTITIES, VocabularyRow
from exonym.text import AnnotatedText
from exonym.text.sentences import sentence_cuts, split_sentences
from exonym.tokenization import EntityTokenizer, WordTokenizer
from exonym.wikimedia import open_dump, read_articles
from exonym.wikimedia.articles import Article

Page = tuple[AnnotatedText, ...]


def read_pages(dumps: Sequence[Path], most_bytes: int) -> dict[str, list[Page]]:
    """Pages by language, of each language about ``most_bytes`` of text."""
    pages: dict[str, list[Page]] = {}
    sizes: Counter[str] = Counter()
    for dump in dumps:
        with open_dump(dump, keep_going=True) as reader:
            for article in read_articles(reader):
                if isinstance(article, Article):
                    if sizes[article.language] >= most_bytes:
                        break
                    pages.setdefault(article.language, []).append(article.paragraphs)
                    sizes[article.language] += size_of([article.paragraphs])
    return {language: found for language, found in pages.items() if sizes[language]}


def size_of(pages: Sequence[Page]) -> int:
    return sum(len(text.text.encode()) for page in pages for text in page)


def vocabulary(pages: dict[str, list[Page]], directory: Path) -> EntityVocabulary:
    """A row for every entity that is mentioned."""
    texts = (text for found in pages.values() for page in found for text in page)
    keys = dict.fromkeys(str(mention.entity) for text in texts for mention in text.mentions)
    rows = [VocabularyRow(key, {}, 0) for key in [*SPECIAL_ENTITIES, *keys]]
    return EntityVocabulary.write(directory, rows)


class Steps:
    """What is timed, over one language's pages."""

    def __init__(self, tokenizer: EntityTokenizer, pages: list[Page], folder: Path) -> None:
        self._tokenizer, self._folder, self._round = tokenizer, folder, 0
        self._texts = [text for page in pages for text in page]
        self._batches = list(in_batches(pages))
        self._encoder = PageEncoder(tokenizer, threads=1)
        self._stretches: list[str] = []
        self._starting: list[bool] = []
        encode = tokenizer.words.encode

        def noting(stretches: list[str], starting: list[bool], **options: object) -> object:
            self._stretches += stretches
            self._starting += starting
            return encode(stretches, starting, **options)  # type: ignore[arg-type]

        tokenizer.words.encode = noting  # type: ignore[method-assign, assignment]
        self.encode()
        tokenizer.words.encode = encode  # type: ignore[method-assign]

    def floor(self) -> None:
        texts = [text.text for text in self._texts]
        self._tokenizer.words.encode(texts, [True] * len(texts), threads=1)

    def stretches(self) -> None:
        self._tokenizer.words.encode(self._stretches, self._starting, threads=1)

    def sentences(self) -> None:
        for text in self._texts:
            sentence_cuts(text.text, text.language)

    def encode(self) -> None:
        for batch in self._batches:
            self._encoder.encode(batch, Counter())

    def build(self) -> None:
        self._round += 1
        counts: Counter[str] = Counter()
        with SequenceWriter(self._folder / str(self._round)) as writer:
            for batch in self._batches:
                encoded = self._encoder.encode(batch, counts)
                packed = pack_pages(encoded, max_words=510, max_entities=128, counts=counts)
                writer.extend(packed)

    def objects(self) -> None:
        for batch in self._batches:
            texts = [text for page in batch for text in page]
            found = [sentence for text in texts for sentence in split_sentences(text)]
            for _ in self._tokenizer.pieces(found):
                pass
            self._tokenizer.rows([mention for text in texts for mention in text.mentions])


def seconds(step: Callable[[], None]) -> float:
    begun = time.process_time()
    step()
    return time.process_time() - begun


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--dumps", type=Path, nargs="+", required=True)
    parser.add_argument("--tokenizer", type=Path, required=True)
    parser.add_argument("--megabytes", type=float, default=2.0, help="most text of a language")
    parser.add_argument("--least", type=float, default=0.02, help="least text of a language, MB")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--out", type=Path, help="JSON with all figures")
    options = parser.parse_args()
    names = ("floor", "stretches", "sentences", "encode", "build", "objects")
    pages = read_pages(options.dumps, int(options.megabytes * 1e6))
    report: dict[str, dict[str, float]] = {}
    print(
        "language     MB  mentions/KB  "
        + "  ".join(f"{name:>9}" for name in names)
        + "  build/floor"
    )
    with tempfile.TemporaryDirectory() as folder:
        words = WordTokenizer.from_directory(options.tokenizer)
        tokenizer = EntityTokenizer(words, vocabulary(pages, Path(folder) / "entities"))
        for language, found in sorted(pages.items()):
            size = size_of(found) / 1e6
            if size < options.least:
                continue
            steps = Steps(tokenizer, found, Path(folder) / language)
            best = dict.fromkeys(names, float("inf"))
            for _ in range(options.rounds):
                for name in names:
                    best[name] = min(best[name], seconds(getattr(steps, name)))
            mentions = sum(len(text.mentions) for page in found for text in page)
            rates = {name: size / best[name] for name in names}
            report[language] = {"MB": size, "mentions": mentions, **rates}
            shown = "  ".join(f"{rates[name]:9.2f}" for name in names)
            share = rates["build"] / rates["floor"]
            print(f"{language:8} {size:6.2f} {mentions / size / 1000:12.1f}  {shown} {share:12.2f}")
    if options.out:
        options.out.write_text(json.dumps(report, indent=2) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
