"""The tables and plots of ``docs/ablations.md``, from what the runs left."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from exonym.foundation.errors import FormatError
from exonym.foundation.files import JSON, atomic_file, write_json
from experiments.plan import FULL, LARGE_TO_SMALL, STUDIES
from experiments.results import collect

if TYPE_CHECKING:
    from matplotlib.axes import Axes

DOCS = Path(__file__).resolve().parents[2] / "docs"
PAGE, KEPT, PLOTS = "ablations.md", "results/ablations.json", "ablations"

_ROWS = {
    "chance": "chance",
    "most_frequent": "most frequent object",
    "words_only": "words-only model, words",
    "mluke_w": "W: words",
    "mluke_e_y": "E([Y])",
    "mluke_e_xy": "E([X]&[Y])",
}
_COLOURS = (
    "#0b6e99", "#c1440e", "#3c7d3c", "#8a4fa3", "#b8860b", "#5a5a5a", "#d0417e", "#17a398",
)  # fmt: skip
_HALF = len(LARGE_TO_SMALL) // 2


def write_page(work: Path) -> None:
    """Write the figures, plots and tables of the results in ``work``; the page's text stays.

    Raises:
        InputError: there are no results.
        FormatError: the page has no place for a table.
    """
    found = collect(STUDIES.values(), work)
    write_json(DOCS / KEPT, found)
    page = DOCS / PAGE
    text = page.read_text(encoding="utf-8")
    for name, make in _TABLES.items():
        text = _put(text, name, make(found), page)
    with atomic_file(page) as stream:
        stream.write(text.encode())
    _write_plots(found)


def _put(text: str, name: str, table: str, page: Path) -> str:
    """Put a table between its marks."""
    begin, end = f"<!-- {name}:begin -->", f"<!-- {name}:end -->"
    pattern = re.compile(f"{re.escape(begin)}.*?{re.escape(end)}", re.DOTALL)
    if not pattern.search(text):
        raise FormatError(f"has no {begin} … {end}", where=page)
    return pattern.sub(lambda _: f"{begin}\n{table}\n{end}", text)


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    if not rows:
        return "Not measured yet."
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _variants(found: JSON, *studies: str) -> dict[str, JSON]:
    return {
        name: variant
        for study in studies
        for name, variant in found.get(study, {}).get("variants", {}).items()
    }


def _cell(way: JSON | None) -> str:
    return "–" if way is None else f"{way['accuracy']:.2f} ({way['low']:.2f}–{way['high']:.2f})"


def _seeds(way: JSON | None) -> str:
    return "–" if way is None else ", ".join(f"{seed:.2f}" for seed in way["seeds"])


def _who_answers(variants: Mapping[str, JSON]) -> str:
    kinds = {
        kind: {
            **variants.get(FULL, {}).get("last", {}).get(kind, {}),
            **variants.get("words-only", {}).get("last", {}).get(kind, {}),
        }
        for kind in ("untold", "control")
    }
    rows = [
        [label, _cell(kinds["untold"][way]), _seeds(kinds["untold"][way]),
         _cell(kinds["control"].get(way))]
        for way, label in _ROWS.items()
        if way in kinds["untold"]
    ]  # fmt: skip
    return _table(["who answers", "untold", "each seed", "control"], rows)


def _ablations(found: JSON) -> str:
    rows = []
    for variant in _variants(found, "ablations").values():
        untold, control = variant["last"]["untold"], variant["last"]["control"]
        words = untold.get("words_only") or untold.get("mluke_w")
        best = control.get("mluke_e_xy") or control.get("words_only")
        shown = [_cell(untold.get("mluke_e_xy")), _cell(untold.get("mluke_e_y")), _cell(words)]
        rows.append(
            [variant["label"], *shown, _seeds(untold.get("mluke_e_xy") or words), _cell(best)]
        )
    head = ["trained", "E([X]&[Y])", "E([Y])", "W", "each seed", "control"]
    return _table(head, rows)


def _alpha(found: JSON) -> str:
    rows = []
    for name, label in (("alpha-0", "0"), (FULL, "0.7"), ("alpha-1", "1")):
        variant = _variants(found, "ablations", "alpha").get(name)
        if variant is None:
            continue
        way = variant["last"]["untold"]["mluke_e_xy"]
        by = way["by_language"]
        large, small = (
            sum(by[code] for code in part) / len(part)
            for part in (LARGE_TO_SMALL[:_HALF], LARGE_TO_SMALL[_HALF:])
        )
        last = f"{by[LARGE_TO_SMALL[-1]]:.2f}"
        rows.append([label, _cell(way), _seeds(way), f"{large:.2f}", f"{small:.2f}", last])
    large_names, small_names = (
        ", ".join(part) for part in (LARGE_TO_SMALL[:_HALF], LARGE_TO_SMALL[_HALF:])
    )
    head = ["α", "E([X]&[Y])", "each seed", large_names, small_names, LARGE_TO_SMALL[-1]]
    return _table(head, rows)


def _shares(found: JSON) -> str:
    rows = []
    for variant in _variants(found, "shares").values():
        untold, control = variant["last"]["untold"], variant["last"]["control"]
        asked = [str(sum(q.get(k, 0) for k in ("untold here",))) for q in variant["questions"]]
        rows.append(
            [variant["label"], ", ".join(f"{n:,}" for n in variant["sequences"]), ", ".join(asked)]
            + [_cell(untold.get(way)) for way in ("mluke_e_xy", "mluke_e_y", "mluke_w")]
            + [_cell(control.get("mluke_e_xy"))]
        )
    head = ["told by", "sequences", "untold questions", "E([X]&[Y])", "E([Y])", "W", "control"]
    plot = f"\n\n![Accuracy against the share of languages]({PLOTS}/shares.svg)" if rows else ""
    return _table(head, rows) + plot


_TABLES: Mapping[str, Callable[[JSON], str]] = {
    "full": lambda found: _who_answers(_variants(found, "full")),
    "ablations": _ablations,
    "alpha": _alpha,
    "shares": _shares,
}


def _write_plots(found: JSON) -> None:
    variants = _variants(found, "ablations")
    if variants:
        _save("curves", lambda axes: _curves(axes, variants))
    both = _variants(found, "ablations", "alpha")
    chosen = [(both[n], label) for n, label in _ALPHAS.items() if n in both]
    if chosen:
        _save("alpha", lambda axes: _by_language(axes, chosen))
    shares = list(_variants(found, "shares").values())
    if shares:
        _save("shares", lambda axes: _by_share(axes, shares))


_ALPHAS = {"alpha-0": "α = 0", FULL: "α = 0.7", "alpha-1": "α = 1"}


def _save(name: str, plot: Callable[[Axes], None]) -> None:
    """One plot as a file of its own: the same figures make the same bytes."""
    import matplotlib
    from matplotlib.figure import Figure

    with matplotlib.rc_context():
        matplotlib.rcdefaults()
        matplotlib.rcParams.update(
            {"svg.hashsalt": "exonym", "svg.fonttype": "none", "axes.spines.top": False,
             "axes.spines.right": False, "legend.frameon": False}
        )  # fmt: skip
        figure = Figure(figsize=(9, 4.5), layout="constrained", facecolor="white")
        plot(figure.add_subplot())
        (DOCS / PLOTS).mkdir(exist_ok=True)
        figure.savefig(DOCS / PLOTS / f"{name}.svg", format="svg", metadata={"Date": None})


def _curves(axes: Axes, variants: Mapping[str, JSON]) -> None:
    """Accuracy on untold facts against steps, one line a variant, with its interval."""
    trained = [variant for variant in variants.values() if len(variant["curve"]) > 1]
    for variant, colour in zip(trained, _COLOURS[: len(trained)], strict=True):
        way = "mluke_e_xy" if "mluke_e_xy" in variant["last"]["untold"] else "words_only"
        points = [(point["step"], point["ways"][way]) for point in variant["curve"]]
        steps = [step for step, _ in points]
        label = variant["label"] if way == "mluke_e_xy" else f"{variant['label']}, asked by words"
        axes.plot(steps, [p["accuracy"] for _, p in points], "o-", color=colour, label=label)
        low, high = ([p[end] for _, p in points] for end in ("low", "high"))
        axes.fill_between(steps, low, high, color=colour, alpha=0.12, linewidth=0)
    axes.set_xlabel("steps of the paper's two stages")
    axes.set_ylabel("accuracy on untold facts")
    axes.set_ylim(bottom=0)
    axes.legend(fontsize="small", loc="upper left", bbox_to_anchor=(1, 1))


def _by_language(axes: Axes, chosen: Sequence[tuple[JSON, str]]) -> None:
    """Accuracy by language, one line a smoothing exponent."""
    for (variant, label), colour in zip(chosen, _COLOURS, strict=False):
        by = variant["last"]["untold"]["mluke_e_xy"]["by_language"]
        axes.plot(range(len(LARGE_TO_SMALL)), [by[code] for code in LARGE_TO_SMALL], "o-",
                  color=colour, label=label)  # fmt: skip
    sizes = chosen[0][0]["corpus_languages"]
    names = [f"{code}\n{sizes[code]:,.0f}" for code in LARGE_TO_SMALL]
    axes.set_xticks(range(len(LARGE_TO_SMALL)), names)
    axes.set_xlabel("language, and its sequences")
    axes.set_ylabel("accuracy on untold facts, E([X]&[Y])")
    axes.set_ylim(bottom=0)
    axes.legend()


def _by_share(axes: Axes, shares: Sequence[JSON]) -> None:
    """Accuracy against the share of languages that tell a fact, one line a way of asking."""
    places = range(len(shares))
    for (way, label), colour in zip(_ROWS.items(), _COLOURS, strict=False):
        if way not in shares[0]["last"]["untold"]:
            continue
        found = [variant["last"]["untold"][way] for variant in shares]
        middle = [given["accuracy"] for given in found]
        spread = [
            [given["accuracy"] - given["low"] for given in found],
            [given["high"] - given["accuracy"] for given in found],
        ]
        axes.errorbar(places, middle, spread, fmt="o-", capsize=3, color=colour, label=label)
    axes.set_xticks(places, [variant["label"] for variant in shares])
    axes.set_xlabel("languages that tell a fact")
    axes.set_ylabel("accuracy on untold facts")
    axes.set_ylim(bottom=0)
    axes.legend()
