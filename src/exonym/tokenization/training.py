"""Training a word tokenizer for a new model: SentencePiece unigram, XLM-R's id layout."""

from __future__ import annotations

import io
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import orjson

from exonym.foundation.errors import ConfigError
from exonym.foundation.files import atomic_file
from exonym.tokenization.words import TOKENIZER_FILE, WordTokenizer

SENTENCEPIECE_FILE = "sentencepiece.bpe.model"  # the name that XLM-R's repositories use
_SPECIALS_BEFORE = ("<s>", "<pad>", "</s>", "<unk>")


def train_word_tokenizer(
    texts: Iterable[str], directory: Path, *, vocabulary_size: int
) -> WordTokenizer:
    """Train a unigram on texts and write it as XLM-R's repositories hold it.

    Writes ``sentencepiece.bpe.model`` and ``tokenizer.json``. One thread, so that the same texts
    give the same pieces.

    Args:
        texts: sentences; their mixture of languages is the mixture the pieces will favour.
        directory: an existing directory.
        vocabulary_size: most ids, XLM-R's five special pieces included; fewer come out where
            the text is too small for so many.

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
            vocab_size=vocabulary_size - 2,  # <pad> and <mask> are no SentencePiece pieces
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
    with atomic_file(directory / SENTENCEPIECE_FILE) as stream:
        stream.write(model.getvalue())
    definition = xlmr_definition(model.getvalue())
    with atomic_file(directory / TOKENIZER_FILE) as stream:
        stream.write(orjson.dumps(definition, option=orjson.OPT_INDENT_2))
    return WordTokenizer.from_directory(directory)


def _reason(error: RuntimeError) -> str:
    """SentencePiece puts the useful words behind the last bracket of its message."""
    return str(error).strip().splitlines()[-1].rsplit("] ", 1)[-1].rstrip(". ")


def xlmr_definition(model: bytes) -> dict[str, Any]:
    """The ``tokenizer.json`` content that gives a SentencePiece model XLM-R's ids.

    SentencePiece's own three special pieces come first in its model; XLM-R puts four in front and
    ``<mask>`` at the end, so that piece number i (from 3 on) has id i + 1.
    """
    from sentencepiece import sentencepiece_model_pb2
    from tokenizers import AddedToken, Regex, Tokenizer, normalizers, pre_tokenizers, processors
    from tokenizers.models import Unigram

    proto = sentencepiece_model_pb2.ModelProto.FromString(model)  # type: ignore[attr-defined]
    pieces = [(piece.piece, piece.score) for piece in proto.pieces[3:]]
    vocabulary = [(piece, 0.0) for piece in _SPECIALS_BEFORE] + pieces + [("<mask>", 0.0)]
    tokenizer = Tokenizer(Unigram(vocabulary, unk_id=3, byte_fallback=False))
    tokenizer.normalizer = normalizers.Sequence(
        [
            normalizers.Precompiled(proto.normalizer_spec.precompiled_charsmap),
            normalizers.Replace(Regex(" {2,}"), " "),
        ]
    )
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.WhitespaceSplit(),
            pre_tokenizers.Metaspace(replacement="▁", prepend_scheme="always"),
        ]
    )
    tokenizer.post_processor = processors.TemplateProcessing(
        single="<s> $A </s>",
        pair="<s> $A </s> </s> $B </s>",
        special_tokens=[("<s>", 0), ("</s>", 2)],
    )
    tokenizer.add_special_tokens(
        [AddedToken(piece, normalized=False) for piece in _SPECIALS_BEFORE]
    )
    tokenizer.add_special_tokens([AddedToken("<mask>", lstrip=True, normalized=False)])
    definition: dict[str, Any] = orjson.loads(tokenizer.to_str())
    return definition
