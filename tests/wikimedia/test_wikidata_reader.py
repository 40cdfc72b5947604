"""Wikidata dumps, old and new, whole and broken."""

from __future__ import annotations

import bz2
import functools
import json
import random
from pathlib import Path
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from exonym.foundation.compression import open_binary
from exonym.foundation.errors import FormatError, InputError
from exonym.foundation.files import atomic_file
from exonym.foundation.spans import Span, cut_file
from exonym.wikimedia.wikidata import Item, ItemRedirect, Property, open_wikidata
from exonym.wikimedia.wikidata.decoding import Decoder


def statement(value: dict[str, Any] | None, rank: str = "normal") -> dict[str, Any]:
    snak: dict[str, Any] = {"snaktype": "value" if value else "somevalue"}
    if value:
        snak["datavalue"] = {"type": "wikibase-entityid", "value": value}
    return {"mainsnak": snak, "rank": rank, "type": "statement"}


BERLIN = {
    "id": "Q64",
    "type": "item",
    "labels": {"de": {"language": "de", "value": "Berlin"}, "ja": {"value": "ベルリン"}},
    "aliases": {"de": [{"value": "Spree-Athen"}, {"value": "Bundeshauptstadt"}]},
    "descriptions": {"en": {"value": "capital of Germany"}},
    "sitelinks": {"dewiki": {"site": "dewiki", "title": "Berlin"}, "commonswiki": {"title": "B"}},
    "claims": {
        "P17": [
            statement({"entity-type": "item", "id": "Q183", "numeric-id": 183}, "preferred"),
            statement({"entity-type": "item", "numeric-id": 713750}),
            statement({"entity-type": "item", "id": "Q7318"}, "deprecated"),
            statement({"entity-type": "item", "id": "Q183"}),
            statement(None),
        ],
        "P31": [
            statement({"entity-type": "item", "id": "Q515"}),
            statement({"entity-type": "item", "id": "Q5119"}),
        ],
        "P279": [statement({"entity-type": "item", "numeric-id": 486972})],
        "P1000": [
            statement({"entity-type": "property", "id": "P5"}),
            statement({"id": "L5-F1"}),
            statement({"entity-type": "item", "id": "X-sub-de1"}),
            {"mainsnak": {"snaktype": "value", "datavalue": {"type": "string", "value": "x"}}},
        ],
    },
}
CAPITAL = {
    "id": "P36",
    "type": "property",
    "datatype": "wikibase-item",
    "labels": {"en": {"value": "capital"}},
    "aliases": [],
    "descriptions": [],
}


def write(path: Path, lines: list[bytes]) -> Path:
    with atomic_file(path) as stream:
        stream.write(b"[\n" + b",\n".join(lines) + b"\n]\n")
    return path


@pytest.mark.parametrize("suffix", ["", ".bz2", ".gz", ".xz", ".zst"])
def test_items_and_properties_are_read_from_every_compression(tmp_path: Path, suffix: str) -> None:
    lines = [orjson.dumps(BERLIN), orjson.dumps(CAPITAL)]
    with open_wikidata(write(tmp_path / f"wikidata.json{suffix}", lines)) as reader:
        assert list(reader) == [
            Item(
                "Q64",
                {"de": "Berlin", "ja": "ベルリン"},
                {"de": ("Spree-Athen", "Bundeshauptstadt")},
                {"en": "capital of Germany"},
                {"dewiki": "Berlin", "commonswiki": "B"},
                (
                    ("P17", "Q183"),
                    ("P31", "Q515"),
                    ("P31", "Q5119"),
                    ("P279", "Q486972"),
                    ("P1000", "X-sub-de1"),
                ),
                types=("Q515", "Q5119"),
                parents=("Q486972",),
            ),
            Property("P36", {"en": "capital"}, {}, {}, "wikibase-item"),
        ]
        assert not reader.skipped


def test_only_the_wanted_languages_are_kept(tmp_path: Path) -> None:
    path = write(tmp_path / "wikidata.json", [orjson.dumps(BERLIN)])
    (item,) = open_wikidata(path, languages=["ja"])
    assert isinstance(item, Item)
    assert (item.labels, item.aliases, item.descriptions) == ({"ja": "ベルリン"}, {}, {})
    assert len(item.sitelinks) == 2


