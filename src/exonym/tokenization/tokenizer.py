"""`EntityTokenizer`: annotated text to word ids, entity rows and exact offsets."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, get_args

import numpy as np

from exonym.foundation.errors import ConfigError, FormatError, InputError
from exonym.foundation.files import read_json
from exonym.text import AnnotatedText, Mention, SplitText
from exonym.tokenization.added import TOKENIZER_CONFIG_FILE
from exonym.tokenization.borders import Boundary, Cut, Cutter, Stretches
from exonym.tokenization.encoded import EncodedBatch, EncodedText, Ids, pad_texts
from exonym.tokenization.framing import Limits, Row, Side, assemble
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
        self.words.save(directory, task=self.task, max_mention_length=MOST_POSITIONS)
        self.entities.save_pretrained(directory)

    def __call__(
        self,
        texts: Text | Iterable[Text],
        pairs: Text | Iterable[Text] | None = None,
        *,
        max_length: int = 512,
        overflow: Overflow = "error",
        overlap: int = 128,
    ) -> EncodedBatch:
        """Encode and pad; see `encode`. The result's ``texts`` carry offsets and cut counts."""
        firsts = [texts] if isinstance(texts, Text) else list(texts)
        seconds = [pairs] if isinstance(pairs, Text) else None if pairs is None else list(pairs)
        encoded = list(
            self.encode(firsts, seconds, max_length=max_length, overflow=overflow, overlap=overlap)
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
        both = firsts + (seconds or [])
        pieces, sides, stretch_starts = self._sides(both)
        limits = Limits(max_length, overflow, overlap)
        rows: list[Row] = []
        for index, text in enumerate(texts):
            parts = (sides[index], sides[len(texts) + index]) if seconds else (sides[index],)
            split = text.spans() if isinstance(text, SplitText) else None
            words = None if split is None else [start for start, _ in split]
            rows.extend(limits.fit(Row(index, parts, word_starts=words)))
        yield from assemble(rows, self.words, pieces, stretch_starts)

    def pieces(self, texts: Sequence[AnnotatedText]) -> Iterator[tuple[Ids, Ids]]:
        """The bare pieces of each text, for building corpora: no special pieces, no offsets.

        Yields:
            (words,) piece ids and (mentions, 2) pieces [start, end) of every mention; the span
            of a mention that has no piece is empty.
        """
        stretches, cuts = self._cut(texts)
        pieces = self._encode(stretches)
        for cut, spans in zip(cuts, _spans(cuts, pieces), strict=True):
            yield pieces.ids[pieces.starts[cut.first] : pieces.starts[cut.last]], spans

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

    def _cut(self, texts: Sequence[AnnotatedText]) -> tuple[Stretches, list[Cut]]:
        stretches = Stretches()
        return stretches, [
            self._cutter.cut(text.text, [(m.start, m.end) for m in text.mentions], stretches)
            for text in texts
        ]

    def _encode(self, stretches: Stretches) -> Pieces:
        return self.words.encode(stretches.texts, stretches.starting, fixed=stretches.fixed)

    def _sides(self, texts: Sequence[AnnotatedText]) -> tuple[Pieces, list[Side], Ids]:
        """Pieces and mentions of all texts, markers included; where the stretches begin."""
        stretches, cuts = self._cut(texts)
        pieces = self._encode(stretches)
        places = np.arange(len(pieces.ids))
        mentions = [mention for text in texts for mention in text.mentions]
        borders = np.cumsum([0, *(len(text.mentions) for text in texts)]).tolist()
        masked = np.full(len(mentions), self.entities.mask_row, dtype=np.int32)
        rows = self.rows(mentions) if self.task is None else masked
        pairs = [pair for cut in cuts for pair in cut.mentions]
        characters = np.array(pairs, np.int32).reshape(-1, 2)
        sides = []
        for number, (text, cut, spans) in enumerate(
            zip(texts, cuts, _spans(cuts, pieces), strict=True)
        ):
            here = slice(int(pieces.starts[cut.first]), int(pieces.starts[cut.last]))
            own = slice(borders[number], borders[number + 1])
            side = Side(text, pieces.ids[here], places[here], spans, rows[own], characters[own])
            sides.append(side if self.task is None else self._for_task(side))
        if self.boundary == "faithful":
            _refuse_empty(sides)
        return pieces, sides, np.asarray(stretches.places, dtype=np.int32)

    def _for_task(self, side: Side) -> Side:
        """The side with the markers and special entities of the task."""
        assert self.task is not None, "there is a task"
        check_mentions(side.text, self.task)
        if self.task == "entity_span_classification":
            return side
        rows = side.rows.copy()
        rows[1:] = self.entities.mask2_row
        ids, places, spans = insert_markers(
            side.ids, side.places, side.spans, self.words.added.markers
        )
        return replace(side, ids=ids, places=places, spans=spans, rows=rows)


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


def _spans(cuts: Sequence[Cut], pieces: Pieces) -> list[Ids]:
    """(mentions, 2) pieces of each mention for every text, counted from its first piece."""
    counts = [len(cut.mentions) for cut in cuts]
    stretches = np.array([pair for cut in cuts for pair in cut.spans], np.int64).reshape(-1, 2)
    firsts = pieces.starts[np.array([cut.first for cut in cuts], np.int64)]
    spans = (pieces.starts[stretches] - np.repeat(firsts, counts)[:, None]).astype(np.int32)
    return np.split(spans, np.cumsum(counts)[:-1]) if cuts else []


def _refuse_empty(sides: Sequence[Side]) -> None:
    for side in sides:
        empty = side.spans[:, 0] == side.spans[:, 1]
        if empty.any():
            text, mention = side.text, side.text.mentions[int(empty.argmax())]
            raise InputError(
                f"the mention [{mention.start}, {mention.end}) {text.surface(mention)!r} has no "
                f"piece; leave it out",
                where=text.source,
            )
