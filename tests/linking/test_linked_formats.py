"""Texts in and linked texts out: nothing moves, nothing is lost, whatever the text holds."""

from __future__ import annotations

import io
import json
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from exonym.foundation.errors import FormatError, InputError
from exonym.linking import conll, formats, nif
from exonym.linking.language_identification import UNKNOWN
from exonym.linking.linked import Link, Linked, ScoredCandidate
from exonym.text import AnnotatedText, Mention, read_annotated

NASTY = (
    "aß東ｶ京กรุงक्षि한각1 \t\n\r\x00\x1b\x85\u2028\u200d\u202e'\"\\<>&{}.。’-_\u0301\ud800\U00020000𝒜"
)
SPACES = re.compile(r"\s+")


def label(entity: str, language: str) -> str:
    return f"{entity} in {language}"


def linked(text: str, language: str, *spans: tuple[int, int, str | None]) -> Linked:
    links = tuple(
        Link(start, end, text[start:end], entity, 0.75, (), 0.25, "because")
        for start, end, entity in spans
    )
    return Linked.of(AnnotatedText(text, language), links)


@st.composite
def linked_texts(draw: st.DrawFn, *, overlapping: bool = True) -> Linked:
    """Texts of awkward characters with mentions anywhere."""
    text = draw(st.text(st.sampled_from(NASTY), max_size=30))
    language = draw(st.sampled_from(["en", "ja", "ar", "th", UNKNOWN]))
    spans: list[tuple[int, int, str | None]] = []
    for _ in range(draw(st.integers(0, 4)) if text else 0):
        start = draw(st.integers(0, len(text) - 1))
        end = draw(st.integers(start + 1, len(text)))
        if overlapping or all(end <= other[0] or other[1] <= start for other in spans):
            spans.append(
                (start, end, draw(st.sampled_from(["Q1", "ja:日本 (国)", "my \t<key>", None])))
            )
    return linked(text, language, *sorted(spans, key=lambda span: span[:2]))


def read(data: bytes, kind: formats.InputKind) -> list[str | AnnotatedText]:
    return list(formats.read_texts(io.BytesIO(data), "in.file", kind))


# Reading


def test_a_line_is_a_text_and_an_empty_line_an_empty_text() -> None:
    data = "\ufeffTokyo\r\n\n 東京 \nno end".encode()
    assert read(data, "text") == ["Tokyo", "", " 東京 ", "no end"]


@given(
    st.lists(st.text(st.sampled_from(NASTY.replace("\n", "").replace("\ud800", "")), min_size=1))
)
def test_only_ends_of_lines_end_a_text(texts: list[str]) -> None:
    data = "".join(f"{text}\n" for text in texts).encode()
    assert read(data, "text") == [text.rstrip("\r\n").removeprefix("\ufeff") for text in texts]


def test_objects_are_annotated_texts_whose_language_may_be_missing() -> None:
    lines = (
        b'{"text": "Tokyo"}\n\n{"text": "a", "language": null, "source": "x"}\n'
        b'{"text": "Tokyo", "language": "en", "mentions": [{"start": 0, "end": 5}]}'
    )
    assert read(lines, "jsonl") == [
        AnnotatedText("Tokyo", UNKNOWN),
        AnnotatedText("a", UNKNOWN, source="x"),
        AnnotatedText("Tokyo", "en", (Mention(0, 5),)),
    ]


@pytest.mark.parametrize(
    ("line", "message"),
    [
        (b"{", "in.file:2: not valid JSON"),
        (b"[1]", "in.file:2: expected a JSON object"),
        (b'{"language": "en"}', "in.file:2: not an annotated text"),
        (b'{"text": 1}', "in.file:2: the fields 'text'"),
        (b'{"text": "a", "id": 7}', "in.file:2: unknown field 'id'.*'source'"),
        (b'{"text": "a", "language": 1}', "in.file:2: the fields 'text' and 'language'"),
        (
            b'{"text": "a", "mentions": [{"start": 0, "end": 2}]}',
            "in.file:2: mention .* ends after",
        ),
        (b'{"text": "\\ud800"}', "in.file:2: not valid JSON"),
        (b'{"text": "\xff"}', "in.file:2: "),
    ],
)
def test_a_bad_object_is_named_by_file_and_line(line: bytes, message: str) -> None:
    with pytest.raises(FormatError, match=message):
        read(b'{"text": "good"}\n' + line, "jsonl")


def test_what_is_not_utf_8_is_named_by_file_line_and_byte() -> None:
    with pytest.raises(FormatError, match=r"in\.file:2: not UTF-8 \(byte 2 .*0xe4.*iconv"):
        read(b"good\nT\xe4ter\n", "text")


def test_a_stream_is_read_no_further_than_is_asked_for() -> None:
    class Lines(io.RawIOBase):
        def __iter__(self) -> Iterator[bytes]:  # type: ignore[override]
            yield b"one\n"
            raise AssertionError("nobody asked")

    texts = formats.read_texts(Lines(), "in.file", "text")  # type: ignore[arg-type]
    assert next(texts) == "one"


