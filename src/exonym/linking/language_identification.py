"""Which of some languages a text is written in, for texts that come without a language.

By py3langid, a naive Bayes classifier over bytes (Lui and Baldwin 2012), asked about the wanted
languages only. Where it cannot tell, the answer is `UNKNOWN` rather than a guess.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cached_property
from typing import Any

from exonym.foundation.errors import InputError

AUTO = "auto"
"""In place of a language: identify it."""

UNKNOWN = "und"
"""The language of a text that cannot be told (ISO 639's code for undetermined)."""

_READ = 2000  # characters; more do not change the answer
_CLEAR = 1.2  # times as probable as the next language

# Editions of Wikipedia whose codes are not those of their languages.
_EDITIONS = {"simple": "en", "nb": "no", "zh-min-nan": "nan", "zh-yue": "yue"}


class LanguageIdentification:
    """Tells languages apart. The classifier is loaded when it is first asked.

    Args:
        languages: Wikipedia's language codes; those that the classifier does not know are never
            answered.
    """

    def __init__(self, languages: Sequence[str]) -> None:
        self.languages = tuple(languages)

    def __call__(self, text: str) -> str:
        """The language of a text, or `UNKNOWN` where no language is clearly the likeliest.

        A text without a letter is in no language.

        Raises:
            InputError: there are several languages, and the classifier knows none of them.
        """
        if len(self.languages) == 1:
            return self.languages[0]
        read = text[:_READ]
        if not any(map(str.isalpha, read)):
            return UNKNOWN
        ranking: list[tuple[str, float]] = self._classifier.rank(read)
        (language, best), (_, second) = [*ranking, (UNKNOWN, 0.0)][:2]
        return self._codes[language] if best > _CLEAR * second else UNKNOWN

    def __reduce__(self) -> tuple[Callable[..., LanguageIdentification], tuple[tuple[str, ...]]]:
        return LanguageIdentification, (self.languages,)

    @cached_property
    def _classifier(self) -> Any:  # the library has no types
        from py3langid.langid import MODEL_FILE, LanguageIdentifier

        classifier = LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)
        known = set(classifier.labels)
        self._codes: dict[str, str] = {}
        for language in self.languages:
            code = _EDITIONS.get(language, language)
            if code in known:
                self._codes.setdefault(code, language)
        if not self._codes:
            raise InputError(
                f"texts in {', '.join(self.languages)} cannot be told apart",
                remedy="Name the language: --language CODE",
            )
        classifier.set_languages(sorted(self._codes))
        return classifier
