"""Keep the figures of a quickstart in docs/results/quickstart.json, and put them into README.md.

    python tools/readme_figures.py runs/quickstart/summary.json            # print the table
    python tools/readme_figures.py runs/quickstart/summary.json --write    # keep it, change README
    python tools/readme_figures.py                                         # print the kept one

Every figure of README's first table comes from here; a test compares the two.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from exonym.foundation.errors import ExonymError, FormatError
from exonym.foundation.files import JSON, atomic_file, read_json, write_json
from exonym.reports.verdict import NAMES

ROOT = Path(__file__).resolve().parents[1]
KEPT = ROOT / "docs" / "results" / "quickstart.json"
README = ROOT / "README.md"
BEGIN, END = "<!-- quickstart:begin -->", "<!-- quickstart:end -->"
NOT_YET = "Not measured yet. `make quickstart` measures it on your machine."


def figures(path: Path) -> JSON:
    """What README needs of a ``summary.json``.

    Raises:
        InputError: there is no such file.
        FormatError: a field is missing.
    """
    summary = read_json(path)
    manifest = path.parent / "mluke" / "manifest.json"
    machines = read_json(manifest).get("machines", []) if manifest.is_file() else []
    try:
        return {
            "exonym": summary["exonym"],
            "seed": summary["seed"],
            "entities": summary["atlas"]["entities"],
            "languages": len(summary["corpus"]["languages"]),
            "seconds": summary["seconds"],
            "peak_memory_mib": summary["peak_memory_mib"],
            "machine": {**(machines[-1] if machines else {}), "threads": summary["threads"]},
            # A world in which every fact is told somewhere has no control.
            "cloze": {
                "untold": summary["cloze"]["untold"],
                "control": summary["cloze"].get("control"),
            },
        }
    except (KeyError, TypeError) as error:
        raise FormatError(
            f"not the summary of a quickstart (no field {error})",
            where=path,
            remedy="Give RUN/summary.json of a finished `exonym quickstart`",
        ) from error


def kept_figures() -> JSON | None:
    """The figures that were kept, or None where nothing was measured yet."""
    if not KEPT.is_file():
        return None
    kept: JSON = read_json(KEPT)
    return kept


def block(kept: JSON | None) -> str:
    """README's text between the two marks."""
    if kept is None:
        return NOT_YET
    kinds = {"untold": "told only in other languages", "control": "told nowhere: the control"}
    columns = {title: kept["cloze"][kind] for kind, title in kinds.items() if kept["cloze"][kind]}
    heads = [
        f"{title} ({max(row['questions'] for row in rows.values()):,} questions)"
        for title, rows in columns.items()
    ]
    lines = [
        _row("answered by", heads),
        _row("---", ["---"] * len(columns)),
        *(_row(NAMES[name], [_cell(rows[name]) for rows in columns.values()]) for name in NAMES),
        "",
        f"Top-1 accuracy, mean over {kept['languages']} languages, with 95 % bootstrap intervals. "
        f"A world of {kept['entities']:,} entities, seed {kept['seed']}, Exonym {kept['exonym']}; "
        f"{kept['seconds'] / 60:.1f} minutes and at most {kept['peak_memory_mib']:,.0f} MiB on "
        f"{_machine(kept['machine'])}.",
    ]
    return "\n".join(lines)


def _row(first: str, cells: Sequence[str]) -> str:
    return f"| {' | '.join([first, *cells])} |"


def _cell(row: JSON) -> str:
    return f"{row['accuracy']:.3f} ({row['low']:.3f} to {row['high']:.3f})"


def _machine(machine: JSON) -> str:
    threads = machine["threads"]
    cores = f"{threads} thread{'' if threads == 1 else 's'}"
    return f"{cores} ({machine['processor']})" if "processor" in machine else cores


def with_block(text: str, inner: str) -> str:
    """A page with the text between its two marks replaced.

    Raises:
        FormatError: the page does not have both marks, in this order.
    """
    before, begin, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise FormatError(f"has no place for the figures ({BEGIN} … {END})", where=README)
    return f"{before}{BEGIN}\n{inner}\n{END}{after}"


def main(arguments: list[str] | None = None) -> int:
    """Print or write the table; return the exit status."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("summary", type=Path, nargs="?", help="summary.json of a quickstart")
    parser.add_argument("--write", action="store_true", help="keep the figures, change README.md")
    options = parser.parse_args(arguments)
    try:
        kept = kept_figures() if options.summary is None else figures(options.summary)
        inner = block(kept)
        if options.write:
            page = with_block(README.read_text(encoding="utf-8"), inner)
            if kept is not None:
                write_json(KEPT, kept)
            with atomic_file(README) as stream:
                stream.write(page.encode())
    except ExonymError as error:
        print(f"error: {error}", file=sys.stderr)
        return error.exit_status
    print(inner)
    return 0


if __name__ == "__main__":
    sys.exit(main())
