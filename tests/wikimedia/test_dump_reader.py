"""Dumps of every layout and compression; damaged ones end in one clear line."""

from __future__ import annotations

import bz2
import random
import sys
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from wiki_dumps import WriteDump, dump_xml, page_xml, siteinfo_xml

from exonym.foundation.errors import FormatError, InputError
from exonym.foundation.files import atomic_file
from exonym.foundation.spans import cut_file
from exonym.wikimedia import Page, open_dump

PAGES = [
    page_xml("Berlin", "'''Berlin''' & [[Spree]] <b>x</b>", number=1),
    page_xml("Hauptstadt", "#WEITERLEITUNG [[Berlin]]", number=2, redirect="Berlin"),
    page_xml("Datei:Tor.jpg", "Beschreibung", number=3, ns=6),
]


def read(path: Path, *, keep_going: bool = False) -> tuple[list[Page], dict[str, int]]:
    with open_dump(path, keep_going=keep_going) as reader:
        return list(reader), dict(reader.skipped)


@pytest.mark.parametrize("suffix", ["", ".bz2", ".gz", ".xz", ".zst"])
def test_every_compression_reads_the_same_pages(write_dump: WriteDump, suffix: str) -> None:
    pages, skipped = read(write_dump(f"dewiki.xml{suffix}", PAGES))
    assert pages == [
        Page(1, 0, "Berlin", None, "'''Berlin''' & [[Spree]] <b>x</b>"),
        Page(2, 0, "Hauptstadt", "Berlin", "#WEITERLEITUNG [[Berlin]]"),
        Page(3, 6, "Datei:Tor.jpg", None, "Beschreibung"),
    ]
    assert skipped == {}


def test_a_multistream_file_is_read_to_its_end(tmp_path: Path) -> None:
    data = dump_xml(PAGES).encode()
    path = tmp_path / "dewiki.xml.bz2"
    path.write_bytes(b"".join(bz2.compress(data[i : i + 300]) for i in range(0, len(data), 300)))
    assert len(read(path)[0]) == 3


@pytest.mark.parametrize("version", ["0.3", "0.5", "0.8", "0.10", "0.11", "0.12"])
def test_every_schema_version_is_read(write_dump: WriteDump, version: str) -> None:
    assert len(read(write_dump("dewiki.xml", PAGES, version=version))[0]) == 3


def test_the_siteinfo_is_known_before_the_first_page(write_dump: WriteDump) -> None:
    with open_dump(write_dump("dewiki.xml", PAGES)) as reader:
        assert (reader.siteinfo.database, reader.siteinfo.language) == ("dewiki", "de")
        assert reader.siteinfo.namespace_key("Kategorie") == 14
        assert reader.warnings == []


def test_an_old_dump_without_dbname_takes_its_language_from_the_address(tmp_path: Path) -> None:
    base = "<base>http://it.wikipedia.org/wiki/Pagina_principale</base>"
    xml = dump_xml(PAGES).replace("<dbname>dewiki</dbname>", base)
    path = tmp_path / "old.xml"
    path.write_text(xml)
    with open_dump(path) as reader:
        assert (reader.siteinfo.database, reader.siteinfo.language) == ("itwiki", "it")


def test_an_old_dump_knows_redirects_by_their_text(tmp_path: Path) -> None:
    page = page_xml("A", "#SÜRGÜN : [[b_c#Abschnitt|x]]\n[[Kategorie:Y]]")
    path = tmp_path / "old.xml"
    path.write_text(dump_xml([page], version="0.3"))
    assert read(path)[0][0].redirect == "b_c#Abschnitt"
    path.write_text(dump_xml([page], version="0.11"))
    assert read(path)[0][0].redirect is None
    path.write_text(dump_xml([page.replace("<revision>", "<redirect /><revision>")]))
    assert read(path)[0][0].redirect == "b_c#Abschnitt"


def test_a_file_name_of_another_wiki_is_believed_and_warned_about(write_dump: WriteDump) -> None:
    with open_dump(write_dump("arwiki-small.xml", PAGES)) as reader:
        assert (reader.siteinfo.database, reader.siteinfo.language) == ("arwiki", "ar")
        assert "dewiki" in reader.warnings[0]
        assert "arwiki" in reader.warnings[0]


def test_pages_that_cannot_be_used_are_counted_by_reason(tmp_path: Path) -> None:
    good = PAGES[0]
    pages = [
        good,
        page_xml("Leer", ""),
        page_xml("X", "y").replace("<title>X</title>", ""),
        page_xml("X.css", "a {}").replace("<model>wikitext<", "<model>css<"),
        page_xml("X", "y").replace("<text", "<texts").replace("</text", "</texts"),
    ]
    path = tmp_path / "dewiki.xml"
    path.write_text(dump_xml(pages))
    found, skipped = read(path)
    assert [page.title for page in found] == ["Berlin"]
    assert skipped == {"no text": 2, "no title": 1, "not wikitext": 1}


