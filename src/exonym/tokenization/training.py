"""Training a word tokenizer for a new model: SentencePiece unigram, XLM-R's id layout."""

from __future__ import annotations

import io
from collections.abc import Iterable
from pathlib import Path

from exonym.foundation.errors import ConfigError
from exonym.tokenization.words import WordTokenizer


def train_word_tokenizer(
    texts: Iterable[str], directory: Path, *, vocabulary_size: int
) -> WordTokenizer:
    """Train a unigram on texts and write it as mLUKE's repositories hold it.

    One thread, so that the same texts give the same pieces. The markers ``<ent>`` and ``<ent2>``
    get the ids behind ``<mask>``.

    Args:
        texts: sentences; their mixture of languages is the mixture the pieces will favour.
        directory: an existing directory.
        vocabulary_size: most ids, XLM-R's five special pieces and the two markers included;
            fewer come out where the text is too small for so many.

    Raises:
        ConfigError: there is no text, or it has more distinct characters than pieces allowed.
    """
    import sentencepiece

    model = io.BytesIO()
    try:
        sentencepiece.SentencePieceTrainer.train(
            sentence_iterator=iter(texts),
            model_writer=model,
            model_type="unigram",
            vocab_size=vocabulary_size - 4,  # <pad>, <mask>, <ent>, <ent2> are no pieces of it
            hard_vocab_limit=False,  # little text has fewer pieces to offer
            character_coverage=0.9999,
            normalization_rule_name="nmt_nfkc",
            max_sentence_length=1 << 20,
            num_threads=1,
            minloglevel=2,
        )
    except RuntimeError as error:
        raise ConfigError(
            f"no unigram with {vocabulary_size} pieces can be trained on this text "
            f"({_reason(error)})",
            remedy="Choose another --vocabulary-size, or give more text",
        ) from error
    words = WordTokenizer(model.getvalue())
    words.save(directory)
    return words


def _reason(error: RuntimeError) -> str:
    """SentencePiece puts the useful words behind the last bracket of its message."""
    return str(error).strip().splitlines()[-1].rsplit("] ", 1)[-1].rstrip(". ")
