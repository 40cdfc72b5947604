"""`Linker`: raw text in, the same text with its entities out."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from exonym.foundation.errors import ConfigError, InputError
from exonym.knowledge import KnowledgeBase
from exonym.linking.added_names import AddedNames
from exonym.linking.additions import linking_folder
from exonym.linking.candidates import CandidateFinder, KnownName
from exonym.linking.detection import Detected, Detector
from exonym.linking.disambiguation.cases import Case, Decision
from exonym.linking.labels import labels_of
from exonym.linking.language_identification import AUTO, UNKNOWN, LanguageIdentification
from exonym.linking.linked import Link, Linked, ScoredCandidate
from exonym.linking.name_index import NameIndex
from exonym.linking.options import LinkingOptions, Scorer
from exonym.linking.processes import link_in_processes
from exonym.linking.reasons import GIVEN, reason
from exonym.text import AnnotatedText, Mention

if TYPE_CHECKING:
    from exonym.linking.disambiguation.model import LinkingModel

Text = str | AnnotatedText
NAMES = "names"  # the index's folder


class _Scores(Protocol):
    def __call__(self, cases: Sequence[Case]) -> list[list[Decision]]: ...


class Linker:
    """Finds the names in texts and links them to the entities of a knowledge base.

    Made by `Linker.open`. What was added to the knowledge base with `add_alias` and `add_entity`
    counts at once, also in linkers that are open.

    Attributes:
        kb: the knowledge base.
        options: what is done with the names.
        folder: where the index of names and the additions are.
        scorer: what decides: ``"prior"``, ``"words"`` or ``"entities"``.
    """

    def __init__(
        self,
        kb: KnowledgeBase,
        index: NameIndex,
        *,
        folder: Path,
        model: LinkingModel | None = None,
        options: LinkingOptions | None = None,
    ) -> None:
        self.kb, self.folder, self.options = kb, folder, options or LinkingOptions()
        self.scorer: Scorer = self.options.scorer or ("prior" if model is None else "entities")
        self._index, self._model = index, model
        self._added = AddedNames(kb, folder)
        self._finder = CandidateFinder(kb, index, self._added, self.options)
        self._detector = Detector(index, self._added, self._finder, self.options)
        self._identify = LanguageIdentification(kb.languages)
        self._scores = self._make_scorer()

    @classmethod
    def open(
        cls,
        kb: KnowledgeBase | Path | str,
        *,
        model: LinkingModel | Path | str | None = None,
        options: LinkingOptions | None = None,
        index: Path | str | None = None,
        device: str = "cpu",
    ) -> Linker:
        """Open a linker for a knowledge base.

        The index of its names lies beside it (``KB.linking``). It is made when it is not there, or
        is of another knowledge base: about a minute for a million names.

        Args:
            kb: the knowledge base, or its directory.
            model: a checkpoint, by its directory or name on the hub, that chooses between
                candidates; None: the prior does.
            options: what is done with the names.
            index: the folder of the index and the additions, in place of ``KB.linking``.
            device: where a model that is loaded here computes.

        Raises:
            InputError: there is no knowledge base or no model, or its folder cannot be written.
            ConfigError: the options ask for a model, and there is none.
            FormatError: a file is damaged.
        """
        options = options or LinkingOptions()
        if model is None and options.scorer not in (None, "prior"):
            raise ConfigError(
                f"the scorer {options.scorer!r} needs a model",
                remedy="Give one: --model DIR; or leave the scorer out",
            )
        kb = kb if isinstance(kb, KnowledgeBase) else KnowledgeBase.open(kb)
        folder = linking_folder(kb) if index is None else Path(index)
        if isinstance(model, str | Path) and options.scorer != "prior":
            from exonym.linking.disambiguation.model import LinkingModel

            model = LinkingModel.load(model, device=device)
        elif isinstance(model, str | Path):
            model = None
        return cls(kb, open_names(kb, folder), folder=folder, model=model, options=options)

    def __reduce__(self) -> tuple[Callable[..., Linker], tuple[Any, ...]]:
        model = self._model and (self._model.path or self._model)
        device = "cpu" if self._model is None else self._model.device
        return _reopen, (self.kb.path, model, self.options, self.folder, device)

    def __call__(self, text: Text, language: str = AUTO, *, detect: bool = True) -> Linked:
        """Link one text.

        Args:
            text: a text of any length; of an `AnnotatedText`, its language holds.
            language: Wikipedia's code of a plain text's language; ``"auto"`` finds it out.
            detect: find the names; False: link the mentions that the text has. Those of them that
                have an entity keep it, and a model reads the others with it.

        Raises:
            InputError: the language cannot be found out.
            FormatError: a line among the additions cannot be used.
        """
        return self.link([text], language=language, detect=detect)[0]

    def link(
        self, texts: Sequence[Text], *, language: str = AUTO, detect: bool = True
    ) -> list[Linked]:
        """Link some texts at once; the arguments are those of a single text."""
        if self._added.refresh():
            self._finder.forget()
        annotated = [self._annotated(text, language) for text in texts]
        mentions = self._detected(annotated) if detect else self._given(annotated)
        self._finder.complete(one.name for own in mentions for one in own)
        if self._scores is None:
            return [self._linked(text, own) for text, own in zip(annotated, mentions, strict=True)]
        cases = [_case(text, own) for text, own in zip(annotated, mentions, strict=True)]
        return [
            self._linked(text, own, decisions)
            for text, own, decisions in zip(annotated, mentions, self._scores(cases), strict=True)
        ]

    def pipe(
        self,
        texts: Iterable[Text],
        *,
        language: str = AUTO,
        detect: bool = True,
        batch_size: int = 256,
        processes: int = 1,
    ) -> Iterator[Linked]:
        """Link any number of texts, lazily, in their order, a batch at a time.

        Args:
            texts: read as they are needed.
            language: see a single text.
            detect: see a single text.
            batch_size: texts of a batch.
            processes: how many work at a time; with more than one, the workers start as fresh
                interpreters, so a script needs ``if __name__ == "__main__":``.

        Raises:
            ConfigError: a number is not positive.
            ResourceError: a worker process was ended from outside.
        """
        if batch_size < 1 or processes < 1:
            raise ConfigError(
                f"batch_size and processes must be at least 1, got {batch_size} and {processes}"
            )
        batches = _batches(texts, batch_size)
        link = partial(self.link, language=language, detect=detect)
        if processes == 1:
            return itertools.chain.from_iterable(map(link, batches))
        return link_in_processes(link, batches, processes)

    def _annotated(self, text: Text, language: str) -> AnnotatedText:
        """A text with its language, identified where nobody says it."""
        if isinstance(text, str):
            text = AnnotatedText(text, language)
        elif text.language == UNKNOWN:
            text = replace(text, language=language)
        if text.language != AUTO:
            return text
        return replace(text, language=self._identify(text.text))

    def _detected(self, texts: Sequence[AnnotatedText]) -> list[list[Detected]]:
        return self._detector([text.text for text in texts], [text.language for text in texts])

    def _given(self, texts: Sequence[AnnotatedText]) -> list[list[Detected]]:
        """The mentions that the texts have, those with an entity as they are."""
        open_mentions = [
            (text.surface(mention), text.language)
            for text in texts
            for mention in text.mentions
            if mention.entity is None
        ]
        surfaces, languages = zip(*open_mentions, strict=True) if open_mentions else ((), ())
        known = iter(self._detector.of_surfaces(surfaces, languages))
        return [
            [
                Detected(
                    mention.start,
                    mention.end,
                    next(known) if mention.entity is None else _settled(text, mention),
                    1.0,
                )
                for mention in text.mentions
            ]
            for text in texts
        ]

    def _linked(
        self,
        text: AnnotatedText,
        mentions: Sequence[Detected],
        decisions: Sequence[Decision] | None = None,
    ) -> Linked:
        links = []
        for place, own in enumerate(mentions):
            decision = None if decisions is None else decisions[place]
            if decision is None or not decision.read:
                candidates = own.name.candidates or ()
                if own.name.verdict is None:
                    own.name.verdict = self._verdict(Decision(candidates, read=False))
                entity, score, why = own.name.verdict
            else:
                candidates = decision.candidates
                entity, score, why = self._verdict(decision)
            surface = text.text[own.start : own.end]
            links.append(
                Link(own.start, own.end, surface, entity, score, candidates, own.probability, why)
            )
        return Linked.of(text, tuple(links))

    def _verdict(self, decision: Decision) -> tuple[str | None, float, str]:
        """The entity, or None for NIL; its probability, and why."""
        threshold = self.options.nil_threshold
        why = reason(decision, scorer=self.scorer, nil_threshold=threshold)
        if not decision.candidates:
            return None, 0.0, why
        best = decision.candidates[0]
        return (best.entity if best.score >= threshold else None), best.score, why

    def _make_scorer(self) -> _Scores | None:
        if self.scorer == "prior":
            return None
        if self._model is None:
            raise ConfigError(
                f"the scorer {self.scorer!r} needs a model",
                remedy="Give one: --model DIR; or leave the scorer out",
            )
        weight = self.options.prior_weight
        if self.scorer == "words":
            from exonym.linking.disambiguation.words import WordScorer

            return WordScorer(self._model, labels_of(self.kb, self.folder), prior_weight=weight)
        from exonym.linking.disambiguation.entities import EntityScorer
        from exonym.linking.disambiguation.model import EntityRows

        rows = EntityRows(self.kb, self._model.tokenizer.entities)
        return EntityScorer(self._model, rows, order=self.options.order, prior_weight=weight)


def open_names(kb: KnowledgeBase, folder: Path) -> NameIndex:
    """Open the index of a knowledge base's names, made anew where it is missing or stale.

    Raises:
        InputError: the folder cannot be written.
    """
    path = folder / NAMES
    if path.exists():
        try:
            return NameIndex.open(path, kb)
        except InputError:
            pass  # what follows says that it is being made
    try:
        return NameIndex.build(kb, path, overwrite=True)
    except OSError as error:
        raise InputError(
            f"the index of names cannot be written ({error.strerror or error})",
            where=folder,
            remedy="Give another folder for it: Linker.open(..., index=DIR)",
        ) from error


def _reopen(
    kb: Path,
    model: LinkingModel | str | None,
    options: LinkingOptions,
    folder: Path,
    device: str,
) -> Linker:
    return Linker.open(kb, model=model, options=options, index=folder, device=device)


def _case(text: AnnotatedText, mentions: Sequence[Detected]) -> Case:
    """What a model is to decide: mentions without an entity, with their candidates."""
    masked = tuple(Mention(own.start, own.end, own.name.settled) for own in mentions)
    candidates = tuple(
        (own.name.candidates or ()) if own.name.settled is None else () for own in mentions
    )
    return Case(replace(text, mentions=masked), candidates)


def _settled(text: AnnotatedText, mention: Mention) -> KnownName:
    """What is known of a mention that came with its entity."""
    assert mention.entity is not None, "it has one"
    score = 1.0 if mention.score is None else mention.score
    candidate = ScoredCandidate(mention.entity, 1.0, score, 0, None)
    return KnownName(
        text.surface(mention),
        text.language,
        1.0,
        candidates=(candidate,),
        verdict=(mention.entity, score, GIVEN),
        settled=mention.entity,
    )


def _batches(texts: Iterable[Text], size: int) -> Iterator[list[Text]]:
    remaining = iter(texts)
    while batch := list(itertools.islice(remaining, size)):
        yield batch
