"""Texts in, linked texts out: plain lines and JSON Lines, and which formats there are.

`exonym.linking.conll` and `exonym.linking.nif` write the formats of others, the room ``reports``
the page. Every format is a generator of pieces: a stream of texts is never held in memory.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from pathlib import PurePath
from typing import IO, Any, Literal, get_args
from urllib.parse import quote

import orjson

from exonym.foundation.compression import DAMAGE
from exonym.foundation.errors import FormatError, InputError
from exonym.foundation.files import JSON
from exonym.linking.labels import Labels
from exonym.linking.language_identification import UNKNOWN
from exonym.linking.linked import Link, Linked
from exonym.text import AnnotatedText
from exonym.wikimedia.wikis import WIKIPEDIA_LANGUAGES

InputKind = Literal["text", "jsonl"]
OutputKind = Literal["jsonl", "conll", "nif", "html", "text"]
_COMPRESSED = frozenset({".bz2", ".gz", ".xz", ".zst"})
_INPUTS: dict[str, InputKind] = {".jsonl": "jsonl", ".ndjson": "jsonl", ".txt": "text"}
_OUTPUTS: dict[str, OutputKind] = {
    ".jsonl": "jsonl", ".ndjson": "jsonl", ".conll": "conll", ".tsv": "conll",
    ".ttl": "nif", ".html": "html", ".htm": "html", ".txt": "text",
}  # fmt: skip
_FIELDS = frozenset({"text", "language", "mentions", "source"})
_BOM = "\ufeff"
_SURROGATES = re.compile("[\ud800-\udfff]")
_REPLACEMENT = "\ufffd"
_ITEM = re.compile(r"[QL][1-9][0-9]*\Z")


def input_kind(name: str) -> InputKind | None:
    """What a file holds, by its name; a suffix of compression is passed over. None: unknown."""
    return _INPUTS.get(_suffix(name))


def output_kind(name: str) -> OutputKind | None:
    """The format of a file to write, by its name. None: unknown."""
    return _OUTPUTS.get(_suffix(name))


def _suffix(name: str) -> str:
    path = PurePath(name)
    suffixes = [suffix.lower() for suffix in path.suffixes]
    if suffixes and suffixes[-1] in _COMPRESSED:
        suffixes.pop()
    return suffixes[-1] if suffixes else ""


def require_kind(kind: str, known: Any, option: str) -> None:
    """Check a format's name.

    Raises:
        InputError: it is none of ``known``, a `Literal`.
    """
    if kind not in get_args(known):
        raise InputError(
            f"no format {kind!r}", where=option, remedy=f"There are {', '.join(get_args(known))}"
        )


def read_texts(stream: IO[bytes], where: str, kind: InputKind) -> Iterator[str | AnnotatedText]:
    """Read texts one by one.

    Args:
        stream: lines of UTF-8; a byte order mark at the start and either end of line are taken.
        where: its name, for messages.
        kind: ``"text"``, where each line is a text, an empty one too, so that there are as many
            texts as lines; or ``"jsonl"``, where each line is an object with ``text`` and, if it
            likes, ``language``, ``mentions`` and ``source``, as `AnnotatedText.to_json` writes it;
            empty lines pass.

    Yields:
        texts; those of objects as `AnnotatedText`, of language `UNKNOWN` where none is given.

    Raises:
        FormatError: a line is not UTF-8 or not such an object, or the compressed file is damaged;
            names file and line.
    """
    number = 0
    try:
        for number, line in enumerate(stream, start=1):
            if number == 1:
                line = line.removeprefix(_BOM.encode())
            if kind == "text":
                yield line.decode().rstrip("\r\n")
            elif line.strip():
                yield _from_json(orjson.loads(line))
    except UnicodeDecodeError as error:
        raise FormatError(
            f"not UTF-8 (byte {error.start + 1} of the line is 0x{error.object[error.start]:02x})",
            where=f"{where}:{number}",
            remedy="Convert it, as with: iconv -f latin1 -t utf-8",
        ) from error
    except orjson.JSONDecodeError as error:
        raise FormatError(f"not valid JSON ({error})", where=f"{where}:{number}") from error
    except InputError as error:
        raise FormatError(error.what, where=f"{where}:{number}", remedy=error.remedy) from error
    except DAMAGE as error:
        raise FormatError(
            f"ends early or is damaged after line {number} ({error})", where=where
        ) from error


def _from_json(value: Any) -> AnnotatedText:
    if not isinstance(value, dict):
        raise FormatError(
            "expected a JSON object", remedy='Such as {"text": "...", "language": "sw"}'
        )
    if unknown := sorted(value.keys() - _FIELDS):
        raise FormatError(
            f"unknown field {unknown[0]!r}",
            remedy=f"There are {', '.join(sorted(_FIELDS))}; 'source' may say where it is from",
        )
    if value.get("language") in (None, ""):
        value["language"] = UNKNOWN
    return AnnotatedText.from_json(value)


def write_json_lines(
    texts: Iterable[Linked], labels: Labels | None = None, *, explain: bool = False
) -> Iterator[str]:
    """A line of JSON for each text, which `exonym.text.read_annotated` reads.

    Args:
        texts: what a linker gave.
        labels: names for the candidates; needed to explain.
        explain: have a field ``links`` in each line with every link, NIL too, its candidates,
            and why. `read_annotated` refuses such lines: they are for looking, not for going on.
    """
    for linked in texts:
        value = linked.text.to_json()
        if explain:
            language = linked.text.language
            value["links"] = [link_to_json(link, language, labels) for link in linked.links]
        yield _json_line(value)


def link_to_json(link: Link, language: str, labels: Labels | None = None) -> JSON:
    """All that is known of a link.

    Args:
        link: a mention and its candidates.
        language: of the text.
        labels: names for the candidates; None: none are given.
    """
    return {
        "start": link.start,
        "end": link.end,
        "surface": link.surface,
        "entity": link.entity,
        "score": link.score,
        "link_probability": link.link_probability,
        "why": link.why,
        "candidates": [
            {
                "entity": candidate.entity,
                **({"label": labels(candidate.entity, language)} if labels else {}),
                "language": candidate.language,
                "count": candidate.count,
                "prior": candidate.prior,
                "score": candidate.score,
            }
            for candidate in link.candidates
        ],
    }


def _json_line(value: JSON) -> str:
    try:
        return orjson.dumps(value, option=orjson.OPT_APPEND_NEWLINE).decode()
    except TypeError:  # a lone surrogate, which UTF-8 has no bytes for, but JSON an escape
        return json.dumps(value) + "\n"


def encode_pieces(pieces: Iterable[str]) -> Iterator[bytes]:
    """UTF-8 of pieces of text; a lone surrogate becomes U+FFFD, so offsets stay right."""
    for piece in pieces:
        try:
            yield piece.encode()
        except UnicodeEncodeError:
            yield without_surrogates(piece).encode()


def without_surrogates(text: str) -> str:
    """A text of as many characters, in which lone surrogates are U+FFFD."""
    return _SURROGATES.sub(_REPLACEMENT, text)


def entity_iri(key: str, base: str) -> str:
    """The IRI of an entity.

    Args:
        key: its key: a Wikidata item has Wikidata's IRI, a title key the address of the article.
        base: what the IRIs of all other entities begin with, such as those that users added.
    """
    if _ITEM.match(key):
        return f"http://www.wikidata.org/entity/{key}"
    language, colon, title = key.partition(":")
    if colon and language in WIKIPEDIA_LANGUAGES:
        return f"https://{language}.wikipedia.org/wiki/{_quote(title.replace(' ', '_'), ':/,()!*')}"
    return base + _quote(key, ":")


def _quote(text: str, safe: str) -> str:
    return quote(text, safe=safe, errors="replace")
