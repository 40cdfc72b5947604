"""Accuracy, chance and the most frequent object, counted by hand."""

from __future__ import annotations

from exonym.tasks.cloze import (
    Answer,
    Candidate,
    ClozeSet,
    Question,
    most_frequent_objects,
    score,
)
from exonym.tasks.cloze.metrics import chance, most_frequent


def question(
    language: str,
    subject: str,
    *answers: str,
    told_in: tuple[str, ...] | None = ("en",),
    relation: str = "P36",
) -> Question:
    return Question(language, relation, subject, subject, answers, told_in)


def cloze_set(*questions: Question, objects: str = "ABCD") -> ClozeSet:
    keys = {(q.language, q.relation) for q in questions}
    candidates = tuple(Candidate(entity, f"name of {entity}") for entity in objects)
    return ClozeSet(
        questions, dict.fromkeys(keys, "[X] [Y]"), dict.fromkeys(sorted(keys), candidates)
    )


def test_any_of_several_right_answers_is_right() -> None:
    asked = question("en", "S", "A", "B")
    given = [Answer(asked, entity, entity, 0.0) for entity in ("A", "B", "C", None)]
    assert [value for _, _, value in score(given)] == [1.0, 1.0, 0.0, 0.0]


def test_scores_name_language_and_fact() -> None:
    asked = [question("de", "S", "A"), question("en", "S", "A", relation="P38")]
    assert score([Answer(q, "A", "a", 0.0) for q in asked]) == [
        ("de", ("S", "P36"), 1.0),
        ("en", ("S", "P38"), 1.0),
    ]


def test_chance_is_the_share_of_right_candidates() -> None:
    source = cloze_set(question("en", "S", "A"), question("en", "T", "A", "B", "C"))
    assert [value for _, _, value in chance(source.questions, source)] == [0.25, 0.75]


def test_the_most_frequent_object_counts_each_fact_once_however_many_languages_ask_it() -> None:
    source = cloze_set(
        *(question(language, "S", "A") for language in ("en", "de", "ja")),
        question("en", "T", "B"),
        question("de", "U", "B"),
    )
    assert most_frequent_objects(source) == {"P36": "B"}


def test_control_facts_do_not_count_as_frequent() -> None:
    source = cloze_set(
        question("en", "S", "A", told_in=()),
        question("en", "T", "A", told_in=()),
        question("en", "U", "B"),
    )
    assert most_frequent_objects(source) == {"P36": "B"}


def test_ties_go_to_the_first_id_whatever_the_order() -> None:
    facts = [question("en", "S", "C"), question("en", "T", "B"), question("en", "U", "D")]
    for ordered in (facts, facts[::-1]):
        assert most_frequent_objects(cloze_set(*ordered)) == {"P36": "B"}


def test_every_question_gets_its_relations_most_frequent_object() -> None:
    source = cloze_set(
        question("en", "S", "A"),
        question("en", "T", "A"),
        question("en", "U", "B"),
        question("en", "S", "C", relation="P38", told_in=()),
    )
    answers = most_frequent(source.questions, source)
    assert [(a.entity, a.label, a.correct) for a in answers] == [
        ("A", "name of A", True),
        ("A", "name of A", True),
        ("A", "name of A", False),
        (None, None, False),  # nobody tells anything of this relation
    ]
