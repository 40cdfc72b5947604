"""Model cards of fine-tuned models: a README with what a user of the model must know.

Data and base model are told by name and digest; folders of the machine that trained are not.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import exonym
from exonym.foundation.errors import ConfigError
from exonym.foundation.files import JSON, sha256
from exonym.modeling.checkpoint import find_checkpoint, weight_files
from exonym.tasks.tuned import Tuned


@dataclass(frozen=True, slots=True)
class _Task:
    title: str
    pipeline: str  # as model hubs call it
    call: str


_TASKS = {
    "ner": _Task(
        "Named entity recognition",
        "token-classification",
        'model("Ada Lovelace was born in London.", language="en")',
    ),
    "relation": _Task(
        "Relation extraction",
        "text-classification",
        'model("Ada Lovelace was born in London.", (0, 12), (25, 31), language="en")',
    ),
    "qa": _Task(
        "Extractive question answering",
        "question-answering",
        'model("Where was she born?", "Ada Lovelace was born in London.", language="en")',
    ),
}
_VARIANTS = {"entities": "words and entities (mLUKE-E)", "words": "words only (mLUKE-W)"}


@dataclass(frozen=True, slots=True)
class DataFile:
    """A file that a model was trained or chosen on.

    Args:
        role: ``"training"`` or ``"validation"``.
        name: of the file, without its folder.
        sha256: of its bytes.
        examples: read from it.
        languages: of its texts.
    """

    role: str
    name: str
    sha256: str
    examples: int
    languages: tuple[str, ...]

    @classmethod
    def of(cls, path: Path, *, role: str, examples: int, languages: Iterable[str]) -> DataFile:
        """Look at a file; each language is told once, in the order given."""
        return cls(role, path.name, sha256(path), examples, tuple(dict.fromkeys(languages)))


@dataclass(frozen=True, slots=True)
class CardFacts:
    """What a card says beside the scores.

    Args:
        task: the name of its module in `exonym.tasks`: ``"ner"``, ``"relation"`` or ``"qa"``.
        base: the model that was fine-tuned: a name on the hub, or a folder, of which only the
            last part is told.
        data: training and validation files.
        variant: ``"entities"`` or ``"words"``.
        labels: that it predicts; none where a task has none.
        settings: of the task's input, by name.
        notes: paragraphs on what else a user must know, such as what was left out of the data.

    Raises:
        ConfigError: there is no such task or variant.
    """

    task: str
    base: str | Path
    data: tuple[DataFile, ...]
    variant: str = "entities"
    labels: tuple[str, ...] = ()
    settings: Mapping[str, object] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        for name, known in (("task", _TASKS), ("variant", _VARIANTS)):
            if getattr(self, name) not in known:
                raise ConfigError(
                    f"{name} must be one of {', '.join(known)}, got {getattr(self, name)!r}"
                )

    @property
    def base_name(self) -> str:
        """The base without the folders of this machine; a run's ``model/`` has the run's name."""
        if not self.is_folder:
            return str(self.base)
        path = Path(self.base).resolve()
        return path.parent.name if path.name == "model" else path.name

    @property
    def is_folder(self) -> bool:
        """Whether the base lies on this machine, and has no name on the hub."""
        return Path(self.base).exists() or Path(self.base).is_absolute()

    def identity(self) -> JSON:
        """What decides a tuning beside its recipes, for `tasks.tuning.tune`: digests and settings.

        Raises:
            InputError: there is no base model.
        """
        files = weight_files(find_checkpoint(self.base))
        return {
            "task": self.task,
            "variant": self.variant,
            "labels": list(self.labels),
            "settings": dict(self.settings),
            "base": {path.name: sha256(path) for path in files},
            "data": {f"{file.role}: {file.name}": file.sha256 for file in self.data},
        }


def model_card(facts: CardFacts, tuned: Tuned) -> str:
    """The README.md of a fine-tuned model, with YAML in front; see `tasks.tuning.tune`."""
    task = _TASKS[facts.task]
    parts = [
        _front(facts),
        f"# {task.title}: {facts.base_name}, fine-tuned",
        f"Made by Exonym {exonym.__version__} from `{facts.base_name}`. "
        f"Its input: {_VARIANTS[facts.variant]}.",
        "## Use",
        f"```python\nfrom exonym.tasks import {facts.task}\n\n"
        f'model = {facts.task}.load("PATH_OR_NAME")\nprint({task.call})\n```',
        "## Data",
        _table([_data_row(file) for file in facts.data]) if facts.data else "Not recorded.",
        "## Scores",
        _scores(tuned),
        "## Training",
        _settings({**facts.settings, **tuned.recipe.to_json()}),
    ]
    if facts.labels:
        parts += ["## Labels", ", ".join(f"`{label}`" for label in facts.labels)]
    parts += [*facts.notes, "## Licence", _LICENCE]
    return "\n\n".join(parts) + "\n"


_LICENCE = (
    "Not chosen yet: whoever passes this model on writes it here, and as `license:` in the lines "
    "above the title. The licences of the base model and of the data decide what is allowed."
)


def _front(facts: CardFacts) -> str:
    """The YAML; strings are quoted, since ``no`` alone is a truth value."""
    languages = dict.fromkeys(code for file in facts.data for code in file.languages)
    known = [code for code in languages if code != "und"]
    lists = {"language": known, "tags": ["exonym", "luke", facts.task]}
    lines = [f"pipeline_tag: {_TASKS[facts.task].pipeline}", "library_name: exonym"]
    if not facts.is_folder:
        lines += [f"base_model: {_quoted(facts.base_name)}"]
    for name, values in lists.items():
        if values:
            lines += [f"{name}:", *(f"- {_quoted(value)}" for value in values)]
    return "\n".join(["---", *lines, "---"])


def _quoted(text: str) -> str:
    """A string of JSON, which is one of YAML, too."""
    return json.dumps(text, ensure_ascii=False)


def _data_row(file: DataFile) -> dict[str, str]:
    return {
        "used for": file.role,
        "file": f"`{file.name}`",
        "languages": ", ".join(file.languages) or "-",
        "examples": f"{file.examples:,}",
        "SHA-256": f"`{file.sha256}`",
    }


def _scores(tuned: Tuned) -> str:
    """What the validation said, and how the model was chosen by it."""
    if not tuned.best.scores:
        return "There was no validation set: these are the weights of the last epoch."
    seeds = len(tuned.runs)
    rows = [
        {
            "validation score": name,
            "this model": f"{tuned.best.scores[name]:.4f}",
            f"mean of {seeds} seeds": f"{mean:.4f}",
            "standard deviation": "-" if deviation is None else f"{deviation:.4f}",
        }
        for name, (mean, deviation) in tuned.validation.items()
    ]
    chosen = (
        f"Epoch {tuned.best.best_epoch:g} of seed {tuned.best.seed}, chosen by `{tuned.main}` on "
        "the validation set, whose scores are a little too high for that. No test set took part."
    )
    return f"{_table(rows)}\n\n{chosen}\n\n{_table(tuned.rows())}"


def _settings(values: Mapping[str, object]) -> str:
    return _table([{"setting": f"`{name}`", "value": f"{value}"} for name, value in values.items()])


def _table(rows: Sequence[Mapping[str, str]]) -> str:
    header = list(rows[0])
    lines = [header, ["---"] * len(header), *([row[name] for name in header] for row in rows)]
    return "\n".join("| " + " | ".join(map(_cell, line)) + " |" for line in lines)


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")
