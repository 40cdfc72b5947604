"""A Slurm of three small scripts: `sbatch` runs the tasks of an array at once, one by one."""

from __future__ import annotations

from pathlib import Path

_SBATCH = """#!/usr/bin/env python3
import os, re, subprocess, sys
from pathlib import Path

here = Path(__file__).parent
text = Path(sys.argv[-1]).read_text()
jobs = here / "jobs"
jobs.mkdir(exist_ok=True)
number = len(list(jobs.iterdir())) + 1
(jobs / str(number)).write_text(" ".join(sys.argv[1:-1]) + chr(10) + text)
array = re.search("--array=0-([0-9]+)", text)
offset = re.search("RUN_OFFSET=([0-9]+)", " ".join(sys.argv))
for task in range(int(array[1]) + 1 if array else 1):
    environment = dict(os.environ, SLURM_NODELIST="node1", RUN_OFFSET=offset[1] if offset else "0")
    if array:
        environment["SLURM_ARRAY_TASK_ID"] = str(task)
    log = open(here / f"log-{number}-{task}", "w")
    subprocess.run(["bash", "-c", text], env=environment, stdout=log, stderr=log)
print(f"Submitted batch job {number}")
"""
_SRUN = """#!/bin/bash
while [[ "$1" != launch_pickled_pipeline ]]; do shift; done
exec "$@"
"""


def install(folder: Path) -> Path:
    """Write the scripts; returns the folder to put at the front of PATH."""
    folder.mkdir()
    for name, script in (("sbatch", _SBATCH), ("srun", _SRUN), ("squeue", "#!/bin/bash\n"),
                         ("scontrol", "#!/bin/bash\necho node1\n")):  # fmt: skip
        path = folder / name
        path.write_text(script)
        path.chmod(0o755)
    return folder