@pytest.mark.parametrize(
    ("name", "read_as", "written_as"),
    [
        ("a.jsonl", "jsonl", "jsonl"), ("a.NDJSON.gz", "jsonl", "jsonl"),
        ("a.txt.zst", "text", "text"), ("a.ttl", None, "nif"),
        ("a.conll.bz2", None, "conll"), ("a.html", None, "html"),
        ("a.b.tsv", None, "conll"), ("a", None, None), (".gz", None, None),
        ("Tokyo.", None, None),
    ],
)  # fmt: skip
def test_names_of_files_say_what_is_in_them(
    name: str, read_as: str | None, written_as: str | None
) -> None:
    assert formats.input_kind(name) == read_as
    assert formats.output_kind(name) == written_as


# JSON Lines


@given(st.lists(linked_texts(), max_size=3))
def test_json_lines_hold_the_text_and_its_mentions(texts: list[Linked]) -> None:
    lines = list(formats.write_json_lines(texts))
    assert all(line.count("\n") == 1 and line.endswith("\n") for line in lines)
    assert [AnnotatedText.from_json(json.loads(line)) for line in lines] == [t.text for t in texts]


def test_json_lines_can_be_read_by_all_rooms(tmp_path: Path) -> None:
    texts = [linked("東京は", "ja", (0, 2, "Q1490")), linked("und", "de", (0, 3, None))]
    path = tmp_path / "linked.jsonl"
    path.write_bytes(b"".join(formats.encode_pieces(formats.write_json_lines(texts))))
    first, second = read_annotated(path)
    assert first == AnnotatedText("東京は", "ja", (Mention(0, 2, "Q1490", 0.75),))
    assert second == AnnotatedText("und", "de")


def test_explained_lines_have_every_link_with_its_candidates_and_why() -> None:
    candidate = ScoredCandidate("Q1490", 0.9, 0.8, 12, "en")
    link = Link(0, 5, "Tokyo", None, 0.8, (candidate,), 0.3, "too unlikely")
    (line,) = formats.write_json_lines(
        [Linked.of(AnnotatedText("Tokyo", "en"), (link,))], label, explain=True
    )
    value = json.loads(line)
    assert "mentions" not in value
    assert value["links"] == [
        {
            "start": 0, "end": 5, "surface": "Tokyo", "entity": None, "score": 0.8,
            "link_probability": 0.3, "why": "too unlikely",
            "candidates": [
                {"entity": "Q1490", "label": "Q1490 in en", "language": "en", "count": 12,
                 "prior": 0.9, "score": 0.8}
            ],
        }
    ]  # fmt: skip


@given(linked_texts())
def test_bytes_are_utf_8_and_offsets_stay_where_characters_cannot_be_written(text: Linked) -> None:
    (piece,) = formats.encode_pieces([text.text.text])
    written = piece.decode()
    assert len(written) == len(text.text.text)
    assert all(a == b or b == "\ufffd" for a, b in zip(text.text.text, written, strict=True))


# CoNLL


def columns(text: Linked) -> list[list[str]]:
    (lines,) = conll.write_conll([text], label)
    assert lines.endswith("\n\n")
    head, *rows = lines.removesuffix("\n").split("\n")
    assert head.startswith("-DOCSTART- (1 ")
    return [row.split("\t") for row in rows]


def test_conll_has_token_place_mention_entity_and_name() -> None:
    text = linked("Tokyo is big. Is New York?", "en", (0, 5, "Q1490"), (17, 25, None))
    assert columns(text) == [
        ["Tokyo", "B", "Tokyo", "Q1490", "Q1490 in en"], ["is"], ["big"], ["."], [""],
        ["Is"], ["New", "B", "New York", "--NME--"], ["York", "I", "New York", "--NME--"], ["?"],
        [""],
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("text", "language", "tokens"),
    [
        ("東京都は日本。", "ja", ["東", "京", "都", "は", "日", "本", "。"]),
        ("ที่นี่ ไทย", "th", ["ที่", "นี่", "ไ", "ท", "ย"]),
        ("दिल्ली की", "hi", ["दिल्ली", "की"]),
        ("l’Italia, 3.5", "it", ["l", "’", "Italia", ",", "3", ".", "5"]),
        ("القَاهِرة!", "ar", ["القَاهِرة", "!"]),
        ("می\u200cخواهم", "fa", ["می\u200cخواهم"]),
        ("서울은 Café.", "ko", ["서울은", "Café", "."]),
    ],
)
def test_tokens_are_words_where_there_are_blanks_and_characters_where_there_are_none(
    text: str, language: str, tokens: list[str]
) -> None:
    assert [row[0] for row in columns(linked(text, language)) if row[0]] == tokens


def test_tokens_end_at_the_borders_of_mentions() -> None:
    rows = columns(linked("서울은", "ko", (0, 2, "Q8684")))
    assert rows == [["서울", "B", "서울", "Q8684", "Q8684 in ko"], ["은"], [""]]