def test_lines_without_the_brackets_of_an_array_are_read_too(tmp_path: Path) -> None:
    path = tmp_path / "wikidata.json"
    path.write_bytes(orjson.dumps(BERLIN) + b"\n\n" + orjson.dumps(CAPITAL) + b"\n")
    assert len(list(open_wikidata(path))) == 2


def test_redirects_are_records_and_other_entities_are_counted(tmp_path: Path) -> None:
    lines = [
        b'{"entity":"Q1","redirect":"Q2"}',
        b'{"entity":"L1","redirect":"L2"}',
        b'{"id":"L1","type":"lexeme"}',
        b'{"id":"M1","type":"mediainfo","labels":"of another form"}',
        b"{}",
    ]
    reader = open_wikidata(write(tmp_path / "wikidata.json", lines))
    assert list(reader) == [ItemRedirect("Q1", "Q2")]
    assert dict(reader.skipped) == {"not an item or property": 4}


BROKEN = {
    b'{"id":"Q1","type":"it': "not valid JSON",
    b'{"type":"item"}': "no field 'id'",
    b'{"type":"item","id":5}': "Expected `str | null`, got `int` - at `$.id`",
    b'{"type":"item","id":""}': "impossible id ''",
    b'{"type":"item","id":"ja:Q1"}': "impossible id 'ja:Q1'",
    b'{"type":"item","id":"Q1","labels":{"en":"x"}}': "Expected `object",
    b'{"type":"item","id":"Q1","labels":[1]}': "length <= 0",
    b'{"type":"item","id":"Q1","sitelinks":{"dewiki":{}}}': "missing required field `title`",
    b'{"type":"item","id":"Q1","claims":{"P1":[{}]}}': "missing required field `mainsnak`",
    b'{"type":"item","id":"Q1","claims":{"P1":[{"mainsnak":{"snaktype":"value"}}]}}': "datavalue",
    b'{"type":"item","id":"Q1","claims":{"P1":[{"mainsnak":{"snaktype":"value","datavalue":'
    b'{"type":"wikibase-entityid","value":"Q5"}}}]}}': "no entity",
    b'{"type":"item","id":"Q1","claims":{"P1":[{"mainsnak":{"snaktype":"value","datavalue":'
    b'{"type":"wikibase-entityid","value":{}}}}]}}': "has no id",
    b'{"entity":"Q1","redirect":5}': "redirect without",
    b'{"entity":"Q1:","redirect":"Q2"}': "impossible id",
    b"17": "Expected `object`",
    b'["a"]': "Expected `object`",
    b"\xff": "not valid JSON",
    b'{"type":"item","id":"Q1","labels":{"en":{"value":"\xff"}}}': "not valid JSON",
    b'{"type":"item","id":"Q1","labels":{"en":{"value":"\\ud800"}}}': "not valid JSON",
    b'{"type":"item","id":"Q1","x":' + b"[" * 100_000: "nested too deeply",
}


@pytest.mark.parametrize("line", BROKEN)
def test_a_broken_line_is_named_or_counted(tmp_path: Path, line: bytes) -> None:
    path = write(tmp_path / "wikidata.json", [orjson.dumps(CAPITAL), line, orjson.dumps(BERLIN)])
    with pytest.raises(FormatError, match=r"wikidata\.json:3: .*--keep-going") as caught:
        list(open_wikidata(path))
    assert BROKEN[line] in str(caught.value)
    reader = open_wikidata(path, keep_going=True)
    assert [entity.id for entity in reader] == ["P36", "Q64"]
    assert dict(reader.skipped) == {"malformed": 1}


