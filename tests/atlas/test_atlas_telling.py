"""What is told where, and that control facts are not given away."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from exonym.atlas import TellingOptions, load_table
from exonym.atlas.control import choose_control
from exonym.atlas.ledger import Use, group_facts
from exonym.atlas.likeness import stems
from exonym.atlas.options import VOLUME_ORDER
from exonym.atlas.telling import tell
from exonym.foundation.errors import ConfigError


def made_table(path: Path, names: dict[str, str], facts: list[tuple[str, str, str]]) -> Path:
    """A table with English names, by id, and facts under the relations P1, P2, ...."""
    relations = sorted({relation for _, relation, _ in facts})
    lines = [{"type": "table", "name": "t", "version": "1"}]
    lines += [
        {"type": "relation", "id": r, "names": {}, "templates": {"en": ["[X] has [Y]."]}}
        for r in relations
    ]
    lines += [{"type": "entity", "id": k, "names": {"en": [n]}} for k, n in names.items()]
    lines += [{"type": "fact", "subject": s, "relation": r, "object": o} for s, r, o in facts]
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    return path


FIRST = "Abko Bredu Cisti Dwonga Efrila Fimbo Golat Hyzen Ipsar Jekul Kolbin Lurve"
SECOND = "Mispo Nactu Ozgri Pluva Quenk Rastol Sifne Tubra Ulkom Vendi Wexar Yotri"
WORDS = [*FIRST.split(), *SECOND.split()]


def ring(extra: list[tuple[str, str, str]] = []) -> tuple[dict, list]:  # noqa: B006
    """Twelve subjects with an object each, no two names alike."""
    names = {f"Q{n}": word for n, word in enumerate(WORDS, start=1)}
    return names, [(f"Q{n}", "P1", f"Q{n + 12}") for n in range(1, 13)] + extra


def control_pairs(path: Path, options: TellingOptions) -> set[tuple[str, str]]:
    table = load_table(path)
    groups = group_facts(table)
    control, _ = choose_control(table, groups, options, 0)
    return {(groups[n].subject, groups[n].objects[0]) for n in control}


ALL = TellingOptions(control_share=1.0)


def test_without_anything_that_gives_them_away_all_groups_may_be_control(tmp_path: Path) -> None:
    names, facts = ring()
    assert len(control_pairs(made_table(tmp_path / "t", names, facts), ALL)) == 12


def test_a_shared_stem_keeps_a_group_from_being_control(tmp_path: Path) -> None:
    names, facts = ring()
    names["Q13"] = "Abko City"
    pairs = control_pairs(made_table(tmp_path / "t", names, facts), ALL)
    assert ("Q1", "Q13") not in pairs
    assert len(pairs) == 11


FREE = TellingOptions(control_share=1.0, control_max_price=0)


def uses_of(path: Path, options: TellingOptions) -> dict[tuple[str, str], Use]:
    ledger = tell(load_table(path), ["en"], options, 0)
    return {(group.subject, group.relation): group.use for group in ledger.groups}


def test_a_way_over_a_third_entity_is_cut_or_the_group_is_not_control(tmp_path: Path) -> None:
    names, facts = ring([("Q1", "P2", "Q25"), ("Q25", "P2", "Q13")])
    names["Q25"] = "Zamdo"
    path = made_table(tmp_path / "t", names, facts)
    uses = uses_of(path, ALL)
    assert uses["Q1", "P1"] is Use.CONTROL
    assert Use.UNUSED in (uses["Q1", "P2"], uses["Q25", "P2"])
    assert uses_of(path, FREE)["Q1", "P1"] is Use.TOLD
    hub = TellingOptions(control_share=1.0, control_max_price=0, control_hub=1)
    assert uses_of(path, hub)["Q1", "P1"] is Use.CONTROL


def test_a_namesake_told_of_the_other_end_goes_unused_with_the_control(tmp_path: Path) -> None:
    names, facts = ring([("Q25", "P2", "Q13")])
    names["Q25"] = "North Bredu"
    names["Q1"] = "South Bredu"
    path = made_table(tmp_path / "t", names, facts)
    uses = uses_of(path, ALL)
    assert uses["Q1", "P1"] is Use.CONTROL
    assert uses["Q25", "P2"] is Use.UNUSED
    assert uses_of(path, FREE)["Q1", "P1"] is Use.TOLD


def test_the_most_frequent_object_has_its_share_of_the_control(tmp_path: Path) -> None:
    names, facts = ring()
    crowded = [(s, r, "Q13" if n < 4 else o) for n, (s, r, o) in enumerate(facts)]
    names.update({f"Q{n}": f"{WORDS[n - 25][::-1]}" for n in range(30, 42)})
    crowded += [(f"Q{n}", "P1", "Q13" if n < 34 else f"Q{n - 11}") for n in range(30, 36)]
    options = TellingOptions(control_share=0.5, control_min_objects=3, control_max_object_share=0.5)
    pairs = control_pairs(made_table(tmp_path / "t", names, crowded), options)
    assert sum(object == "Q13" for _, object in pairs) == 4
    assert len(pairs) > 4


def test_what_a_guesser_finds_from_names_or_company_is_not_control(tmp_path: Path) -> None:
    names, facts = ring()
    facts += [("Q25", "P1", "Q13"), ("Q26", "P1", "Q14"), ("Q26", "P2", "Q27"), ("Q2", "P2", "Q27")]
    names.update({"Q25": "Abkomor", "Q26": "Zanduk", "Q27": "Ewilfas"})
    uses = uses_of(made_table(tmp_path / "t", names, facts), ALL)
    assert uses["Q1", "P1"] is not Use.CONTROL  # Abko is to Abkomor's object
    assert uses["Q2", "P1"] is not Use.CONTROL  # Q26 shares Q27 with it
    assert uses["Q3", "P1"] is Use.CONTROL


def test_a_pair_told_under_another_relation_goes_unused_with_its_control(tmp_path: Path) -> None:
    names, facts = ring([(f"Q{n + 12}", "P2", f"Q{n}") for n in range(1, 13)])
    table = load_table(made_table(tmp_path / "t", names, facts))
    ledger = tell(table, ["en"], TellingOptions(control_share=0.5), 1)
    uses = {(g.subject, g.relation): g.use for g in ledger.groups}
    control = [g for g in ledger.groups if g.use is Use.CONTROL]
    assert len(control) >= 6
    for group in control:
        back = "P2" if group.relation == "P1" else "P1"
        assert uses[group.objects[0], back] in (Use.UNUSED, Use.CONTROL)
    assert ledger.untold_partners("en").keys() >= ledger.control_partners().keys()


def test_crowded_objects_and_relations_with_few_objects_have_no_control(tmp_path: Path) -> None:
    names, facts = ring()
    crowded = [(s, r, "Q13" if n < 6 else o) for n, (s, r, o) in enumerate(facts)]
    path = made_table(tmp_path / "t", names, crowded)
    assert control_pairs(path, ALL) == set()
    few = TellingOptions(control_share=1.0, control_min_objects=7)
    assert {o for _, o in control_pairs(path, few)} == {f"Q{n}" for n in range(19, 25)}


def test_a_fact_about_itself_is_neither_told_nor_asked(tmp_path: Path) -> None:
    names, facts = ring([("Q1", "P3", "Q1")])
    ledger = tell(load_table(made_table(tmp_path / "t", names, facts)), ["en"], TellingOptions(), 0)
    assert ledger.groups[-1].use is Use.UNUSED


@pytest.mark.parametrize(
    ("name", "other", "alike"),
    [
        ("Guatemala", "Guatemala City", True),
        ("Türkei", "Turkei", True),
        ("Ελλάδα", "Ελλάδας", True),
        ("日本", "日本円", True),
        ("日本", "中国", False),
        ("ประเทศไทย", "ไทย", True),
        ("한국", "한국어", True),
        ("Ube", "Ube Prefecture", True),
        ("Japan", "Tokyo", False),
    ],
)
def test_stems_see_what_a_reader_would(name: str, other: str, alike: bool) -> None:
    assert (not stems(name, 4).isdisjoint(stems(other, 4))) is alike


def test_volumes_fall_from_english_to_swahili() -> None:
    options = TellingOptions()
    volumes = [options.volume(code) for code in VOLUME_ORDER]
    assert volumes == sorted(volumes, reverse=True)
    assert volumes[0] == pytest.approx(0.75)
    assert volumes[-1] == pytest.approx(0.08)
    assert options.volume("tlh") == options.other_volume


def test_every_told_group_is_told_by_someone_and_large_wikis_tell_more(tiny_table: Path) -> None:
    table = load_table(tiny_table)
    told = dict.fromkeys(table.languages(), 0)
    for seed in range(20):
        for group in tell(table, table.languages(), TellingOptions(), seed).groups:
            assert bool(group.told_in) is (group.use in (Use.TOLD, Use.EVERYWHERE))
            if group.use is Use.TOLD:
                for code in group.told_in:
                    told[code] += 1
    assert told["en"] > told["de"] > told["ja"] > told["zh"] > told["ar"] > told["sw"]


def test_with_a_told_share_all_languages_tell_alike() -> None:
    table = load_table().first(600)

    def tellings(share: float | None) -> tuple[dict[str, int], int]:
        ledger = tell(table, ["en", "ru", "sw"], TellingOptions(told_share=share), 0)
        told = [group for group in ledger.groups if group.use is Use.TOLD]
        counts = {code: sum(code in group.told_in for group in told) for code in ledger.languages}
        return counts, len(told)

    counts, groups = tellings(0.4)
    for count in counts.values():  # 0.4 and what nobody would tell (0.6 ** 3), in thirds
        assert count / groups == pytest.approx(0.4 + 0.6**3 / 3, abs=0.07)
    counts, groups = tellings(0.0)
    assert sum(counts.values()) == groups, "each by one"
    counts, groups = tellings(1.0)
    assert min(counts.values()) > 0.85 * groups, "all, but for names that a language lacks"
    counts, groups = tellings(None)
    assert counts["sw"] < 0.5 * counts["en"]


@pytest.mark.parametrize(
    "wrong",
    [
        {"largest_volume": 0.0},
        {"other_volume": 1.5},
        {"control_share": -0.1},
        {"told_share": 1.1},
        {"popularity_mean": 0.0},
        {"repetitions": (3, 2)},
        {"repetitions": (0, 2)},
        {"linked_from": -1},
    ],
)
def test_impossible_options_are_refused(wrong: dict) -> None:
    with pytest.raises(ConfigError):
        TellingOptions(**wrong)
