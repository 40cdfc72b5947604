"""One process of a run, started by torchrun: a driver for test_distributed.py.

Arguments: corpus, run folder, recipe as JSON, options as JSON:
``shard``, ``resume``; ``kill`` [rank, step]: this rank kills itself after that step;
``slow`` [rank, seconds]: this rank sleeps at every tenth step.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import time

from exonym.foundation.errors import ExonymError
from exonym.training import Place, pretrain
from exonym.training.recipe_files import recipe_from


def main() -> None:
    corpus, out, recipe, options = sys.argv[1:]
    given = json.loads(options)
    rank = int(os.environ["RANK"])

    def on_step(place: Place) -> None:
        if given.get("kill") == [rank, place.step]:
            os.kill(os.getpid(), signal.SIGKILL)
        if "slow" in given and given["slow"][0] == rank and place.step % 10 == 0:
            time.sleep(given["slow"][1])

    try:
        pretrain(
            corpus,
            out,
            recipe_from(json.loads(recipe)),
            shard=given.get("shard", False),
            resume=given.get("resume", False),
            on_step=on_step,
        )
    except ExonymError as error:
        print(f"rank {rank}: {error}", file=sys.stderr, flush=True)
        sys.exit(error.exit_status)


if __name__ == "__main__":
    main()
