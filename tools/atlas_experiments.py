"""What Atlas teaches: ablations, smoothing, shares of languages, and the full table.

    python tools/atlas_experiments.py run --work WORK                    # all of it, hours
    python tools/atlas_experiments.py run --work WORK --studies ablations --seeds 0
    python tools/atlas_experiments.py page --work WORK                   # docs/ablations.md, plots

A run whose result is in WORK is not done again, and one that was killed goes on, so the command
may be stopped and given again. ``page`` takes what is there: the results go to docs/results/, the
tables and plots to docs/.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Collection
from pathlib import Path

from exonym.foundation.errors import ConfigError, ExonymError
from experiments.plan import SEEDS, STUDIES
from experiments.running import planned, run


def _chosen(given: str, what: str, known: Collection[str]) -> list[str]:
    """Names given in one option.

    Raises:
        ConfigError: one is not known.
    """
    names = given.split(",")
    for name in names:
        if name not in known:
            raise ConfigError(f"no {what} is called {name!r}; there are {', '.join(sorted(known))}")
    return names


def _numbers(given: str) -> list[int]:
    return [int(number) for number in given.split(",")]


def main() -> int:
    """Run experiments, or write their page."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("what", choices=("run", "page"))
    parser.add_argument("--work", type=Path, required=True, help="where everything goes")
    parser.add_argument("--studies", default=",".join(STUDIES), help="some of them, in order")
    parser.add_argument("--variants", help="only these of each study, as for several processes")
    parser.add_argument("--seeds", type=_numbers, default=list(SEEDS), help="such as 0,1")
    options = parser.parse_args()
    try:
        if options.what == "page":
            from experiments.page import write_page

            write_page(options.work)
            return 0
        studies = [STUDIES[name] for name in _chosen(options.studies, "study", STUDIES)]
        variants = {variant.name for study in studies for variant in study.variants}
        wanted = _chosen(options.variants or ",".join(sorted(variants)), "variant", variants)
        for one in planned(studies, options.seeds):
            if one.variant.name not in wanted:
                continue
            started = time.monotonic()
            run(one, options.work)
            print(f"{one.name}: {time.monotonic() - started:.0f} s", flush=True)
    except ExonymError as error:
        print(f"error: {error}", file=sys.stderr)
        return error.exit_status
    return 0


if __name__ == "__main__":
    sys.exit(main())
