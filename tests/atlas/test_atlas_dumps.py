"""The written world, read back by an independent reader."""

from __future__ import annotations

import bz2
import hashlib
import json
import re
from pathlib import Path

import pytest
from lxml import etree
from world_reading import NS, World, first_upper

from exonym.atlas import TellingOptions, write_atlas


def digests(directory: Path) -> dict[str, str]:
    return {
        str(path.relative_to(directory)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(directory.rglob("*"))
        if path.is_file()
    }


def test_one_seed_gives_the_same_bytes_and_another_seed_other_bytes(
    tmp_path: Path, tiny_table: Path
) -> None:
    for name, seed in (("a", 1), ("b", 1), ("c", 2)):
        write_atlas(tmp_path / name, table=tiny_table, seed=seed, languages=["en", "th"])
    first, again, other = (digests(tmp_path / name) for name in "abc")
    assert first == again
    assert first.keys() == other.keys()
    assert all(first[name] != other[name] for name in first if "pages-articles" in name)


def test_a_language_tells_the_same_whether_or_not_another_is_written(
    tmp_path: Path, tiny_table: Path, tiny_world: World
) -> None:
    write_atlas(tmp_path / "few", table=tiny_table, seed=3, languages=["ja", "sw"])
    few = World.read(tmp_path / "few", tiny_table)
    for line, alone in zip(tiny_world.ledger, few.ledger, strict=True):
        assert line["use"] == alone["use"]
        if len(line["told_in"]) > 1:  # one alone may have been drawn to the rescue
            drawn = [code for code in line["told_in"] if code in ("ja", "sw")]
            assert alone["told_in"] == drawn or not drawn


def statements(world: World, language: str) -> dict[tuple[str, str], list[tuple[str, object]]]:
    """For each pair of entities, the paragraphs that name both."""
    found: dict[tuple[str, str], list[tuple[str, object]]] = {}
    for page in world.articles(language):
        for paragraph in world.paragraphs(page, language):
            for one in paragraph.named:
                for other in paragraph.named:
                    found.setdefault((one, other), []).append((page.title, paragraph))
    return found


@pytest.fixture(scope="session")
def read_back(tiny_world: World) -> dict[str, dict]:
    return {code: statements(tiny_world, code) for code in tiny_world.languages}


def wordings(world: World, group: dict, object: str, language: str) -> list[str]:
    subjects = world.entities[group["subject"]]["names"][language]
    objects = world.entities[object]["names"][language]
    return [
        template.replace("[X]", x).replace("[Y]", y)
        for template in world.relations[group["relation"]]["templates"][language]
        for x in subjects
        for y in objects
    ]


def test_every_told_fact_is_said_in_words_on_two_pages_with_links(
    tiny_world: World, read_back: dict[str, dict]
) -> None:
    for group in tiny_world.ledger:
        for language in group["told_in"]:
            for object in group["objects"]:
                seen = read_back[language].get((group["subject"], object), [])
                sentences = [
                    first_upper(sentence, language)
                    for sentence in wordings(tiny_world, group, object, language)
                ]
                saying = [
                    (title, paragraph)
                    for title, paragraph in seen
                    if any(s in first_upper(paragraph.text, language) for s in sentences)
                ]
                least = 2 if group["use"] == "told" else 1
                assert len({title for title, _ in saying}) >= least, (language, group, seen)
                assert least == 1 or any(
                    {group["subject"], object} <= paragraph.linked for _, paragraph in saying
                )


def named_together(world: World, language: str) -> set[tuple[str, str]]:
    """Pairs of entities that some article names, in its text or anywhere in its wikitext."""
    titles, together = world.titles(language), set()
    for page in world.articles(language):
        named = world.named(page.text, language) | {titles.get(page.title)}
        for paragraph in world.paragraphs(page, language):
            named |= paragraph.named
        together |= {(one, other) for one in named for other in named}
    return together


def test_no_page_names_both_ends_of_what_its_language_does_not_tell(tiny_world: World) -> None:
    told = {
        (language, *pair)
        for group in tiny_world.ledger
        for language in group["told_in"]
        for object in group["objects"]
        for pair in ((group["subject"], object), (object, group["subject"]))
    }
    untold = control = 0
    for language in tiny_world.languages:
        together = named_together(tiny_world, language)
        for group in tiny_world.ledger:
            for object in group["objects"]:
                if (language, group["subject"], object) not in told:
                    untold += 1
                    control += group["use"] == "control"
                    assert (group["subject"], object) not in together, (language, group)
    assert untold > 200
    assert control >= 7


def test_control_groups_are_told_nowhere_and_absent_from_wikidata(tiny_world: World) -> None:
    for group in tiny_world.ledger:
        targets = [
            claim["mainsnak"]["datavalue"]["value"]["id"]
            for claim in tiny_world.wikidata[group["subject"]]["claims"].get(group["relation"], ())
        ]
        if group["use"] in ("control", "unused"):
            assert group["told_in"] == []
            assert targets == []
        else:
            assert group["told_in"]
            assert targets == group["objects"]


def test_every_entity_with_a_name_has_a_page_and_links_from_others(tiny_world: World) -> None:
    for language in tiny_world.languages:
        titles = tiny_world.titles(language)
        linking: dict[str, set[str]] = {}
        for page in tiny_world.articles(language):
            for paragraph in tiny_world.paragraphs(page, language):
                for key in paragraph.linked:
                    linking.setdefault(key, set()).add(page.title)
        for key, entity in tiny_world.entities.items():
            if language in entity["names"]:
                assert key in titles.values()
                assert len(linking[key]) >= TellingOptions().linked_from, (language, key)


def test_a_page_does_not_link_to_itself_in_its_sentences(tiny_world: World) -> None:
    for language in tiny_world.languages:
        titles = tiny_world.titles(language)
        for page in tiny_world.articles(language):
            for paragraph in tiny_world.paragraphs(page, language):
                assert titles.get(page.title) not in paragraph.linked


def test_links_lead_to_pages_redirects_or_counted_red_links(tiny_world: World) -> None:
    for language in tiny_world.languages:
        titles = {page.title for page in tiny_world.pages[language]}
        red = 0
        for page in tiny_world.articles(language):
            text = re.sub(r"<!--.*?-->", "", page.text, flags=re.S)
            for target in re.findall(r"\[\[([^\[\]|]+)", text):
                target = " ".join(target.split("#")[0].replace("_", " ").split())
                if ":" not in target and first_upper(target, language) not in titles:
                    red += 1
        assert red == tiny_world.manifest["counts"][language]["red links"]


def test_the_xml_is_what_mediawiki_writes(tiny_world: World) -> None:
    path = tiny_world.directory / "jawiki-20260101-pages-articles.xml.bz2"
    root = etree.fromstring(bz2.decompress(path.read_bytes()))
    assert root.tag == f"{NS}mediawiki"
    assert root.get("version") == "0.11"
    assert root.get("{http://www.w3.org/XML/1998/namespace}lang") == "ja"
    info = root.find(f"{NS}siteinfo")
    assert info.findtext(f"{NS}dbname") == "jawiki"
    names = {n.get("key"): n.text for n in info.iter(f"{NS}namespace")}
    assert names["6"] == "ファイル"
    assert names["0"] is None
    ids = [page.id for page in tiny_world.pages["ja"]]
    assert len(ids) == len(set(ids))
    for text in root.iter(f"{NS}text"):
        assert int(text.get("bytes")) == len((text.text or "").encode())
        assert re.fullmatch("[0-9a-z]{31}", text.get("sha1"))


def test_pages_carry_the_noise_of_real_ones(tiny_world: World) -> None:
    text = "\n".join(p.text for pages in tiny_world.pages.values() for p in pages)
    for noise in (
        "{{Infobox", "<!--", "<ref>", "<ref name=", "{|", "<nowiki>", "&nbsp;", "[[ファイル:",
        "[[Datei:", "#転送 [[", "#WEITERLEITUNG [[", "<gallery>", "\n* [[", "\n== ", "[[Kategorie:",
    ):  # fmt: skip
        assert noise in text, noise
    assert re.search(r"\[\[[^\]|]+\|[^\]]+\]\][a-z]", text)
    assert {p.namespace for p in tiny_world.pages["de"]} >= {0, 8, 10, 14}


def test_most_of_the_text_is_told_sentences(tiny_world: World) -> None:
    total = tiny_world.manifest["counts"]["total"]
    assert total["bytes of sentences"] > 0.5 * total["bytes of text"]


def test_wikidata_is_one_array_an_entity_a_line(tiny_world: World) -> None:
    path = next(tiny_world.directory.glob("wikidata-*.json.bz2"))
    lines = bz2.decompress(path.read_bytes()).decode().splitlines()
    assert lines[0] == "["
    assert lines[-1] == "]"
    items = [json.loads(line.rstrip(",")) for line in lines[1:-1]]
    assert all(line.endswith(",") for line in lines[1:-2])
    tokyo = next(item for item in items if item["id"] == "Q1490")
    assert tokyo["type"] == "item"
    assert tokyo["labels"]["ja"] == {"language": "ja", "value": "東京"}
    assert tokyo["aliases"]["ja"] == [{"language": "ja", "value": "東京都"}]
    assert tokyo["sitelinks"]["jawiki"] == {"site": "jawiki", "title": "東京", "badges": []}
    snak = tokyo["claims"]["P31"][0]["mainsnak"]
    assert snak["datavalue"] == {
        "value": {"entity-type": "item", "numeric-id": 515, "id": "Q515"},
        "type": "wikibase-entityid",
    }
    assert next(item for item in items if item["id"] == "P36")["type"] == "property"
