"""Dumps of every layout and compression; damaged ones end in one clear line."""

from __future__ import annotations

import bz2
import random
from pathlib import Path

import pytest
from wiki_dumps import WriteDump, dump_xml, page_xml, siteinfo_xml

from exonym.foundation.errors import FormatError, InputError
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