def test_a_sentence_does_not_end_inside_a_mention() -> None:
    rows = columns(linked("He met No. She ran.", "en", (7, 14, "Q1")))
    assert [""] not in rows[: rows.index(["ran"])]


@given(linked_texts(overlapping=False))
def test_conll_keeps_all_characters_but_blanks_and_every_mention(text: Linked) -> None:
    rows = columns(text)
    written = "".join(row[0] for row in rows)
    assert written == SPACES.sub("", text.text.text)
    beginnings = [row[2:4] for row in rows if row[1:2] == ["B"]]
    wanted = [
        [SPACES.sub(" ", link.surface).strip(), SPACES.sub(" ", link.entity or "--NME--")]
        for link in text.links
        if link.surface.strip()
    ]
    assert beginnings == wanted
    insides = "".join(row[0] for row in rows if len(row) > 1)
    assert insides == "".join(SPACES.sub("", link.surface) for link in text.links)


def test_of_overlapping_mentions_the_longest_stays_and_the_others_are_counted() -> None:
    text = linked(
        "New York City Hall", "en", (0, 8, "Q1"), (0, 13, "Q2"), (4, 8, "Q3"), (14, 18, "Q4")
    )
    left_out: Counter[str] = Counter()
    (lines,) = conll.write_conll([text], label, left_out)
    assert re.findall(r"\tB\t.*\t(Q\d)\t", lines) == ["Q2", "Q4"]
    assert left_out == {conll.OVERLAPPING: 2}


# NIF


_TRIPLE = re.compile(r'    ([\w:]+) (?:"((?:[^"\\\n]|\\.)*)"(?:\^\^xsd:\w+)?|<([^<>\s]*)>) [;.]\n')
_ESCAPE = re.compile(r'\\(?:u([0-9A-F]{4})|([tbnrf"\\]))')
_PLAIN = {"t": "\t", "b": "\b", "n": "\n", "r": "\r", "f": "\f", '"': '"', "\\": "\\"}


def unescape(literal: str) -> str:
    return _ESCAPE.sub(lambda m: chr(int(m[1], 16)) if m[1] else _PLAIN[m[2]], literal)


def resources(turtle: str) -> Iterator[tuple[str, dict[str, str]]]:
    """Subjects with their properties; a reader of just what the writer needs."""
    for block in turtle.split("\n\n")[1:]:
        name, _, rest = block.partition("\n")
        kinds, _, rest = rest.partition("\n")
        assert re.fullmatch(r"<[^<>\s]+#offset_\d+_\d+>", name)
        assert kinds.startswith("    a nif:")
        rest = rest if rest.endswith("\n") else rest + "\n"
        found = {m[1]: unescape(m[2]) if m[3] is None else m[3] for m in _TRIPLE.finditer(rest)}
        assert _TRIPLE.sub("", rest) == "", rest
        yield name[1:-1], found


@settings(max_examples=50)
@given(st.lists(linked_texts(), max_size=3))
def test_nif_has_every_text_and_every_mention_at_its_place(texts: list[Linked]) -> None:
    found = list(resources("".join(nif.write_nif(texts, "http://example.org/"))))
    place = 0
    for number, text in enumerate(texts, start=1):
        name, context = found[place]
        size = len(text.text.text)
        assert name == f"http://example.org/text/{number}#offset_0_{size}"
        assert context["nif:isString"] == text.text.text
        assert context["dc:language"] == text.text.language
        for link, (_, phrase) in zip(text.links, found[place + 1 :], strict=False):
            assert phrase["nif:referenceContext"] == name
            start, end = int(phrase["nif:beginIndex"]), int(phrase["nif:endIndex"])
            assert context["nif:isString"][start:end] == phrase["nif:anchorOf"] == link.surface
            assert ("itsrdf:taIdentRef" in phrase) == (link.entity is not None)
        place += 1 + len(text.links)
    assert place == len(found)


@pytest.mark.parametrize(
    ("key", "iri"),
    [
        ("Q1490", "http://www.wikidata.org/entity/Q1490"),
        ("ja:日本 (国)", "https://ja.wikipedia.org/wiki/%E6%97%A5%E6%9C%AC_(%E5%9B%BD)"),
        ("en:AC/DC", "https://en.wikipedia.org/wiki/AC/DC"),
        ("en:What?", "https://en.wikipedia.org/wiki/What%3F"),
        ("acme:1 <x>", "urn:our:acme:1%20%3Cx%3E"),
        ("Q01", "urn:our:Q01"),
    ],
)
def test_entities_have_the_names_that_the_web_knows(key: str, iri: str) -> None:
    assert formats.entity_iri(key, "urn:our:") == iri


@pytest.mark.parametrize("base", ["", "here/", "http://a b/", "http://a/<", "1:x"])
def test_names_must_begin_like_names(base: str) -> None:
    with pytest.raises(InputError, match="Give an IRI"):
        list(nif.write_nif([], base))
