"""Entities in questions and passages, the counts of them, and the directory that keeps both."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest

import source_articles
from exonym.foundation.errors import ExistsError, FormatError, InputError, VersionError
from exonym.knowledge import KnowledgeBase
from exonym.linking.linked import Link, Linked
from exonym.linking.source_article import ArticleRule
from exonym.tasks.qa import GoldAnswer, QuestionExample, read_examples
from exonym.tasks.qa.annotation import AnnotatedQuestions, AnnotationOptions, annotate_questions
from exonym.tasks.qa.annotation_files import QuestionAnnotations, write_annotations
from exonym.text import AnnotatedText


@pytest.fixture(scope="module")
def kb(tmp_path_factory: pytest.TempPathFactory) -> KnowledgeBase:
    return source_articles.build(tmp_path_factory.mktemp("articles"))


def asked(
    question: str,
    context: str,
    title: str | None,
    languages: tuple[str, str] = ("en", "en"),
    name: str = "1",
) -> QuestionExample:
    """A question; languages of question and passage."""
    return QuestionExample(
        name,
        AnnotatedText(question, languages[0]),
        AnnotatedText(context, languages[1]),
        (GoldAnswer(context[:2], 0),),
        title,
    )


def annotate(
    kb: KnowledgeBase, *examples: QuestionExample, source: str | None = None, **options: Any
) -> AnnotatedQuestions:
    return annotate_questions(kb, [examples], AnnotationOptions(source), **options)[0]


def named(text: AnnotatedText) -> list[tuple[str, str | None]]:
    return [(text.surface(mention), mention.entity) for mention in text.mentions]


def test_question_and_passage_get_the_entities_of_the_source_article(kb: KnowledgeBase) -> None:
    example = asked("Is Nippon near York?", "Osaka lies in Japan.", "Edo")
    result = annotate(kb, example)
    (found,) = result.examples
    assert named(found.question) == [("Nippon", "Q17"), ("York", "Q42462")]
    assert named(found.context) == [("Osaka", "Q35765"), ("Japan", "Q17")]
    assert found.context.source == "en:Tokyo"
    assert (found.id, found.answers, found.title) == (example.id, example.answers, "Edo")
    assert found.question.text == example.question.text


def test_question_and_passage_may_be_in_different_languages(kb: KnowledgeBase) -> None:
    languages = ("de", "ja")
    result = annotate(kb, asked("Liegt Ōsaka auf Honshū?", "大阪は日本の市。", "東京都", languages))
    (found,) = result.examples
    # The Japanese article links Japan and Osaka, and knows nothing of Honshu.
    assert named(found.question) == [("Ōsaka", "Q35765")]
    assert named(found.context) == [("大阪", "Q35765"), ("日本", "Q17")]
    assert found.context.source == "ja:東京都"
    assert {code: counts.questions for code, counts in result.languages.items()} == {
        "de": 1, "ja": 0,
    }  # fmt: skip


def test_a_translated_passage_has_the_article_of_its_english_title(kb: KnowledgeBase) -> None:
    translated = [
        asked("大阪?", "日本の本州。", "Tokyo", ("ja", "ja"), "1"),
        asked("?", "日本。", "Beyonc%C3%A9", ("ja", "ja"), "2"),
    ]
    result = annotate(kb, *translated)
    assert named(result.examples[0].context) == [("日本", "Q17"), ("本州", "Q13989")]
    assert named(result.examples[0].question) == [("大阪", "Q35765")]
    assert result.articles["en"].articles == 2
    assert [e.context.source for e in result.examples] == ["en:Tokyo", "en:Beyoncé"]


def test_the_wikipedia_with_more_of_the_titles_is_taken_the_passages_own_if_as_many(
    kb: KnowledgeBase,
) -> None:
    # "Japan" is an article in both; it links Tokyo in English, and Japan in German.
    one = asked("Tokio?", "Tokio, Japan", "Japan", ("de", "de"), "1")
    two = asked("Honshu?", "Japan.", "York", ("de", "de"), "2")
    assert annotate(kb, one).examples[0].context.source == "de:Japan"
    both = annotate(kb, one, two)
    assert [e.context.source for e in both.examples] == ["en:Japan", "en:York"]
    assert named(both.examples[0].context) == [("Tokio", "Q1490")]
    chosen = annotate(kb, one, two, source="de")
    assert [e.context.source for e in chosen.examples] == ["de:Japan", None]
    assert chosen.articles["de"].missing == ("York",)


def test_what_is_found_is_counted_by_language(kb: KnowledgeBase) -> None:
    passage = "Osaka lies in Japan."
    result = annotate(
        kb,
        asked("Where is Osaka?", passage, "Tokyo", name="1"),
        asked("Wo?", passage, "Tokyo", ("de", "en"), name="2"),
        asked("Where is Honshu?", "Nothing.", "Tokyo", name="3"),
        asked("Where is Atlantis?", passage, "Atlantis", name="4"),
        asked("Where?", "In Japan.", None, name="5"),
    )
    english, german = result.languages["en"].to_json(), result.languages["de"].to_json()
    assert (
        english
        | {
            "passages": 4,
            "passages with a mention": 1,
            "mentions in passages": 2,
            "questions": 4,
            "questions with a mention": 2,
            "mentions in questions": 2,
            "texts linked without an article": 0,
            "ambiguous names": 1,
            "names too rarely linked": 1,
            "names": 10,
            "entities linked": 10,
        }
        == english
    )
    assert (german["questions"], german["passages"]) == (1, 0)
    assert german["entities without a name in the language"] == 6
    assert result.untitled == 1
    titles = result.articles["en"]
    assert (titles.titles, titles.articles, titles.missing) == (2, 1, ("Atlantis",))


class EveryWord:
    """Links each word to an entity called like it."""

    def pipe(self, texts: Iterable[str], *, language: str) -> Iterator[Linked]:
        for text in texts:
            end = len(text.split()[0])
            link = Link(0, end, text[:end], f"{language}:{text[:end]}", 1.0, (), 1.0, "first")
            yield Linked.of(AnnotatedText(text, language), (link,))


def test_a_general_linker_does_what_has_no_article_and_nothing_else(kb: KnowledgeBase) -> None:
    examples = (
        asked("Honshu ja?", "Osaka lies in Japan.", "Tokyo", name="1"),
        asked("Wo liegt das?", "Somewhere far.", None, ("de", "en"), name="2"),
        asked("Where is it?", "In Japan.", "Atlantis", name="3"),
    )
    result = annotate(kb, *examples, linker=EveryWord())
    one, two, three = result.examples
    assert named(one.question) == [("Honshu", "Q13989")]
    assert named(two.question) == [("Wo", "de:Wo")]
    assert named(two.context) == [("Somewhere", "en:Somewhere")]
    assert named(three.context) == [("In", "en:In")]
    assert (result.languages["de"].linked, result.languages["en"].linked) == (1, 3)
    assert not any(named(example.context) for example in annotate(kb, *examples).examples[1:])


def test_files_have_results_of_their_own_and_share_articles(kb: KnowledgeBase) -> None:
    one, two = asked("Japan?", "Osaka.", "Tokyo"), asked("大阪?", "日本。", "東京都", ("ja", "ja"))
    results = annotate_questions(kb, [[one], [], [two]])
    assert [len(result.examples) for result in results] == [1, 0, 1]
    assert results[0] == annotate(kb, one)
    assert results[2] == annotate(kb, two)


def test_languages_that_are_not_there_are_refused(kb: KnowledgeBase) -> None:
    example = asked("Japan?", "Japan.", "Tokyo")
    with pytest.raises(InputError, match="no language 'fr' here for the titles, only de, en, ja"):
        annotate(kb, example, source="fr")
    with pytest.raises(InputError, match=r"none of the questions' languages \(sw\) is here"):
        annotate(kb, asked("a", "bb", "Tokyo", ("sw", "sw")))
    half = annotate(kb, asked("Japan?", "Japan.", "Tokyo", ("sw", "en")))
    assert half.examples[0].question.mentions == ()
    assert half.languages["sw"].names["entities without a name in the language"] == 10


SQUAD = {
    "data": [
        {
            "title": "Tokyo",
            "paragraphs": [
                {
                    "context": "Osaka lies in Japan.",
                    "qas": [
                        {
                            "id": str(number),
                            "question": "Where is Osaka?",
                            "answers": [{"text": "Japan", "answer_start": 14}],
                        }
                        for number in range(2)
                    ],
                }
            ],
        }
    ]
}


@pytest.fixture
def squad(tmp_path: Path) -> Path:
    path = tmp_path / "dev-v1.1.json"
    path.write_text(json.dumps(SQUAD))
    return path


def test_annotations_are_written_and_read_back(
    kb: KnowledgeBase, squad: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    options = AnnotationOptions("en", ArticleRule(subject=True))
    written = write_annotations([squad], out, kb, options)
    opened = QuestionAnnotations.open(out)
    assert opened.manifest == written.manifest
    assert opened.names == ("dev-v1.1",)
    expected = annotate_questions(kb, [read_examples(squad).examples], options)[0]
    assert tuple(opened.questions("dev-v1.1")) == expected.examples
    assert read_examples(out / "dev-v1.1.jsonl").examples == expected.examples
    with pytest.raises(InputError, match=r"no file 'train' here, only dev-v1\.1"):
        list(opened.questions("train"))


def test_the_manifest_says_what_was_done_and_names_no_place_of_the_machine(
    kb: KnowledgeBase, squad: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    manifest = write_annotations([squad], out, kb).manifest
    assert str(tmp_path) not in (out / "manifest.json").read_text()
    assert manifest["rule"] == {
        "source_language": None,
        "min_link_probability": 0.01,
        "min_prior": 0.01,
        "subject": False,
        "linker": None,
    }
    assert len(manifest["knowledge_base"]["sha256"]) == 64
    assert {dump["date"] for dump in manifest["knowledge_base"]["dumps"]} == {"2026-01-01"}
    file = manifest["files"]["dev-v1.1"]
    assert (file["source"], file["questions"]) == ("dev-v1.1.json", 2)
    assert file["titles"] == {"en": {"titles": 1, "articles": 1, "missing": []}}
    assert manifest["languages"]["en"]["questions with a mention"] == 2
    assert manifest["languages"]["en"]["mentions in passages"] == 2


def test_the_same_input_gives_the_same_bytes(
    kb: KnowledgeBase, squad: Path, tmp_path: Path
) -> None:
    for name in ("one", "two"):
        write_annotations([squad], tmp_path / name, kb)
    for path in sorted((tmp_path / "one").iterdir()):
        assert path.read_bytes() == (tmp_path / "two" / path.name).read_bytes()


def test_nothing_is_written_when_a_file_is_wrong(
    kb: KnowledgeBase, squad: Path, tmp_path: Path
) -> None:
    wrong = tmp_path / "wrong.en.json"
    wrong.write_text(squad.read_text().replace('"answer_start": 14', '"answer_start": 13'))
    out = tmp_path / "out"
    with pytest.raises(FormatError, match=r"wrong\.en\.json:1: question 0: the answer 'Japan'"):
        write_annotations([squad, wrong], out, kb)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["dev-v1.1.json", "wrong.en.json"]
    (tmp_path / "sub").mkdir()
    same = tmp_path / "sub" / "dev-v1.1.jsonl.gz"
    same.write_bytes(b"")
    with pytest.raises(InputError, match="would get the same name as"):
        write_annotations([squad, same], out, kb)
    write_annotations([squad], out, kb)
    with pytest.raises(ExistsError):
        write_annotations([squad], out, kb)
    write_annotations([squad], out, kb, overwrite=True)


def test_a_directory_that_was_changed_is_refused(
    kb: KnowledgeBase, squad: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    opened = write_annotations([squad], out, kb)
    lines = (out / "dev-v1.1.jsonl").read_text().splitlines()
    (out / "dev-v1.1.jsonl").write_text(lines[0] + "\n")
    with pytest.raises(FormatError, match="expected 2 questions, found 1"):
        list(opened.questions("dev-v1.1"))
    manifest = json.loads((out / "manifest.json").read_text())
    (out / "manifest.json").write_text(json.dumps({**manifest, "version": 99}))
    with pytest.raises(VersionError, match="99"):
        QuestionAnnotations.open(out)
    with pytest.raises(InputError, match="exonym data link qa"):
        QuestionAnnotations.open(tmp_path)