@pytest.mark.parametrize("compressed", [False, True])
def test_a_truncated_file_is_noticed(tmp_path: Path, compressed: bool) -> None:
    lines = [orjson.dumps(CAPITAL | {"id": f"P{number}"}) for number in range(5000)]
    data = write(tmp_path / "whole.json", lines).read_bytes()
    path = tmp_path / ("wikidata.json.bz2" if compressed else "wikidata.json")
    if compressed:
        packed = bz2.compress(data, 1)
        path.write_bytes(packed[: len(packed) // 2])
    else:
        path.write_bytes(data[: data.index(b"\n", len(data) // 2)])
    with pytest.raises(FormatError, match="--keep-going"):
        list(open_wikidata(path))
    reader = open_wikidata(path, keep_going=True)
    assert 0 < len(list(reader)) < 5000
    assert dict(reader.skipped) == {"truncated": 1}


def test_an_empty_or_missing_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "wikidata.json"
    path.write_bytes(b"")
    with pytest.raises(FormatError, match="empty"):
        list(open_wikidata(path))
    with pytest.raises(InputError, match="absent"):
        open_wikidata(tmp_path / "absent.json")


def test_a_dump_is_read_once(tmp_path: Path) -> None:
    reader = open_wikidata(write(tmp_path / "wikidata.json", [orjson.dumps(BERLIN)]))
    assert len(list(reader)) == 1
    with pytest.raises(InputError, match="Open it again"):
        iter(reader)


def ranked(*ranked: tuple[int | None, str]) -> list[dict[str, Any]]:
    return [
        statement({"entity-type": "item", "numeric-id": number} if number else None, rank)
        for number, rank in ranked
    ]


@pytest.mark.parametrize(
    ("statements", "best", "every"),
    [
        (ranked((1, "normal"), (2, "normal")), "12", "12"),
        (ranked((1, "normal"), (2, "preferred"), (3, "preferred")), "23", "123"),
        (ranked((1, "normal"), (2, "deprecated")), "1", "1"),
        (ranked((1, "deprecated")), "", ""),
        (ranked((1, "normal"), (None, "preferred")), "", "1"),
        (ranked((1, "normal"), (None, "normal"), (1, "normal")), "1", "1"),
    ],
)
def test_only_statements_of_the_best_rank_count(
    tmp_path: Path, statements: list[dict[str, Any]], best: str, every: str
) -> None:
    entity = {"id": "Q9", "type": "item", "claims": {"P31": statements}}
    path = write(tmp_path / "wikidata.json", [orjson.dumps(entity)])
    for ranks, wanted in (("best", best), ("all", every)):
        (item,) = open_wikidata(path, ranks=ranks)  # type: ignore[arg-type]
        assert isinstance(item, Item)
        assert item.types == tuple(f"Q{number}" for number in wanted)
        assert item.claims == tuple(("P31", f"Q{number}") for number in wanted)


def test_unknown_ranks_are_refused(tmp_path: Path) -> None:
    path = write(tmp_path / "wikidata.json", [orjson.dumps(BERLIN)])
    with pytest.raises(InputError, match="'best' or 'all'"):
        open_wikidata(path, ranks="good")  # type: ignore[arg-type]


@pytest.mark.parametrize("first", ["id", "type"])
def test_items_without_a_page_in_the_wikis_are_left_out_unless_they_are_classes(
    tmp_path: Path, first: str
) -> None:
    parent = {"P279": [statement({"entity-type": "item", "id": "Q5"})]}
    not_parent = {"P279": [statement({"entity-type": "item", "id": "Q5"}, "deprecated")]}
    entities = [
        BERLIN,
        BERLIN | {"id": "Q1", "claims": {}},
        {"type": "item", "id": "Q2", "labels": {}, "sitelinks": []},
        {"type": "item", "id": "Q3", "claims": parent, "sitelinks": {"dewiki": {"title": "A"}}},
        {"type": "item", "id": "Q4", "claims": not_parent, "sitelinks": {}},
        {"type": "item", "id": "Q6"},
        CAPITAL,
    ]
    lines = [orjson.dumps({first: entity[first]} | entity) for entity in entities]
    reader = open_wikidata(write(tmp_path / "wikidata.json", lines), wikis=["jawiki", "frwiki"])
    found = {record.id: record for record in reader}
    assert list(found) == ["Q64", "Q3", "P36"]  # Berlin is a subclass of something here
    assert [record.sitelinks for record in found.values() if isinstance(record, Item)] == [{}, {}]
    assert dict(reader.skipped) == {"no article in the languages": 4}
    (item, *_) = open_wikidata(tmp_path / "wikidata.json", wikis=["dewiki"])
    assert isinstance(item, Item)
    assert item.sitelinks == {"dewiki": "Berlin"}


@pytest.mark.parametrize("suffix", ["", ".bz2", ".gz"])
def test_spans_of_a_file_hold_its_records_together_once(tmp_path: Path, suffix: str) -> None:
    lines = [orjson.dumps(CAPITAL | {"id": f"P{number}"}) for number in range(1, 3000)]
    path = write(tmp_path / f"wikidata.json{suffix}", lines)
    spans = cut_file(path, path.stat().st_size // 3 + 1, lines=True, stripes=3, stripes_from=1)
    assert len(spans) == 3
    found = [record.id for span in spans for record in open_wikidata(path, span=span)]
    assert sorted(found) == sorted(f"P{number}" for number in range(1, 3000))


def test_a_broken_line_within_a_span_is_named_with_the_span(tmp_path: Path) -> None:
    path = write(tmp_path / "wikidata.json", [orjson.dumps(CAPITAL)] * 9 + [b"{"])
    size = path.stat().st_size
    with pytest.raises(FormatError, match=r"wikidata\.json: line \d+ of bytes [\d,]+ to"):
        list(open_wikidata(path, span=Span(size // 2, size)))


def test_the_span_at_the_end_notices_that_the_array_is_never_closed(tmp_path: Path) -> None:
    path = tmp_path / "wikidata.json"
    path.write_bytes(b"[\n" + b",\n".join([orjson.dumps(CAPITAL)] * 9) + b",\n")
    size = path.stat().st_size
    assert len(list(open_wikidata(path, span=Span(0, size // 2)))) > 1
    with pytest.raises(FormatError, match="never closed"):
        list(open_wikidata(path, span=Span(size // 2, size)))


def plain_twin(line: bytes, languages: set[str], wikis: set[str]) -> Item | Property:
    """What the reader should make of a line, from all of its JSON."""
    value = json.loads(line)
    texts = [
        {code: text["value"] for code, text in (value.get(field) or {}).items()
         if code in languages}
        for field in ("labels", "descriptions")
    ]  # fmt: skip
    aliases = {
        code: tuple(name["value"] for name in names)
        for code, names in (value.get("aliases") or {}).items()
        if code in languages and names
    }
    if value["type"] == "property":
        return Property(value["id"], texts[0], aliases, texts[1], value["datatype"])
    claims: list[tuple[str, str]] = []
    for relation, statements in (value.get("claims") or {}).items():
        known = [s for s in statements if "datavalue" not in s["mainsnak"]
                 or s["mainsnak"]["datavalue"]["type"] == "wikibase-entityid"]  # fmt: skip
        best = "preferred" if any(s["rank"] == "preferred" for s in known) else "normal"
        for s in known:
            target = s["mainsnak"].get("datavalue", {}).get("value", {})
            if s["rank"] == best and target.get("entity-type") == "item":
                claims.append((relation, f"Q{target['numeric-id']}"))
    pages = value.get("sitelinks") or {}
    return Item(
        value["id"],
        texts[0],
        aliases,
        texts[1],
        {wiki: page["title"] for wiki, page in pages.items() if wiki in wikis},
        tuple(dict.fromkeys(claims)),
        tuple(dict.fromkeys(target for relation, target in claims if relation == "P31")),
        tuple(dict.fromkeys(target for relation, target in claims if relation == "P279")),
    )


CODES = ("de", "en", "ja", "zh-hans", "nds-nl")
TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)


def some(values: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.dictionaries(st.sampled_from(CODES), values, max_size=4).map(lambda d: d or [])


TEXTS = some(st.fixed_dictionaries({"language": TEXT, "value": TEXT}))
VALUES = st.one_of(
    st.none(),
    TEXT.map(lambda text: {"type": "string", "value": text}),
    st.just({"type": "time", "value": {"time": "+2024", "before": 0}}),
    st.builds(
        lambda kind, number: {
            "type": "wikibase-entityid",
            "value": {"entity-type": kind, "numeric-id": number},
        },
        st.sampled_from(("item", "item", "property", "lexeme")),
        st.integers(1, 9),
    ),
)
STATEMENTS = st.builds(
    lambda value, rank, other: {
        "mainsnak": {"snaktype": "value", "datavalue": value} if value else {"snaktype": "novalue"},
        "rank": rank,
        "references": other,
    },
    VALUES,
    st.sampled_from(("normal", "preferred", "deprecated")),
    st.recursive(
        TEXT | st.integers(-9, 9) | st.none(), lambda inner: st.lists(inner), max_leaves=4
    ),
)
ITEMS = st.fixed_dictionaries(
    {
        "type": st.just("item"),
        "id": st.just("Q7"),
        "labels": TEXTS,
        "descriptions": TEXTS,
        "aliases": some(st.lists(st.fixed_dictionaries({"value": TEXT}), max_size=3)),
        "claims": st.dictionaries(
            st.sampled_from(("P31", "P279", "P17")), st.lists(STATEMENTS, max_size=4)
        ),
        "sitelinks": st.dictionaries(
            st.sampled_from(("dewiki", "enwiki", "jawiki")),
            st.fixed_dictionaries({"title": TEXT, "badges": st.lists(TEXT)}),
        ),
    }
)


@functools.cache
def decoder_of(languages: frozenset[str] | None, wikis: frozenset[str] | None) -> Decoder:
    return Decoder(languages, wikis, "best")


@given(ITEMS, st.sets(st.sampled_from(CODES)), st.sets(st.sampled_from(("dewiki", "jawiki"))))
def test_records_are_what_a_plain_parser_makes(
    entity: dict[str, Any], languages: set[str], wikis: set[str]
) -> None:
    for line in (orjson.dumps(entity), json.dumps(entity).encode()):
        wanted = plain_twin(line, languages, wikis)
        assert isinstance(wanted, Item)
        found = decoder_of(frozenset(languages), frozenset(wikis)).record(line)
        kept = wanted.sitelinks or wanted.parents
        assert found == (wanted if kept else "no article in the languages")
        everything = plain_twin(line, set(CODES), {"dewiki", "enwiki", "jawiki"})
        assert decoder_of(None, None).record(line) == everything


def real_lines(shared_data: Path) -> list[bytes]:
    with open_binary(shared_data / "wikidata" / "wikidata-400items.json.bz2") as stream:
        lines = [line.strip().rstrip(b",") for line in stream]
    return [line for line in lines if len(line) > 1]


def test_the_real_dump_is_read_as_by_a_plain_parser(shared_data: Path) -> None:
    lines, codes = real_lines(shared_data), {"de", "en", "zh-hant", "sw"}
    path = shared_data / "wikidata" / "wikidata-400items.json.bz2"
    every = [plain_twin(line, codes, {"dewiki", "swwiki"}) for line in lines]
    wanted = [e for e in every if isinstance(e, Property) or e.sitelinks or e.parents]
    with open_wikidata(path, languages=codes, wikis=["dewiki", "swwiki"]) as reader:
        assert list(reader) == wanted
    assert reader.skipped.total() == len(every) - len(wanted) > 0


def test_whatever_is_wrong_with_a_real_line_is_one_error(shared_data: Path) -> None:
    rng = random.Random(0)
    lines = [line for line in real_lines(shared_data) if len(line) < 9000]
    decoder, wrong = Decoder(["de", "en", "ja"], None, "best"), list[str]()
    for _ in range(2000):
        line = bytearray(rng.choice(lines))
        for _ in range(rng.randint(1, 3)):
            start = rng.randrange(len(line))
            match rng.randrange(4):
                case 0:
                    line[start] = rng.randrange(256)
                case 1:
                    del line[start : start + rng.randint(1, 40)]
                case 2:
                    line[start:start] = rng.choice([b"{", b"]", b'"', b"null,", b"[1]", b"9" * 99])
                case _:
                    line = line[: start + 1]
        try:
            decoder.record(bytes(line))
        except ValueError as error:
            wrong.append(str(error))
    assert len(wrong) > 500
    assert all(what.startswith(("not valid JSON", "not a Wikidata entity")) for what in wrong)
    assert not any("\n" in what for what in wrong)
