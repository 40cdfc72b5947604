"""The spaCy component ``exonym_linker``: sets ``ent.kb_id_``, in any language of a knowledge base.

    import spacy
    nlp = spacy.blank("en")
    nlp.add_pipe("exonym_linker", config={"kb": "kb/"})
    [(ent.text, ent.kb_id_) for ent in nlp("Tokyo is in Japan.").ents]

spaCy is the extra ``spacy``. Installed packages show it the component; from a checkout without
installation, import this module first.
"""

import itertools
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Literal

from spacy.language import Language
from spacy.tokens import Doc, Span
from spacy.util import filter_spans

from exonym.foundation.errors import ConfigError
from exonym.linking.formats import link_to_json
from exonym.linking.linked import Link, Linked
from exonym.linking.linker import Linker
from exonym.linking.options import LinkingOptions
from exonym.text import AnnotatedText, Mention

# No `from __future__ import annotations`: spaCy checks the factory's config by its annotations.

NAME = "exonym_linker"
NIL = "NIL"
KEY = "exonym"
_AUTO = "auto"

Mentions = Literal["find", "ents"]
Alignment = Literal["strict", "contract", "expand"]


class SpacyLinker:
    """Links the names in spaCy's documents; made by `make_linker`.

    Per document it sets

    - ``doc.ents``: the linked mentions, with ``ent.kb_id_``. Entities that were there stay, unless
      a linked mention overlaps them; one with the same tokens keeps its label.
    - ``doc.spans["exonym"]``: all mentions, overlapping ones and those without an entity too.
    - ``doc._.exonym``: every link with exact characters, score and candidates, as dictionaries.
    """

    def __init__(
        self,
        linker: Linker,
        *,
        language: str = _AUTO,
        mentions: Mentions = "find",
        label: str = "ENTITY",
        alignment: Alignment = "expand",
    ) -> None:
        self._linker, self._language, self._label = linker, language, label
        self._given, self._alignment = mentions == "ents", alignment
        if not Doc.has_extension(KEY):
            Doc.set_extension(KEY, default=None)

    def __call__(self, doc: Any) -> Any:
        """Link one document."""
        (done,) = self.pipe([doc])
        return done

    def pipe(self, stream: Iterable[Any], *, batch_size: int = 128) -> Iterator[Any]:
        """Link documents, in order."""
        rest = iter(stream)
        while docs := list(itertools.islice(rest, batch_size)):
            linked = self._linker.pipe(
                [self._text(doc) for doc in docs],
                language=self._language,
                batch_size=batch_size,
                detect=not self._given,
            )
            for doc, found in zip(docs, linked, strict=True):
                self._set(doc, found)
                yield doc

    def _text(self, doc: Any) -> str | AnnotatedText:
        if not self._given:
            return str(doc.text)
        mentions = tuple(Mention(ent.start_char, ent.end_char) for ent in doc.ents)
        return AnnotatedText(doc.text, self._language, mentions)

    def _set(self, doc: Any, linked: Linked) -> None:
        language = linked.text.language
        doc._.exonym = [link_to_json(link, language) for link in linked.links]
        before = {(ent.start, ent.end): ent.label_ for ent in doc.ents}
        spans = [(link, self._span(doc, link, before)) for link in linked.links]
        there = [(link, span) for link, span in spans if span is not None]
        doc.spans[KEY] = [span for _, span in there]
        if self._given:
            doc.ents = [span for _, span in there]
            return
        new = filter_spans([span for link, span in there if link.entity is not None])
        taken = {token for span in new for token in range(span.start, span.end)}
        old = [ent for ent in doc.ents if taken.isdisjoint(range(ent.start, ent.end))]
        doc.ents = [*new, *old]

    def _span(self, doc: Any, link: Link, labels: dict[tuple[int, int], str]) -> Any:
        """The tokens of a link; None where it has none (and the alignment allows no others)."""
        kb_id = NIL if link.entity is None else link.entity
        span = doc.char_span(link.start, link.end, alignment_mode=self._alignment)
        if span is None:
            return None
        label = labels.get((span.start, span.end), self._label)
        return Span(doc, span.start, span.end, label=label, kb_id=kb_id)


def make_linker(
    nlp: Language,
    name: str,
    kb: str,
    model: str | None,
    language: str | None,
    mentions: str,
    label: str,
    alignment: str,
    options: dict[str, Any],
) -> SpacyLinker:
    """What ``nlp.add_pipe("exonym_linker", config=...)`` calls.

    Args:
        nlp: the pipeline.
        name: of the component in it.
        kb: a directory made by ``exonym kb build``.
        model: a checkpoint that decides between candidates; None: their priors decide.
        language: of the texts, or ``"auto"``; None: the pipeline's, if the knowledge base has it.
        mentions: ``"find"`` them, or take the ``"ents"`` that a component before has found.
        label: of entities that no component before has given one.
        alignment: what becomes of mentions that end within a token: ``"expand"`` takes the whole
            token, ``"contract"`` and ``"strict"`` leave it or the mention out.
        options: fields of `LinkingOptions`.

    Raises:
        ConfigError: a value is impossible.
    """
    del name
    if not kb:
        raise ConfigError(
            "the component exonym_linker needs a knowledge base",
            remedy='nlp.add_pipe("exonym_linker", config={"kb": "DIR"})',
        )
    for what, value, known in (
        ("mentions", mentions, ("find", "ents")),
        ("alignment", alignment, ("strict", "contract", "expand")),
    ):
        _require(what, value, known)
    try:
        chosen = LinkingOptions(**options)
    except TypeError as error:
        raise ConfigError(f"no such option of linking ({error})") from error
    linker = Linker.open(kb, model=model, options=chosen)
    if language is None:
        language = nlp.lang if nlp.lang in linker.kb.languages else _AUTO
    return SpacyLinker(
        linker,
        language=language,
        mentions="ents" if mentions == "ents" else "find",
        label=label,
        alignment=_ALIGNMENTS[alignment],
    )


_ALIGNMENTS: dict[str, Alignment] = {
    "strict": "strict", "contract": "contract", "expand": "expand",
}  # fmt: skip


def _require(what: str, value: str, known: Sequence[str]) -> None:
    if value not in known:
        raise ConfigError(f"{what} must be one of {', '.join(known)}, got {value!r}")


Language.factory(
    NAME,
    assigns=["doc.ents", "token.ent_kb_id", "doc.spans", "doc._.exonym"],
    default_config={
        "kb": "",
        "model": None,
        "language": None,
        "mentions": "find",
        "label": "ENTITY",
        "alignment": "expand",
        "options": {},
    },
    func=make_linker,
)
