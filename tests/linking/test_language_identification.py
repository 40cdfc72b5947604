"""Telling a text's language among those of a knowledge base."""

from __future__ import annotations

import pickle

import pytest

from exonym.foundation.errors import InputError
from exonym.linking.language_identification import UNKNOWN, LanguageIdentification

SENTENCES = {
    "de": "Die Hauptstadt liegt an einem Fluss und ist sehr alt.",
    "en": "The capital lies on a river and is very old.",
    "ja": "首都は川のほとりにあり、とても古い。",
    "sw": "Mji mkuu uko kando ya mto na ni wa zamani sana.",
    "th": "เมืองหลวงตั้งอยู่ริมแม่น้ำและเก่าแก่มาก",
    "ar": "تقع العاصمة على نهر وهي قديمة جدا.",
}


@pytest.fixture(scope="module")
def identify() -> LanguageIdentification:
    return LanguageIdentification(sorted(SENTENCES))


@pytest.mark.parametrize("language", sorted(SENTENCES))
def test_sentences_are_told_apart(language: str, identify: LanguageIdentification) -> None:
    assert identify(SENTENCES[language]) == language


@pytest.mark.parametrize("text", ["", " ", "12 + 30 = 42", "\ud800\0", "\u200b"])
def test_what_cannot_be_told_is_not_guessed(text: str, identify: LanguageIdentification) -> None:
    assert identify(text) == UNKNOWN


def test_only_the_given_languages_are_answered() -> None:
    assert LanguageIdentification(["en", "sw"])(SENTENCES["de"]) in ("en", "sw", UNKNOWN)


def test_editions_answer_by_their_own_codes() -> None:
    assert LanguageIdentification(["de", "simple"])(SENTENCES["en"]) == "simple"


def test_one_language_needs_no_telling() -> None:
    assert LanguageIdentification(["xx"])("anything") == "xx"


def test_languages_that_nobody_can_tell_apart() -> None:
    with pytest.raises(InputError, match=r"xx, yy cannot be told apart.*--language CODE"):
        LanguageIdentification(["xx", "yy"])("anything")


def test_it_can_be_pickled(identify: LanguageIdentification) -> None:
    assert pickle.loads(pickle.dumps(identify)).languages == identify.languages
