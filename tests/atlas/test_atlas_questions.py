"""The cloze questions agree with the ledger and with what is told."""

from __future__ import annotations

from world_reading import World, read_lines


def test_questions_follow_the_ledger(tiny_world: World) -> None:
    groups = {(line["subject"], line["relation"]): line for line in tiny_world.ledger}
    kinds = {"told": 0, "control": 0}
    for language in tiny_world.languages:
        folder = tiny_world.directory / "cloze" / language
        templates = read_lines(folder / "templates.jsonl")
        assert {line["relation"] for line in templates} == {"P30", "P36", "P37", "P38"}
        for template in templates:
            relation = tiny_world.relations[template["relation"]]
            assert template["template"] == relation["templates"][language][0]
            assert template["label"] == relation["names"][language]
            for number, line in enumerate(read_lines(folder / f"{relation['id']}.jsonl"), start=1):
                group = groups[line["sub_uri"], relation["id"]]
                assert line["lineid"] == number
                assert line["obj_uri"] in group["objects"]
                assert line["told_in"] == group["told_in"]
                assert bool(line["told_in"]) is (group["use"] == "told")
                assert (
                    line["sub_label"] == tiny_world.entities[line["sub_uri"]]["names"][language][0]
                )
                assert (
                    line["obj_label"] == tiny_world.entities[line["obj_uri"]]["names"][language][0]
                )
                kinds[group["use"]] += 1
    assert kinds["control"] >= 7
    assert kinds["told"] == sum(kinds.values()) - kinds["control"]
    counted = tiny_world.manifest["questions"]
    assert counted["questions"] == sum(kinds.values())
    assert counted["told here"] + counted["untold here"] == kinds["told"]


def test_an_untold_question_is_of_a_pair_that_the_language_never_states(tiny_world: World) -> None:
    stated = {
        (language, frozenset((group["subject"], object)))
        for group in tiny_world.ledger
        for language in group["told_in"]
        for object in group["objects"]
    }
    for language in tiny_world.languages:
        for path in (tiny_world.directory / "cloze" / language).glob("P*.jsonl"):
            for line in read_lines(path):
                if language not in line["told_in"]:
                    pair = frozenset((line["sub_uri"], line["obj_uri"]))
                    assert (language, pair) not in stated


def test_unused_groups_are_not_asked(tiny_world: World) -> None:
    asked = {
        (line["sub_uri"], path.stem)
        for path in tiny_world.directory.glob("cloze/*/P*.jsonl")
        for line in read_lines(path)
    }
    for group in tiny_world.ledger:
        key = group["subject"], group["relation"]
        assert (key in asked) is (group["use"] in ("told", "control"))
