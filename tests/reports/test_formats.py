"""Figures as people read them."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exonym.reports import formats
from exonym.reports.recipes import flatten


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0.04, "0.0 s"),
        (9.94, "9.9 s"),
        (9.96, "10 s"),
        (59.6, "1 min 00 s"),
        (423, "7 min 03 s"),
        (3599.7, "1 h 00 min"),
        (7500, "2 h 05 min"),
    ],
)
def test_durations(seconds: float, text: str) -> None:
    assert formats.duration(seconds).replace("\N{NO-BREAK SPACE}", " ") == text


@given(st.floats(0, 1e6))
def test_durations_are_right_to_their_last_unit(seconds: float) -> None:
    units = {"s": 1, "min": 60, "h": 3600}
    parts = re.findall(r"([\d.]+)\s(s|min|h)", formats.duration(seconds))
    said = sum(float(number) * units[unit] for number, unit in parts)
    last = units[parts[-1][1]] if seconds >= 9.95 else 0.1
    assert abs(said - seconds) <= last


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "–"),
        (True, "yes"),
        (540326, "540,326"),
        (2e-3, "0.002"),
        (1e-6, "1e-06"),
        (["words", "entities"], "words, entities"),
        ({"steps": 600, "train": "new"}, "steps 600, train new"),
        ("mean", "mean"),
    ],
)
def test_settings_are_in_words(value: object, text: str) -> None:
    assert formats.setting(value) == text


def test_an_unknown_language_goes_by_its_code() -> None:
    assert formats.language_name("sw") == "Swahili"
    assert formats.language_name("ltg") == "ltg"


def test_a_recipe_is_flattened_with_stages_by_name() -> None:
    flat = flatten(
        {
            "name": "r",
            "departures": {"seed": "why"},
            "stages": [{"name": "all", "steps": 3}],
            "model": {"hidden_size": 8},
            "seed": 0,
        }
    )
    assert flat == {"stages.all.steps": 3, "model.hidden_size": 8, "seed": 0}
