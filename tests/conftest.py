"""Fixtures that more than one room's tests use."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, settings

# Models as small as the tests' only lose by threads, above all beside each other. Set before torch
# is loaded, here and in the processes that tests start.
os.environ["OMP_NUM_THREADS"] = "1"

# How long an example takes depends on what else the machine does, and decides nothing.
settings.register_profile("exonym", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("exonym")

# A shell's background jobs ignore Ctrl-C, and so would all that is tested in one.
if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Real data beside the checkout; tests that need it are skipped where it is absent."""
    path = Path(__file__).resolve().parents[1].parent / "shared" / "data"
    if not path.is_dir():
        pytest.skip("needs the real data in ../shared/data, which is not here")
    return path


SENTENCES = (
    "Tokyo is the capital of Japan and its largest city.",
    "Berlin ist die Hauptstadt von Deutschland, München die von Bayern.",
    "東京都は日本の首都である。大阪府は西にある。",
    "北京是中华人民共和国的首都，上海是最大的城市。",
    "กรุงเทพมหานครเป็นเมืองหลวงของประเทศไทย",
    "القاهرة هي عاصمة مصر وأكبر مدنها",
    "दिल्ली भारत की राजधानी है और मुंबई सबसे बड़ा नगर",
    "Москва является столицей России.",
    "Η Αθήνα είναι πρωτεύουσα της Ελλάδας.",
    "서울은 대한민국의 수도이다.",
    "Nairobi ni mji mkuu wa Kenya.",
    "Paris est la capitale de la France : 2 102 650 habitants.",
)


@pytest.fixture(scope="session")
def tiny_tokenizer_directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory with a tokenizer of a few hundred pieces in a dozen scripts."""
    from exonym.tokenization import train_word_tokenizer

    directory = tmp_path_factory.mktemp("tiny-tokenizer")
    words = [word for sentence in SENTENCES for word in sentence.split()]
    texts = [
        " ".join(words[(start + step * 7) % len(words)] for step in range(9))
        for start in range(len(words))
    ]
    train_word_tokenizer([*SENTENCES, *texts], directory, vocabulary_size=420)
    return directory


@pytest.fixture(scope="session")
def make_corpus(tiny_tokenizer_directory: Path) -> Callable[..., Path]:
    """Writes a corpus of random sequences: ``make_corpus(out, {"en": 40, "ja": 20})``."""

    def make(out: Path, sizes: dict[str, int], *, longest: int = 24, entities: int = 12) -> Path:
        from exonym.corpus.shards import FORMAT, VERSION, SequenceWriter
        from exonym.foundation.files import write_manifest
        from exonym.knowledge import EntityVocabulary
        from exonym.knowledge.vocabulary import SPECIAL_ENTITIES, VocabularyRow
        from exonym.tokenization import WordTokenizer

        out.mkdir(parents=True)
        words = WordTokenizer.from_directory(tiny_tokenizer_directory)
        words.save(out)
        names = [*SPECIAL_ENTITIES, *(f"Q{number}" for number in range(1, entities + 1))]
        EntityVocabulary.write(out / "entities", [VocabularyRow(name, {}, 0) for name in names])
        rng = np.random.default_rng(0)
        pieces = 0
        for language, size in sizes.items():
            with SequenceWriter(out / language) as writer:
                for _ in range(size):
                    length = int(rng.integers(4, longest + 1))
                    pieces += length
                    count = int(rng.integers(1, 4))
                    starts = rng.integers(0, length - 2, count)
                    spans = np.stack([starts, starts + rng.integers(1, 3, count)], axis=1)
                    writer.append(
                        rng.integers(5, words.mask_id, length).astype(np.int32),
                        rng.integers(4, len(names), count).astype(np.int32),
                        spans.astype(np.int32),
                    )
        write_manifest(
            out,
            format=FORMAT,
            version=VERSION,
            options={"max_words": longest},
            languages={language: {"sequences": size} for language, size in sizes.items()},
            totals={"sequences": sum(sizes.values()), "words": pieces},
        )
        return out

    return make
