"""From annotated text to ids: word pieces in XLM-R's id layout, entities, exact offsets."""

from exonym.tokenization.encoded import EncodedBatch, EncodedText
from exonym.tokenization.tokenizer import EntityTokenizer
from exonym.tokenization.training import train_word_tokenizer
from exonym.tokenization.words import WordTokenizer

__all__ = [
    "EncodedBatch",
    "EncodedText",
    "EntityTokenizer",
    "WordTokenizer",
    "train_word_tokenizer",
]
