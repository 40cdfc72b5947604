"""`EntityTokenizer`: annotated text to word ids, entity rows and exact offsets."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, get_args

import numpy as np

from exonym.foundation.errors import ConfigError, FormatError, InputError
from exonym.foundation.files import read_json, write_json
from exonym.text import AnnotatedText, Mention, SplitText
from exonym.tokenization.added import TOKENIZER_CONFIG_FILE, tokenizer_config
from exonym.tokenization.borders import Boundary, Cut, Cutter, Stretches
from exonym.tokenization.encoded import EncodedBatch, EncodedText, Ids, pad_texts
from exonym.tokenization.framing import Frame, Side
from exonym.tokenization.markers import TASKS, Task, check_mentions, insert_markers
from exonym.tokenization.windows import OVERFLOWS, Overflow
from exonym.tokenization.words import TOKENIZER_FILES, Pieces, WordTokenizer

if TYPE_CHECKING:
    from exonym.knowledge import EntityVocabulary

ENTITY_DIRECTORY = "entities"
ENTITY_FILE = "entity_vocab.json"
MODEL_CONFIG_FILE = "config.json"
MOST_POSITIONS = 30  # positions kept per mention: the paper, section 3.1

Text = str | AnnotatedText | SplitText


class EntityTokenizer:
    """Turns text into what `EntityEncoder` takes.

    No piece crosses a mention border. Entities that the vocabulary lacks get ``[UNK]``, mentions
    without an entity ``[MASK]``.

    Args:
        words: the word pieces.
        entities: the entity rows.
        boundary: ``"faithful"``: running text goes on behind the border of a mention, as mLUKE
            was pretrained. ``"hf"``: it begins anew with "▁" and typed added tokens such as
            ``<mask>`` count, exactly as in transformers 4.57.6.
        task: None; or one of LUKE's, for which every mention is an entity [MASK]:
            ``"entity_classification"`` (one mention, in ``<ent>`` markers),
            ``"entity_pair_classification"`` (two: [MASK] in ``<ent>``, [MASK2] in ``<ent2>``),
            ``"entity_span_classification"`` (any number; the batch also has the first and the
            last piece of each).
        added_tokens: whether added tokens typed in a text (``<mask>``, say) are what they say or
            mere text; None: as the boundary says.

    Raises:
        ConfigError: no such boundary or task.
    """

    def __init__(
        self,
        words: WordTokenizer,
        entities: EntityVocabulary,
        *,
        boundary: Boundary = "faithful",
        task: Task | None = None,
        added_tokens: bool | None = None,
    ) -> None:
        if boundary not in get_args(Boundary):
            raise ConfigError(f"boundary must be 'faithful' or 'hf', got {boundary!r}")
        if task is not None and task not in TASKS:
            raise ConfigError(f"no task {task!r}, only {', '.join(TASKS)}")
        self.words, self.entities, self.boundary, self.task = words, entities, boundary, task
        self.added_tokens = boundary == "hf" if added_tokens is None else added_tokens
        self._cutter = Cutter(words, boundary, added_tokens=self.added_tokens)

    @classmethod
    def from_pretrained(
        cls,
        directory: str | Path,
        *,
        boundary: Boundary = "faithful",
        task: Task | None = None,
        added_tokens: bool | None = None,
        revision: str | None = None,
        local_files_only: bool = False,
    ) -> EntityTokenizer:
        """Open the tokenizer of a checkpoint or corpus directory, or of a hub repository.

        A directory has ``sentencepiece.bpe.model`` or ``tokenizer.json``, and ``entities/`` or
        ``entity_vocab.json``, which is converted once.

        Args:
            directory: a directory, or the id of a repository (``"studio-ousia/mluke-base"``).
            boundary: see the class.
            task: see the class; None takes the one in ``tokenizer_config.json``, if any.
            added_tokens: see the class.
            revision: branch, tag or commit of the repository.
            local_files_only: never ask the hub, use what was downloaded before.

        Raises:
            InputError: there is no tokenizer or no entity vocabulary.
            FormatError: a file is damaged.
        """
        from exonym.foundation.hub import locate
        from exonym.knowledge import EntityVocabulary

        found = locate(
            directory,
            patterns=[*TOKENIZER_FILES, MODEL_CONFIG_FILE, ENTITY_FILE, f"{ENTITY_DIRECTORY}/*"],
            revision=revision,
            local_files_only=local_files_only,
        )
        words, entities = (
            WordTokenizer.from_directory(found),
            EntityVocabulary.from_pretrained(found),
        )
        _require_tables(found, words, entities)
        config = found / TOKENIZER_CONFIG_FILE
        if task is None and config.is_file():
            task = read_json(config).get("task")
        return cls(
            words,
            entities,
            boundary=boundary,
            task=task,
            added_tokens=added_tokens,
        )

    def save_pretrained(self, directory: str | Path) -> None:
        """Write both halves into a checkpoint directory, for us and for transformers 4.57."""
        directory = Path(directory)
        directory.mkdir(parents=True, exist_ok=True)
        self.words.save(directory)
        fields = tokenizer_config(
            self.words.added, task=self.task, max_mention_length=MOST_POSITIONS
        )
        write_json(directory / TOKENIZER_CONFIG_FILE, fields)
        self.entities.save_pretrained(directory)

    def __call__(
        self,
        texts: Text | Sequence[Text],
        pairs: Text | Sequence[Text] | None = None,
        *,
        max_length: int = 512,
        overflow: Overflow = "error",
        overlap: int = 128,
    ) -> EncodedBatch:
        """Encode and pad; see `encode`. The result's ``texts`` carry offsets and cut counts."""
        if isinstance(texts, Text):
            texts = [texts]
        if isinstance(pairs, Text):
            pairs = [pairs]
        encoded = list(
            self.encode(texts, pairs, max_length=max_length, overflow=overflow, overlap=overlap)
        )
        return pad_texts(
            encoded,
            pad_id=self.words.pad_id,
            pad_row=self.entities.pad_row,
            most_positions=MOST_POSITIONS,
            full_width=self.boundary == "hf",
            span_positions=self.task == "entity_span_classification",
        )

    def encode(
        self,
        texts: Sequence[Text],
        pairs: Sequence[Text] | None = None,
        *,
        max_length: int = 512,
        overflow: Overflow = "error",
        overlap: int = 128,
    ) -> Iterator[EncodedText]:
        """Encode texts one by one, unpadded.

        Args:
            texts: with mentions, which may overlap; a plain string has none.
            pairs: second texts (``<s> first </s></s> second </s>``), one for each, or None.
            max_length: most pieces, special pieces included.
            overflow: what to do with a longer text: ``"error"``; ``"cut"`` its end (of a pair, the
                longer text's end first), which the result counts in ``cut_pieces`` and
                ``cut_mentions``; or make overlapping ``"window"``s (of a pair, over the second
                text), every mention whole in at least one of them.
            overlap: pieces that a window shares with the next, at least.

        Raises:
            InputError: a text is too long (``overflow="error"``), a mention covers nothing that
                has a piece (only blanks, say), or mentions do not suit the task.
            ConfigError: an option has an impossible value.
        """
        self._check(texts, pairs, max_length, overflow, overlap)
        firsts = [_annotated(text) for text in texts]
        seconds = None if pairs is None else [_annotated(text) for text in pairs]
        stretches = Stretches()
        cuts = [self._cut(text, stretches) for text in (*firsts, *(seconds or ()))]
        pieces = self._pieces(stretches)
        sides = [
            self._side(text, cut, pieces)
            for text, cut in zip((*firsts, *(seconds or ())), cuts, strict=True)
        ]
        frame = Frame(
            self.words,
            pieces,
            np.asarray(stretches.places, dtype=np.int32),
            max_length=max_length,
            overflow=overflow,
            overlap=overlap,
        )
        for index, text in enumerate(texts):
            parts = [sides[index], *([sides[len(texts) + index]] if seconds else ())]
            split = text if isinstance(text, SplitText) else None
            yield from frame.framed(index, parts, split)

    def pieces(self, texts: Sequence[AnnotatedText]) -> Iterator[tuple[Ids, Ids]]:
        """The bare pieces of each text, for building corpora: no special pieces, no offsets.

        Yields:
            (words,) piece ids and (mentions, 2) pieces [start, end) of every mention; the span
            of a mention that has no piece is empty.
        """
        stretches = Stretches()
        cuts = [self._cut(text, stretches) for text in texts]
        pieces = self._pieces(stretches)
        for cut in cuts:
            yield _ids(cut, pieces), _spans(cut, pieces)

    def rows(self, mentions: Sequence[Mention]) -> Ids:
        """(mentions,) rows of the entity vocabulary."""
        rows = np.full(len(mentions), self.entities.mask_row, dtype=np.int32)
        known = [i for i, mention in enumerate(mentions) if mention.entity is not None]
        if known:
            keys = [str(mentions[i].entity) for i in known]
            rows[known] = self.entities.rows(keys, exact=self.boundary == "hf")
        return rows

    def _check(
        self,
        texts: Sequence[Text],
        pairs: Sequence[Text] | None,
        max_length: int,
        overflow: Overflow,
        overlap: int,
    ) -> None:
        if overflow not in OVERFLOWS:
            raise ConfigError(f"overflow must be one of {', '.join(OVERFLOWS)}, got {overflow!r}")
        if overlap < 0:
            raise ConfigError(f"overlap must not be negative, got {overlap}")
        special, shown = (2, "<s> and </s>") if pairs is None else (4, "<s> and three </s>")
        if max_length < special:
            raise InputError(f"max_length must leave room for {shown}, got {max_length}")
        if pairs is not None and len(pairs) != len(texts):
            raise InputError(f"{len(texts)} texts, but {len(pairs)} to pair them with")
        if pairs is not None and self.task is not None:
            raise InputError(f"{self.task} takes one text, not a pair")

    def _cut(self, text: AnnotatedText, stretches: Stretches) -> Cut:
        spans = [(mention.start, mention.end) for mention in text.mentions]
        return self._cutter.cut(text.text, spans, stretches)

    def _pieces(self, stretches: Stretches) -> Pieces:
        return self.words.encode(stretches.texts, stretches.starting, fixed=stretches.fixed)

    def _side(self, text: AnnotatedText, cut: Cut, pieces: Pieces) -> Side:
        """The pieces of one text, markers included, and its mentions."""
        places = np.arange(pieces.starts[cut.first], pieces.starts[cut.last])
        ids, spans = _ids(cut, pieces), _spans(cut, pieces)
        if self.boundary == "faithful":
            _refuse_empty(text, spans)
        if self.task is None:
            return Side(text, ids, places, spans, self.rows(text.mentions))
        check_mentions(text, self.task)
        rows = np.full(len(spans), self.entities.mask_row, dtype=np.int32)
        if self.task != "entity_span_classification":
            rows[1:] = self.entities.mask2_row
            ids, places, spans = insert_markers(ids, places, spans, self.words.added.markers)
        return Side(text, ids, places, spans, rows)


