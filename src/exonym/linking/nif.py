"""Linked text as NIF 2.1 in Turtle: each text a context, each mention a phrase in it.

The NLP Interchange Format counts characters as Python does (code points of the untouched text).
Its names of places end in ``#offset_BEGIN_END``. A mention without ``itsrdf:taIdentRef`` is NIL.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from exonym.foundation.errors import InputError
from exonym.linking.formats import entity_iri
from exonym.linking.linked import Link, Linked

BASE = "urn:exonym:"
"""What names begin with where the user has no place of their own."""

_PREFIXES = """\
@prefix dc: <http://purl.org/dc/elements/1.1/> .
@prefix itsrdf: <http://www.w3.org/2005/11/its/rdf#> .
@prefix nif: <http://persistence.uni-leipzig.org/nlp2rdf/ontologies/nif-core#> .
@prefix xsd: <http://www.w3.org/2001/XMLSchema#> .
"""
_ESCAPES = {"\\": "\\\\", '"': '\\"', "\n": "\\n", "\r": "\\r", "\t": "\\t"}
# What a literal cannot hold as it is, and what readers of lines take for the end of one.
_TO_ESCAPE = re.compile('[\\\\"\x00-\x1f\x7f-\x9f\u2028\u2029\ufdd0-\ufdef\ufffe\uffff]')
_NO_IRI = re.compile(r'[\x00-\x20<>"{}|^`\\\ud800-\udfff]')
_ABSOLUTE = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:")


def write_nif(texts: Iterable[Linked], base: str = BASE) -> Iterator[str]:
    """The prefixes, then for each text its context and its mentions.

    Args:
        texts: what a linker gave.
        base: what all names begin with; texts are ``base + "text/1"`` and so on, entities that
            neither Wikidata nor Wikipedia knows ``base + "entity/" + key``.

    Raises:
        InputError: ``base`` is no beginning of an IRI.
    """
    if not _ABSOLUTE.match(base) or _NO_IRI.search(base):
        raise InputError(
            f"names cannot begin with {base!r}", remedy="Give an IRI, such as http://example.org/"
        )
    yield _PREFIXES
    for number, linked in enumerate(texts, start=1):
        yield "".join(_text(linked, f"{base}text/{number}", f"{base}entity/"))


def _text(linked: Linked, name: str, entities: str) -> Iterator[str]:
    text = linked.text
    context = _place(name, 0, len(text.text))
    yield f"\n{context}\n    a nif:Context , nif:OffsetBasedString ;\n"
    yield from _span(0, len(text.text))
    yield f"    dc:language {_literal(text.language)} ;\n"
    if text.source is not None:
        yield f"    dc:source {_literal(text.source)} ;\n"
    yield f"    nif:isString {_literal(text.text)} .\n"
    for link in linked.links:
        yield f"\n{_place(name, link.start, link.end)}\n"
        yield "    a nif:OffsetBasedString , nif:Phrase , nif:EntityOccurrence ;\n"
        yield f"    nif:referenceContext {context} ;\n"
        yield from _span(link.start, link.end)
        yield f"    nif:anchorOf {_literal(link.surface)}{_identity(link, entities)} .\n"


def _span(start: int, end: int) -> Iterator[str]:
    for name, place in (("beginIndex", start), ("endIndex", end)):
        yield f'    nif:{name} "{place}"^^xsd:nonNegativeInteger ;\n'


def _identity(link: Link, entities: str) -> str:
    if link.entity is None:
        return ""
    return (
        f" ;\n    itsrdf:taIdentRef <{entity_iri(link.entity, entities)}> ;\n"
        f'    itsrdf:taConfidence "{link.score!r}"^^xsd:double'
    )


def _place(name: str, start: int, end: int) -> str:
    return f"<{name}#offset_{start}_{end}>"


def _literal(text: str) -> str:
    return f'"{_TO_ESCAPE.sub(_escape, text)}"'


def _escape(match: re.Match[str]) -> str:
    return _ESCAPES.get(match[0]) or f"\\u{ord(match[0]):04X}"