def test_a_page_without_namespace_number_is_placed_by_its_title(tmp_path: Path) -> None:
    path = tmp_path / "dewiki.xml"
    path.write_text(dump_xml(PAGES).replace("<ns>0</ns>", "").replace("<ns>6</ns>", ""))
    assert [page.namespace for page in read(path)[0]] == [0, 0, 6]


def test_only_the_main_slot_is_read(tmp_path: Path) -> None:
    slot = "<content><role>extra</role><model>json</model><text>{}</text></content></revision>"
    path = tmp_path / "dewiki.xml"
    path.write_text(dump_xml([page_xml("A", "Text").replace("</revision>", slot)]))
    assert read(path)[0][0].text == "Text"


def test_a_huge_page_is_read_whole(write_dump: WriteDump) -> None:
    text = "Wort & Wort\n" * 400_000
    assert read(write_dump("dewiki.xml", [page_xml("Lang", text)]))[0][0].text == text


@pytest.mark.parametrize("suffix", ["", ".bz2", ".gz", ".xz", ".zst"])
def test_a_truncated_file_names_page_and_remedy(write_dump: WriteDump, suffix: str) -> None:
    noise = random.Random(0)
    pages = [
        page_xml(f"Seite {number}", "".join(chr(noise.randrange(97, 123)) for _ in range(20_000)))
        for number in range(120)
    ]
    path = write_dump(f"dewiki.xml{suffix}", pages)
    data = path.read_bytes()
    path.write_bytes(data[: len(data) * 3 // 4])
    with pytest.raises(FormatError, match=r"dewiki.*'Seite \d+'.*line.*--keep-going"):
        read(path)
    found, skipped = read(path, keep_going=True)
    assert found
    assert [page.title for page in found] == [f"Seite {number}" for number in range(len(found))]
    assert skipped == {"truncated": 1}


def test_malformed_pages_are_skipped_and_reading_goes_on(tmp_path: Path) -> None:
    pages = [page_xml(f"S{number}", "Text") for number in range(6)]
    pages[1] = pages[1].replace("</title>", "</titel>")
    pages[2] = pages[2].replace("Text", "Text & mehr <")
    pages[4] = pages[4].replace("Text", "\x00")
    path = tmp_path / "dewiki.xml"
    path.write_text(dump_xml(pages))
    with pytest.raises(FormatError, match=r"not well-formed.*--keep-going"):
        read(path)
    found, skipped = read(path, keep_going=True)
    assert [page.title for page in found] == ["S0", "S3", "S5"]
    assert skipped == {"malformed": 3}


def test_line_numbers_stay_right_after_damage(tmp_path: Path) -> None:
    pages = [page_xml(f"S{number}", "Text") for number in range(4)]
    pages[1] = pages[1].replace("</title>", "</titel>")
    xml = dump_xml(pages)
    cut = xml[: xml.index("Text", xml.index("S3"))]
    path = tmp_path / "dewiki.xml"
    path.write_text(cut)
    with open_dump(path, keep_going=True) as reader:
        list(reader)
        start = xml[: xml.index("S3")].count("\n")
        assert f"line {start}" in reader._place()


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "not XML \\(no element found"),
        (b"hello", "not XML"),
        (b"<html><body/></html>", "root element is <html>"),
        (b'{"id": "Q1"}', "not XML"),
        (
            b'<!DOCTYPE a [<!ENTITY b "c">]>' + dump_xml(PAGES).encode(),
            "declares XML entities",
        ),
    ],
)
@pytest.mark.parametrize("keep_going", [False, True])
def test_what_is_no_export_is_refused(
    tmp_path: Path, content: bytes, message: str, keep_going: bool
) -> None:
    path = tmp_path / "dewiki.xml"
    path.write_bytes(content)
    with pytest.raises(FormatError, match=message):
        read(path, keep_going=keep_going)


def test_a_missing_file_is_an_input_error(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"absent\.xml"):
        open_dump(tmp_path / "absent.xml")


def test_a_dump_without_siteinfo_needs_keep_going(write_dump: WriteDump) -> None:
    path = write_dump("swwiki-x.xml", PAGES, siteinfo=False)
    with pytest.raises(FormatError, match=r"no <siteinfo>.*--keep-going"):
        open_dump(path)
    with open_dump(path, keep_going=True) as reader:
        assert reader.siteinfo.language == "sw"
        assert reader.siteinfo.namespace_key("File") == 6
        assert reader.warnings
        assert [page.namespace for page in reader] == [0, 0, 6]