def _require_tables(directory: Path, words: WordTokenizer, entities: EntityVocabulary) -> None:
    """Refuse ids for which the model in the same directory has no rows.

    Raises:
        FormatError: says which vocabulary is larger than which table.
    """
    if not (directory / MODEL_CONFIG_FILE).is_file():
        return
    config = read_json(directory / MODEL_CONFIG_FILE)
    sizes = config if isinstance(config, dict) else {}
    for name, size, kind in (
        ("vocab_size", words.mask_id + 1, "word vocabulary"),
        ("entity_vocab_size", len(entities), "entity vocabulary"),
    ):
        rows = sizes.get(name)
        if isinstance(rows, int) and rows < size:
            raise FormatError(
                f"the {kind} has {size} rows, the table of the model beside it {rows} "
                f"({name} in {MODEL_CONFIG_FILE})",
                where=directory,
                remedy="Put the vocabulary of the same model beside it",
            )


def _annotated(text: Text) -> AnnotatedText:
    if isinstance(text, str):
        return AnnotatedText(text, "und")
    return text.joined() if isinstance(text, SplitText) else text


def _ids(cut: Cut, pieces: Pieces) -> Ids:
    return pieces.ids[pieces.starts[cut.first] : pieces.starts[cut.last]]


def _spans(cut: Cut, pieces: Pieces) -> Ids:
    """(mentions, 2) pieces of each mention, counted from the text's first."""
    spans: Ids = (pieces.starts[cut.spans] - pieces.starts[cut.first]).astype(np.int32)
    return spans


def _refuse_empty(text: AnnotatedText, spans: Ids) -> None:
    for index in np.flatnonzero(spans[:, 0] == spans[:, 1]).tolist():
        mention = text.mentions[index]
        raise InputError(
            f"the mention [{mention.start}, {mention.end}) {text.surface(mention)!r} has no piece; "
            f"leave it out",
            where=text.source,
        )
