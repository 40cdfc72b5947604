"""Questions in mLAMA's layout."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import orjson

Lines = Sequence[Mapping[str, Any]]
Questions = Mapping[str, Mapping[str, tuple[str, Lines]]]
WriteQuestions = Callable[[Questions], Path]


def line(
    subject: str, answer: str, told_in: list[str] | None = None, **labels: str
) -> dict[str, Any]:
    """One line of a relation's file."""
    value: dict[str, Any] = {
        "lineid": 1,
        "sub_uri": subject,
        "sub_label": labels.get("sub", f"name of {subject}"),
        "obj_uri": answer,
        "obj_label": labels.get("obj", f"name of {answer}"),
    }
    return value if told_in is None else {**value, "told_in": told_in}


def write(directory: Path, questions: Questions) -> Path:
    """Write ``{language: {relation: (template, lines)}}``."""
    for language, relations in questions.items():
        folder = directory / language
        folder.mkdir(parents=True)
        templates = [
            {"relation": relation, "template": template}
            for relation, (template, _) in relations.items()
        ]
        write_lines(folder / "templates.jsonl", templates)
        for relation, (_, lines) in relations.items():
            write_lines(folder / f"{relation}.jsonl", lines)
    return directory


def write_lines(path: Path, lines: Lines) -> None:
    """Write JSON Lines."""
    path.write_bytes(b"".join(orjson.dumps(value) + b"\n" for value in lines))