def test_a_siteinfo_without_namespaces_says_so(tmp_path: Path) -> None:
    head = siteinfo_xml()
    bare = head[: head.index("    <namespaces>")] + "  </siteinfo>\n"
    path = tmp_path / "x.xml"
    path.write_text(dump_xml(PAGES).replace(head, bare))
    with pytest.raises(FormatError, match="no <namespaces>"):
        open_dump(path)


def test_a_dump_of_no_known_language_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "x.xml"
    path.write_text(dump_xml(PAGES, siteinfo=False).replace(' xml:lang="de"', ""))
    with pytest.raises(FormatError, match="language is unknown"):
        open_dump(path, keep_going=True)


def test_a_dump_is_read_once(write_dump: WriteDump) -> None:
    reader = open_dump(write_dump("dewiki.xml", PAGES))
    assert len(list(reader)) == 3
    with pytest.raises(InputError, match="Open it again"):
        iter(reader)


def read_spans(
    path: Path, task_bytes: int, *, keep_going: bool = False
) -> tuple[list[Page], Counter[str]]:
    """What the spans of a file give, one after the other."""
    pages: list[Page] = []
    skipped: Counter[str] = Counter()
    for span in cut_file(path, task_bytes):
        with open_dump(path, keep_going=keep_going, span=span) as reader:
            assert reader.siteinfo.database == "dewiki"
            pages += reader
            skipped += reader.skipped
    return pages, skipped


@given(
    sizes=st.lists(st.sampled_from([0, 3, 50, 4_000, 60_000]), max_size=12),
    streams=st.integers(1, 5),
    level=st.integers(1, 9),
    plain=st.booleans(),
    data=st.data(),
)
@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_the_spans_of_a_dump_give_each_page_once(
    tmp_path: Path, sizes: list[int], streams: int, level: int, plain: bool, data: st.DataObject
) -> None:
    rng = random.Random(len(sizes) * 100 + streams)
    pages = [
        page_xml(f"Seite {n}", "".join(rng.choices("abcdeéü <>&page\n", k=size)), number=n)
        for n, size in enumerate(sizes)
    ]
    xml = dump_xml(pages).encode()
    path = tmp_path / ("dewiki.xml" if plain else "dewiki.xml.bz2")
    step = len(xml) // streams + 1
    parts = [xml[start : start + step] for start in range(0, len(xml), step)]
    path.write_bytes(xml if plain else b"".join(bz2.compress(part, level) for part in parts))
    size = path.stat().st_size
    task_bytes = data.draw(st.integers(max(1, size // 40), size))
    found, skipped = read_spans(path, task_bytes)
    whole, whole_skipped = read(path)
    assert found == whole
    assert skipped == whole_skipped


@pytest.mark.parametrize("suffix", [".gz", ".xz", ".zst"])
def test_what_cannot_be_cut_is_one_span_with_all_pages(write_dump: WriteDump, suffix: str) -> None:
    assert (
        read_spans(write_dump(f"dewiki.xml{suffix}", PAGES), 10)[0]
        == read(write_dump("dewiki.xml", PAGES))[0]
    )


def long_dump(tmp_path: Path, name: str) -> tuple[Path, list[str]]:
    noise = random.Random(1)
    titles = [f"Seite {number}" for number in range(60)]
    text = ["".join(noise.choices("abcdefghijklmnop", k=8_000)) for _ in titles]
    path = tmp_path / name
    data = dump_xml(map(page_xml, titles, text)).encode()
    path.write_bytes(bz2.compress(data, 1) if name.endswith(".bz2") else data)
    return path, titles


def test_damage_in_a_span_names_page_and_span(tmp_path: Path) -> None:
    path, titles = long_dump(tmp_path, "dewiki.xml.bz2")
    packed = bytearray(path.read_bytes())
    packed[len(packed) // 2] ^= 4
    path.write_bytes(packed)
    with pytest.raises(FormatError, match=r"damaged.*page 'Seite \d+' of bytes [\d,]+ to"):
        read_spans(path, 40_000)
    pages, skipped = read_spans(path, 40_000, keep_going=True)
    found = [page.title for page in pages]
    assert found == [title for title in titles if title in found]
    assert len(titles) - 20 < len(found) < len(titles)  # a block holds 12 pages
    assert found[-1] == titles[-1]
    assert set(skipped) == {"truncated"}


@pytest.mark.parametrize("name", ["dewiki.xml", "dewiki.xml.bz2"])
def test_a_truncated_file_is_noticed_in_its_last_span(tmp_path: Path, name: str) -> None:
    path, titles = long_dump(tmp_path, name)
    data = path.read_bytes()
    path.write_bytes(data[: len(data) * 3 // 4])
    spans = cut_file(path, 40_000)
    with open_dump(path, span=spans[0]) as reader:
        assert list(reader)
    with pytest.raises(FormatError, match=r"ends? early.*of bytes.*--keep-going"):
        read_spans(path, 40_000)
    pages, skipped = read_spans(path, 40_000, keep_going=True)
    assert [page.title for page in pages] == titles[: len(pages)]
    assert len(pages) > 30
    assert set(skipped) == {"truncated"}


@pytest.mark.parametrize("task_bytes", [300, 700, 1_000, 5_000])
def test_malformed_pages_in_spans_are_skipped_and_reading_goes_on(
    tmp_path: Path, task_bytes: int
) -> None:
    pages = [page_xml(f"S{number}", "Text") for number in range(12)]
    pages[1] = pages[1].replace("</title>", "</titel>")
    pages[2] = pages[2].replace("Text", "Text & mehr <")
    pages[7] = pages[7].replace("Text", "\x00")
    path = tmp_path / "dewiki.xml"
    path.write_text(dump_xml(pages))
    with pytest.raises(FormatError, match=r"not well-formed.*--keep-going"):
        read_spans(path, task_bytes)
    found, skipped = read_spans(path, task_bytes, keep_going=True)
    assert [page.title for page in found] == [f"S{n}" for n in range(12) if n not in (1, 2, 7)]
    assert skipped == {"malformed": 3}


def test_a_page_without_an_end_is_noticed_in_its_span(tmp_path: Path) -> None:
    pages = [page_xml(f"S{number}", "Text") for number in range(12)]
    pages[5] = pages[5].replace("  </page>\n", "")
    path = tmp_path / "dewiki.xml"
    path.write_text(dump_xml(pages))
    with pytest.raises(FormatError, match="not well-formed"):
        read_spans(path, 1_000)
    assert read_spans(path, 1_000, keep_going=True)[1]["malformed"] == 1


def test_a_real_dump_reads_the_same_in_spans(shared_data: Path) -> None:
    for name in ("dewiki-minidump.xml.bz2", "elwiki-minidump.xml.bz2"):
        path = shared_data / "wikipedia" / name
        found: list[Page] = []
        for span in cut_file(path, 9_000):
            with open_dump(path, span=span) as reader:
                found += reader
        assert found == read(path)[0]


@pytest.mark.parametrize("kept", [0.5, 0.99, 1.0])
@pytest.mark.parametrize("library", ["isal", "gzip"])
def test_damage_in_gzip_is_told_the_same_way_by_either_library(
    write_dump: WriteDump, monkeypatch: pytest.MonkeyPatch, library: str, kept: float
) -> None:
    if library == "isal":
        pytest.importorskip("isal", reason="needs the extra fast")
    else:
        monkeypatch.setitem(sys.modules, "isal.igzip_lib", None)
    noise = random.Random(0)
    pages = [page_xml(f"Seite {n}", f"{noise.random()}" * 40, number=n) for n in range(3_000)]
    path = write_dump("dewiki.xml.gz", pages)
    assert len(read(path)[0]) == 3_000
    data = bytearray(path.read_bytes())
    if kept < 1:
        del data[int(len(data) * kept) :]
    else:
        data[-6] ^= 0x40  # the checksum
    path.write_bytes(data)
    with pytest.raises(FormatError, match=r"compressed data end early or are damaged.*line"):
        read(path)
    found, skipped = read(path, keep_going=True)
    assert len(found) > 1_000
    assert skipped == {"truncated": 1}


@pytest.mark.parametrize("library", ["isal", "gzip"])
def test_members_and_padding_of_gzip_are_read_by_either_library(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, library: str
) -> None:
    if library == "isal":
        pytest.importorskip("isal", reason="needs the extra fast")
    else:
        monkeypatch.setitem(sys.modules, "isal.igzip_lib", None)
    whole = dump_xml(PAGES).encode()
    path = tmp_path / "dewiki.xml.gz"
    members = b""
    for start in range(0, len(whole), 300):
        part = tmp_path / "part.gz"
        with atomic_file(part) as stream:
            stream.write(whole[start : start + 300])
        members += part.read_bytes()
    path.write_bytes(members + bytes(300_000))
    assert len(read(path)[0]) == 3
    path.write_bytes(members + b"something else")
    with pytest.raises(FormatError, match="damaged"):
        read(path)


def test_bytes_that_are_no_bzip2_stream_are_not_taken_for_the_end(tmp_path: Path) -> None:
    path = tmp_path / "dewiki.xml.bz2"
    data = dump_xml(PAGES).encode()
    path.write_bytes(bz2.compress(data[:500]) + b"XXh9" + bz2.compress(data[500:])[4:])
    with pytest.raises(FormatError, match="damaged"):
        read(path)
